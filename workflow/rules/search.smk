"""Search: needs folds and the cache; makes trials one after another, the best, and a comparison.

Trial n waits for the suggestion of n - 1 and the result of n - window, so all trials to come are in
the plan from the start, and the order in which they end decides nothing.
"""


localrules:
    search,
    suggest_trial,
    trial_result,
    best_params,


ruleorder: suggest_trial > run_params
ruleorder: train_trial > train_fold


rule search:
    input:
        searched_studies("results/{study}/search/study.db"),
        searched_studies("results/{study}/search/study_summary.json"),
        searched_studies("results/{study}/search/search_results_final.csv"),
        searched_studies("results/{study}/search/history_trials.csv"),
        searched_studies("results/{study}/search/plots/history.html"),
        searched_studies("results/{study}/search/{study}_best_params.json"),
        searched_studies("results/{study}/search/best_config.yaml"),
        analysed_studies,
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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        told=told_of_search,
        code=code("suggest_trial"),
    message:
        "Proposing trial {wildcards.number}, study {wildcards.study}"
    script:
        "../scripts/suggest_trial.py"


rule train_trial:
    input:
        params="results/{study}/runs/trial_{number}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        embeddings=embedding_files,
        before=folds_before,
        texts=texts,
        taught=taught,
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
    threads: training_threads
    resources:
        mem_mb=4000,
        runtime=480,
        gpu=GPUS,
    params:
        told=told_of_search,
        cache=cache_key,
        code=code("train_trial"),
    message:
        "Training trial {wildcards.number}, fold {wildcards.fold}, study {wildcards.study}"
    script:
        "../scripts/train_trial.py"


rule trial_result:
    input:
        suggestion="results/{study}/runs/trial_{number}/suggestion.json",
        params="results/{study}/runs/trial_{number}/params.json",
        outcomes=judging_folds(
            "results/{study}/runs/trial_{number}/fold_{fold}/results/outcome.json"
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
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
        gpu=0,
    params:
        told=told_of_search,
        code=code("trial_result"),
    message:
        "Taking the result of trial {wildcards.number}, study {wildcards.study}"
    script:
        "../scripts/trial_result.py"


rule collect_search:
    input:
        every_trial("results/{study}/runs/{trial}/suggestion.json"),
        every_trial("results/{study}/runs/{trial}/result.json"),
    output:
        database="results/{study}/search/study.db",
        summary="results/{study}/search/study_summary.json",
        table="results/{study}/search/search_results_final.csv",
        history="results/{study}/search/history_trials.csv",
        histories=directory("results/{study}/search/histories"),
        plots=[search_plot(page) for page in SEARCH_PAGES],
    log:
        "results/{study}/logs/collect_search.log",
    benchmark:
        "results/{study}/benchmarks/collect_search.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        told=told_of_search,
        code=code("collect_search"),
    message:
        "Collecting all trials, study {wildcards.study}"
    script:
        "../scripts/collect_search.py"


rule best_params:
    input:
        every_trial("results/{study}/runs/{trial}/suggestion.json"),
        every_trial("results/{study}/runs/{trial}/result.json"),
    output:
        params="results/{study}/search/{study}_best_params.json",
        plain="results/{study}/search/best_hyperparameters.json",
        config="results/{study}/search/best_config.yaml",
    log:
        "results/{study}/logs/best_params.log",
    benchmark:
        "results/{study}/benchmarks/best_params.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        gpu=0,
    params:
        told=told_of_search,
        study=whole_study,
        code=code("best_params"),
    message:
        "Choosing the best trial, study {wildcards.study}"
    script:
        "../scripts/best_params.py"
