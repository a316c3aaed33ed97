"""Analysis of a search: needs all its trials; makes seven figures and four documents.

Needs results/{study}/runs/trial_*, makes results/{study}/search/analysis.
"""

from foldwise.report.files import ANALYSIS_DOCUMENTS, ANALYSIS_FIGURES


localrules:
    analysis,


rule analysis:
    input:
        files_of(searches.targets("analysis")),
    message:
        "The analysis of the search is there"


rule loss_gradients:
    input:
        of_trials("results/{study}/runs/{trial}/suggestion.json"),
        of_trials("results/{study}/runs/{trial}/result.json"),
        cohort=current("results/{study}/cohort.csv"),
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
        embeddings=files_of(studies.embeddings),
        texts=current(studies.texts),
    output:
        "results/{study}/search/analysis/gradients.json",
    log:
        "results/{study}/logs/loss_gradients.log",
    benchmark:
        "results/{study}/benchmarks/loss_gradients.tsv"
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=GPUS,
    params:
        search=searches.all_params,
        cache=studies.cache_key,
        code=studies.code("loss_gradients", of_trials=True),
    message:
        "Measuring what the losses of the search weigh, study {wildcards.study}"
    script:
        "../scripts/loss_gradients.py"


rule search_analysis:
    input:
        of_trials("results/{study}/runs/{trial}/suggestion.json"),
        of_trials("results/{study}/runs/{trial}/result.json"),
        of_trials("results/{study}/runs/{trial}/fold_{fold}/results/train_history.json"),
        gradients="results/{study}/search/analysis/gradients.json",
    output:
        figures=[
            in_report(f"results/{{study}}/search/analysis/{name}.png", title, "search")
            for name, title in ANALYSIS_FIGURES.items()
        ],
        documents=expand("results/{{study}}/search/analysis/{name}.md", name=ANALYSIS_DOCUMENTS),
    log:
        "results/{study}/logs/search_analysis.log",
    benchmark:
        "results/{study}/benchmarks/search_analysis.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        search=searches.all_params,
        code=studies.code("search_analysis"),
    message:
        "Analysing the search, study {wildcards.study}"
    script:
        "../scripts/search_analysis.py"
