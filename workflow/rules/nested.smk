"""Nested: needs folds; searches inside each outer fold and judges its best on the outer part.

results/{study}/{cohort.csv,folds} -> results/{study}.outer_*, results/{study}/runs/nested_*,
results/{study}/search/nested_summary.json

An outer fold is a study: `<study>.outer_<o>` has the patients of the outer training part alone.
"""


localrules:
    nested,
    outer_cohort,
    nested_params,


ruleorder: outer_cohort > audit
ruleorder: nested_params > run_params


rule nested:
    input:
        files_of(searches.targets("nested")),
    message:
        "Nested cross-validation is finished"


rule outer_cohort:
    input:
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{outer}.csv",
    output:
        "results/{study}.outer_{outer}/cohort.csv",
    log:
        "results/{study}.outer_{outer}/logs/outer_cohort.log",
    benchmark:
        "results/{study}.outer_{outer}/benchmarks/outer_cohort.tsv"
    wildcard_constraints:
        study=r"[a-z][a-z0-9_]*",
    conda:
        "../../envs/data.yaml"
    params:
        code=studies.code("outer_cohort"),
    message:
        "Taking the training part of outer fold {wildcards.outer}, study {wildcards.study}"
    script:
        "../scripts/outer_cohort.py"


rule nested_params:
    input:
        current("results/{study}.outer_{outer}/search/{study}.outer_{outer}_best_params.json"),
    output:
        "results/{study}/runs/nested_{outer}/params.json",
    log:
        "results/{study}/logs/nested_{outer}/nested_params.log",
    benchmark:
        "results/{study}/benchmarks/nested_{outer}/nested_params.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        base=searches.base,
        code=studies.code("nested_params"),
    message:
        "Writing the settings of outer fold {wildcards.outer}, study {wildcards.study}"
    script:
        "../scripts/nested_params.py"


rule nested_summary:
    input:
        choices=files_of(searches.outer_choices),
        params="results/{study}/runs/nested_1/params.json",
        metrics=current(searches.over_outer_folds("metrics/val_metrics.json")),
        predictions=current(searches.over_outer_folds("val_predictions.csv")),
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
        histories=current(searches.over_outer_folds("train_history.json")),
    output:
        "results/{study}/search/nested_summary.json",
    log:
        "results/{study}/logs/nested_summary.log",
    benchmark:
        "results/{study}/benchmarks/nested_summary.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=15,
    params:
        numbers=studies.folds,
        objective=searches.objective,
        group=studies.group,
        code=studies.code("nested_summary"),
    message:
        "Summing up the outer folds, study {wildcards.study}"
    script:
        "../scripts/nested_summary.py"
