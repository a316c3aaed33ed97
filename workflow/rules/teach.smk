"""Teachers: needs the model of a run's fold, or its settings; makes what a student learns from.

results/{study}/runs/{run}/fold_*/results/best_model.pt, results/{study}/folds
-> results/{study}/runs/{run}/fold_*/results/{taught,taught_crossed}.npz
"""


rule teach_fold:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        model="results/{study}/runs/{run}/fold_{fold}/results/best_model.pt",
        texts=current(studies.texts),
    output:
        "results/{study}/runs/{run}/fold_{fold}/results/taught.npz",
    log:
        "results/{study}/logs/{run}/teach_fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/teach_fold/fold_{fold}.tsv"
    retries: 1
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=GPUS,
    params:
        cache=studies.cache_key,
        code=studies.code("teach_fold"),
    message:
        "Asking the teacher of fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/teach_fold.py"


rule teach_crossed:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        texts=current(studies.texts),
    output:
        "results/{study}/runs/{run}/fold_{fold}/results/taught_crossed.npz",
    log:
        "results/{study}/logs/{run}/teach_crossed/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/teach_crossed/fold_{fold}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=4000,
        runtime=960,
        gpu=GPUS,
    params:
        cache=studies.cache_key,
        code=studies.code("teach_crossed"),
    message:
        "Training two teachers on halves of fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/teach_crossed.py"
