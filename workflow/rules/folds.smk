"""Folds: needs the analysed cohort; makes one file a fold, after an audit for leaks.

results/{study}/cohort.csv -> results/{study}/folds
"""


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
    params:
        settings=studies.settings("folds", "seed"),
        group=studies.group,
        code=studies.code("folds"),
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
    params:
        code=studies.code("fold"),
    message:
        "Writing fold {wildcards.fold}, study {wildcards.study}"
    script:
        "../scripts/fold.py"
