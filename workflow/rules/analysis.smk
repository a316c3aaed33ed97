"""Analysis of a search: needs all its trials; makes seven figures and four documents.

Needs results/{study}/runs/trial_*, makes results/{study}/search/analysis.
"""


localrules:
    analysis,


rule analysis:
    input:
        searched_studies("results/{study}/search/analysis/ANALYSIS_COMPLETE.md"),
    message:
        "The analysis of the search is there"


rule loss_gradients:
    input:
        every_trial("results/{study}/runs/{trial}/suggestion.json"),
        every_trial("results/{study}/runs/{trial}/result.json"),
        cohort=current("results/{study}/cohort.csv"),
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
        embeddings=embedding_files,
        texts=texts,
    output:
        "results/{study}/search/analysis/gradients.json",
    log:
        "results/{study}/logs/loss_gradients.log",
    benchmark:
        "results/{study}/benchmarks/loss_gradients.tsv"
    conda:
        "../../envs/train.yaml"
    threads: training_threads
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=GPUS,
    params:
        told=told_of_search,
        cache=cache_key,
        code=code("loss_gradients"),
    message:
        "Measuring what the losses of the search weigh, study {wildcards.study}"
    script:
        "../scripts/loss_gradients.py"


rule search_analysis:
    input:
        every_trial("results/{study}/runs/{trial}/suggestion.json"),
        every_trial("results/{study}/runs/{trial}/result.json"),
        gradients="results/{study}/search/analysis/gradients.json",
    output:
        figures=expand("results/{{study}}/search/analysis/{figure}.png", figure=ANALYSIS_FIGURES),
        documents=expand("results/{{study}}/search/analysis/{name}.md", name=ANALYSIS_DOCUMENTS),
    log:
        "results/{study}/logs/search_analysis.log",
    benchmark:
        "results/{study}/benchmarks/search_analysis.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=0,
    params:
        told=told_of_search,
        code=code("search_analysis"),
    message:
        "Analysing the search, study {wildcards.study}"
    script:
        "../scripts/search_analysis.py"
