"""Tuned: needs a search; trains with its best parameters and compares with the baseline."""


localrules:
    tuned,
    tuned_params,


ruleorder: tuned_params > run_params


rule tuned:
    input:
        searched_studies("results/{study}/search/comparison.md"),
        searched_studies("results/{study}/search/study_summary.json"),
        tuned_holdouts,
    message:
        "The tuned run is finished"


rule tuned_params:
    input:
        current("results/{study}/search/{study}_best_params.json"),
    output:
        "results/{study}/runs/tuned{seed}/params.json",
    log:
        "results/{study}/logs/tuned{seed}/tuned_params.log",
    benchmark:
        "results/{study}/benchmarks/tuned{seed}/tuned_params.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
        gpu=0,
    params:
        base=trial_settings,
        code=code("tuned_params"),
    message:
        "Writing the settings of run tuned{wildcards.seed}, study {wildcards.study}"
    script:
        "../scripts/tuned_params.py"


rule compare_runs:
    input:
        summary=current("results/{study}/search/study_summary.json"),
        params="results/{study}/runs/tuned/params.json",
        runs=compared_files,
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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
        gpu=0,
    params:
        pairs=compared_runs,
        folds="results/{study}/folds",
        numbers=fold_numbers,
        objective=objective_of_search,
        group=grouped_by,
        code=code("compare_runs"),
    message:
        "Comparing the tuned run with the baseline, study {wildcards.study}"
    script:
        "../scripts/compare_runs.py"
