"""Can the answers be relied on: needs the validation predictions of a run, and no model.

results/{study}/runs/{run}/fold_*/results/{val_predictions.csv,maps_val.npy}
-> results/{study}/runs/{run}/{calibration,conformal,suspects}.json, calibrated_predictions.csv,
suspects.csv,
results/{study}/private/suspects_{run}.csv
"""


rule calibrate:
    input:
        params="results/{study}/runs/{run}/params.json",
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
    output:
        summary="results/{study}/runs/{run}/calibration.json",
        table="results/{study}/runs/{run}/calibrated_predictions.csv",
    log:
        "results/{study}/logs/{run}/calibrate.log",
    benchmark:
        "results/{study}/benchmarks/{run}/calibrate.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        method=studies.settings("report.calibration"),
        group=studies.group,
        code=studies.code("calibrate"),
    message:
        "Mending the calibration of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/calibrate.py"


rule conformal:
    input:
        params="results/{study}/runs/{run}/params.json",
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
    output:
        "results/{study}/runs/{run}/conformal.json",
    log:
        "results/{study}/logs/{run}/conformal.log",
    benchmark:
        "results/{study}/benchmarks/{run}/conformal.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        error=studies.settings("report.error"),
        group=studies.group,
        code=studies.code("conformal"),
    message:
        "Making conformal sets of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/conformal.py"


rule label_suspects:
    input:
        params="results/{study}/runs/{run}/params.json",
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
        maps=of_folds("results/{study}/runs/{run}/fold_{fold}/results/maps_val.npy"),
    output:
        summary="results/{study}/runs/{run}/suspects.json",
        listed="results/{study}/runs/{run}/suspects.csv",
    log:
        "results/{study}/logs/{run}/label_suspects.log",
    benchmark:
        "results/{study}/benchmarks/{run}/label_suspects.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        code=studies.code("label_suspects"),
    message:
        "Looking for wrong labels by run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/label_suspects.py"


rule name_suspects:
    input:
        listed=current("results/{study}/runs/{run}/suspects.csv"),
        id_map="results/{study}/private/id_map.csv",
    output:
        "results/{study}/private/suspects_{run}.csv",
    log:
        "results/{study}/logs/{run}/name_suspects.log",
    benchmark:
        "results/{study}/benchmarks/{run}/name_suspects.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=studies.code("name_suspects"),
    message:
        "Listing suspect labels of run {wildcards.run} by file, study {wildcards.study}"
    script:
        "../scripts/name_suspects.py"
