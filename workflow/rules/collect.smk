"""What a search came to: needs all its trials; makes their database, tables, plots and the best.

results/{study}/runs/trial_* -> results/{study}/search
"""

from foldwise.search.settings import OTHER_NAMES, SEARCH_PAGES


localrules:
    best_params,
    best_config,


checkpoint collect_search:
    input:
        of_trials("results/{study}/runs/{trial}/suggestion.json"),
        of_trials("results/{study}/runs/{trial}/result.json"),
        of_trials("results/{study}/runs/{trial}/fold_{fold}/results/train_history.json"),
    output:
        database="results/{study}/search/study.db",
        summary="results/{study}/search/study_summary.json",
        table="results/{study}/search/search_results_final.csv",
        history="results/{study}/search/history_trials.csv",
        short="results/{study}/search/in_short.txt",
        histories=directory("results/{study}/search/histories"),
        plots=[
            in_report(f"results/{{study}}/search/plots/{page}.html", title, "search")
            for page, title in SEARCH_PAGES.items()
        ],
        others=expand("results/{{study}}/search/plots/{page}.html", page=OTHER_NAMES),
    log:
        "results/{study}/logs/collect_search.log",
    benchmark:
        "results/{study}/benchmarks/collect_search.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        search=searches.all_params,
        code=studies.code("collect_search"),
    message:
        "Collecting all trials, study {wildcards.study}"
    script:
        "../scripts/collect_search.py"


rule best_params:
    input:
        of_trials("results/{study}/runs/{trial}/suggestion.json"),
        of_trials("results/{study}/runs/{trial}/result.json"),
    output:
        params="results/{study}/search/{study}_best_params.json",
        plain="results/{study}/search/best_hyperparameters.json",
    log:
        "results/{study}/logs/best_params.log",
    benchmark:
        "results/{study}/benchmarks/best_params.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        search=searches.choice,
        code=studies.code("best_params"),
    message:
        "Choosing the best trial, study {wildcards.study}"
    script:
        "../scripts/best_params.py"


rule best_config:
    input:
        current("results/{study}/search/{study}_best_params.json"),
    output:
        shown="results/{study}/search/best_config.yaml",
        private="results/{study}/private/best_config.yaml",
    log:
        "results/{study}/logs/best_config.log",
    benchmark:
        "results/{study}/benchmarks/best_config.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        study=studies.shown,
        code=studies.code("best_config"),
    message:
        "Writing the study with the best parameters, study {wildcards.study}"
    script:
        "../scripts/best_config.py"
