"""Baselines: needs folds and the cache; makes the predictions of classical methods, as runs.

results/{study}/folds, results/cache -> results/{study}/runs/baseline_*/fold_*/results/val_predictions.csv,
results/{study}/runs/baseline_*/holdout/results/{val,fold}_predictions.csv
"""


ruleorder: baseline > predict_fold


rule baseline:
    input:
        params="results/{study}/runs/baseline_{baseline}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        texts=current(studies.texts),
    output:
        predictions="results/{study}/runs/baseline_{baseline}/fold_{fold}/results/val_predictions.csv",
    log:
        "results/{study}/logs/baseline_{baseline}/baseline/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/baseline_{baseline}/baseline/fold_{fold}.tsv"
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        cache=studies.cache_key,
        code=studies.baseline_code("baseline"),
    message:
        "Fitting {wildcards.baseline} to fold {wildcards.fold}, study {wildcards.study}"
    script:
        "../scripts/baseline.py"


rule baseline_holdout:
    input:
        params="results/{study}/runs/baseline_{baseline}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_1.csv",
        texts=current(studies.texts),
    output:
        predictions="results/{study}/runs/baseline_{baseline}/holdout/results/val_predictions.csv",
        folds="results/{study}/runs/baseline_{baseline}/holdout/results/fold_predictions.csv",
    log:
        "results/{study}/logs/baseline_{baseline}/baseline_holdout.log",
    benchmark:
        "results/{study}/benchmarks/baseline_{baseline}/baseline_holdout.tsv"
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        cache=studies.cache_key,
        code=studies.baseline_code("baseline_holdout"),
    message:
        "Fitting {wildcards.baseline} to all folds for the holdout, study {wildcards.study}"
    script:
        "../scripts/baseline_holdout.py"
