"""Search: needs folds and the cache; makes trials one after another.

results/{study}/{cohort.csv,folds}, results/cache -> results/{study}/runs/trial_*

Trial n waits for the suggestion of n - 1 and the result of n - window, so all trials to come are in
the plan from the start, and the order in which they end decides nothing.
"""


localrules:
    search,
    suggest_trial,
    trial_result,


rule search:
    input:
        files_of(searches.targets("search")),
        kept_trials,
    message:
        "The search is finished"


rule suggest_trial:
    input:
        trials_before,
    output:
        suggestion="results/{study}/runs/trial_{number}/suggestion.json",
        params="results/{study}/runs/trial_{number}/params.json",
    log:
        "results/{study}/logs/trial_{number}/suggest_trial.log",
    benchmark:
        "results/{study}/benchmarks/trial_{number}/suggest_trial.tsv"
    conda:
        "../../envs/train.yaml"
    params:
        search=searches.all_params,
        code=studies.code("suggest_trial"),
    message:
        "Proposing trial {wildcards.number}, study {wildcards.study}"
    script:
        "../scripts/suggest_trial.py"


rule train_trial:
    input:
        params="results/{study}/runs/trial_{number}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        embeddings=files_of(studies.embeddings),
        before=files_of(searches.folds_before),
        texts=current(studies.texts),
        taught=files_of(studies.taught),
    output:
        model="results/{study}/runs/trial_{number}/fold_{fold}/results/best_model.pt",
        history="results/{study}/runs/trial_{number}/fold_{fold}/results/train_history.json",
        ray="results/{study}/runs/trial_{number}/fold_{fold}/results/ray_trial_{number}.jsonl",
        outcome="results/{study}/runs/trial_{number}/fold_{fold}/results/outcome.json",
    log:
        "results/{study}/logs/trial_{number}/train_trial/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/trial_{number}/train_trial/fold_{fold}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=4000,
        runtime=480,
        gpu=GPUS,
    params:
        search=searches.all_params,
        cache=studies.cache_key,
        code=studies.code("train_trial"),
    message:
        "Training trial {wildcards.number}, fold {wildcards.fold}, study {wildcards.study}"
    script:
        "../scripts/train_trial.py"


rule trial_result:
    input:
        suggestion="results/{study}/runs/trial_{number}/suggestion.json",
        params="results/{study}/runs/trial_{number}/params.json",
        outcomes=current(
            searches.over_judging_folds(
                "results/{study}/runs/trial_{number}/fold_{fold}/results/outcome.json"
            )
        ),
    output:
        result="results/{study}/runs/trial_{number}/result.json",
        record="results/{study}/runs/trial_{number}/optuna_trial.json",
    log:
        "results/{study}/logs/trial_{number}/trial_result.log",
    benchmark:
        "results/{study}/benchmarks/trial_{number}/trial_result.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        search=searches.all_params,
        code=studies.code("trial_result"),
    message:
        "Taking the result of trial {wildcards.number}, study {wildcards.study}"
    script:
        "../scripts/trial_result.py"
