"""Tuned: needs best parameters; trains with them and compares with the baseline.

results/{study}/search/{study}_best_params.json, or --config hyperparams=FILE ->
results/{study}/runs/tuned*, results/{study}/search/comparison.*
"""


localrules:
    tuned,
    tuned_params,


ruleorder: tuned_params > run_params


rule tuned:
    input:
        files_of(searches.targets("tuned")),
    message:
        "The tuned run is finished"


rule tuned_params:
    input:
        current(searches.chosen),
    output:
        "results/{study}/runs/tuned{seed}/params.json",
    log:
        "results/{study}/logs/tuned{seed}/tuned_params.log",
    benchmark:
        "results/{study}/benchmarks/tuned{seed}/tuned_params.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        base=searches.base,
        code=studies.code("tuned_params"),
    message:
        "Writing the settings of run tuned{wildcards.seed}, study {wildcards.study}"
    script:
        "../scripts/tuned_params.py"


rule compare_runs:
    input:
        summary=current(searches.summaries),
        params="results/{study}/runs/tuned/params.json",
        runs=files_of(searches.compared_files),
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
    output:
        json="results/{study}/search/comparison.json",
        text="results/{study}/search/comparison.md",
    log:
        "results/{study}/logs/compare_runs.log",
    benchmark:
        "results/{study}/benchmarks/compare_runs.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=30,
    params:
        pairs=searches.compared_runs,
        folds="results/{study}/folds",
        numbers=studies.folds,
        objective=searches.objective,
        group=studies.group,
        code=studies.code("compare_runs"),
    message:
        "Comparing the tuned run with the baseline, study {wildcards.study}"
    script:
        "../scripts/compare_runs.py"
