"""Folds: needs the analysed cohort; makes one file a fold, after an audit for leaks."""


rule folds:
    input:
        cohort=current("results/{study}/cohort.csv"),
    output:
        folds="results/{study}/folds/folds.csv",
        balance="results/{study}/folds/balance.json",
    log:
        "results/{study}/logs/folds.log",
    benchmark:
        "results/{study}/benchmarks/folds.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
        gpu=0,
    params:
        settings=branch("folds", "seed"),
        group=grouped_by,
        code=code("folds"),
    message:
        "Dealing groups into folds, study {wildcards.study}"
    script:
        "../scripts/folds.py"


rule fold:
    input:
        folds=current("results/{study}/folds/folds.csv"),
    output:
        "results/{study}/folds/fold_{fold}.csv",
    log:
        "results/{study}/logs/fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/fold/fold_{fold}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
        gpu=0,
    params:
        code=code("fold"),
    message:
        "Writing fold {wildcards.fold}, study {wildcards.study}"
    script:
        "../scripts/fold.py"
