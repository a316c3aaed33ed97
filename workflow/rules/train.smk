"""Training: needs the settings of a run, folds and the cache; makes the model of each fold.

results/{study}/{cohort.csv,folds}, results/cache -> results/{study}/runs/{run}/{params.json,fold_*},
results/{study}/embeddings
"""

# Trials have rules of their own: without this each of theirs would be planned here as well.
OF_NO_TRIAL = r"(?!trial_\d\d\d\d+/)[a-z][a-z0-9_]*"


rule run_params:
    output:
        "results/{study}/runs/{run}/params.json",
    log:
        "results/{study}/logs/{run}/run_params.log",
    benchmark:
        "results/{study}/benchmarks/{run}/run_params.tsv"
    wildcard_constraints:
        run=OF_NO_TRIAL,
    conda:
        "../../envs/data.yaml"
    params:
        settings=studies.run_settings,
    message:
        "Writing the settings of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/run_params.py"


rule embeddings:
    input:
        cohort=current("results/{study}/cohort.csv"),
    output:
        features="results/{study}/embeddings/features.npy",
        metadata="results/{study}/embeddings/metadata.csv",
    log:
        "results/{study}/logs/embeddings.log",
    benchmark:
        "results/{study}/benchmarks/embeddings.tsv"
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=4000,
        runtime=240,
        gpu=GPUS,
    params:
        settings=studies.settings("model", "image"),
        cache=studies.cache_key,
        code=studies.code("embeddings"),
    message:
        "Computing embeddings, study {wildcards.study}"
    script:
        "../scripts/embeddings.py"


rule train_fold:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        embeddings=files_of(studies.embeddings),
        texts=current(studies.texts),
        taught=files_of(studies.taught),
    output:
        model="results/{study}/runs/{run}/fold_{fold}/results/best_model.pt",
        history="results/{study}/runs/{run}/fold_{fold}/results/train_history.json",
        ray="results/{study}/runs/{run}/fold_{fold}/results/ray_{run}.jsonl",
    log:
        "results/{study}/logs/{run}/train_fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/train_fold/fold_{fold}.tsv"
    wildcard_constraints:
        run=OF_NO_TRIAL,
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=4000,
        runtime=480,
        gpu=GPUS,
    params:
        cache=studies.cache_key,
        code=studies.code("train_fold"),
    message:
        "Training fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/train_fold.py"
