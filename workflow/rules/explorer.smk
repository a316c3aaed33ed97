"""What the page's controls look up: needs a run's predictions and embeddings; makes points.

results/{study}/runs/{run}/fold_*/results/{val_predictions.csv,embeddings_val.npy} ->
results/{study}/runs/{run}/{operating_points,projections}.json
"""


rule operating_points:
    input:
        params="results/{study}/runs/{run}/params.json",
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
    output:
        "results/{study}/runs/{run}/operating_points.json",
    log:
        "results/{study}/logs/{run}/operating_points.log",
    benchmark:
        "results/{study}/benchmarks/{run}/operating_points.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=30,
    params:
        code=studies.code("operating_points"),
    message:
        "Each class at each threshold, run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/operating_points.py"


rule projections:
    input:
        params="results/{study}/runs/{run}/params.json",
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
        embeddings=of_folds("results/{study}/runs/{run}/fold_{fold}/results/embeddings_val.npy"),
    output:
        "results/{study}/runs/{run}/projections.json",
    log:
        "results/{study}/logs/{run}/projections.log",
    benchmark:
        "results/{study}/benchmarks/{run}/projections.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=30,
    params:
        code=studies.code("projections"),
    message:
        "Embeddings in two dimensions, run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/projections.py"
