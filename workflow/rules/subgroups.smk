"""Subgroups: needs the table's named columns and a run's predictions; judges the run in parts.

data.table, results/{study}/runs/{run}/fold_*/results/val_predictions.csv
-> results/{study}/{subgroups.csv,subgroups.json,private/subgroup_values.csv},
results/{study}/runs/{run}/subgroups.json
"""


rule subgroup_values:
    input:
        cohort=current("results/{study}/cohort.csv"),
        id_map="results/{study}/private/id_map.csv",
    output:
        values="results/{study}/subgroups.csv",
        columns="results/{study}/subgroups.json",
        private="results/{study}/private/subgroup_values.csv",
    log:
        "results/{study}/logs/subgroup_values.log",
    benchmark:
        "results/{study}/benchmarks/subgroup_values.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        data=studies.settings("data"),
        table=studies.table,
        code=studies.code("subgroup_values"),
    message:
        "Reading the columns of subgroups, study {wildcards.study}"
    script:
        "../scripts/subgroup_values.py"


rule subgroups:
    input:
        params="results/{study}/runs/{run}/params.json",
        values="results/{study}/subgroups.csv",
        columns="results/{study}/subgroups.json",
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
    output:
        "results/{study}/runs/{run}/subgroups.json",
    log:
        "results/{study}/logs/{run}/subgroups.log",
    benchmark:
        "results/{study}/benchmarks/{run}/subgroups.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        report=studies.settings("report.subgroup_least", "report.error"),
        group=studies.group,
        code=studies.code("subgroups"),
    message:
        "Judging subgroups of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/subgroups.py"
