"""Baselines: needs folds and the cache; makes the predictions of classical methods, as runs."""


ruleorder: baseline > predict_fold


rule baseline:
    input:
        params="results/{study}/runs/baseline_{baseline}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
    output:
        predictions="results/{study}/runs/baseline_{baseline}/fold_{fold}/results/val_predictions.csv",
    log:
        "results/{study}/logs/baseline_{baseline}/baseline/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/baseline_{baseline}/baseline/fold_{fold}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=0,
    params:
        cache=cache_key,
        code=baseline_code,
    message:
        "Fitting {wildcards.baseline} to fold {wildcards.fold}, study {wildcards.study}"
    script:
        "../scripts/baseline.py"
