"""Validation: needs a bundle made elsewhere and a study's cohort; makes predictions and their page.

validate.bundle, results/{study}/cohort.csv, results/cache -> results/{study}/external,
results/{study}/private/in_training.csv, results/{study}/report
"""


# The page of a study that validates stands where that of a study that trains does.
ruleorder: site_page > report_pack


rule predict_site:
    input:
        bundle=files_of(bundles.given),
        cohort=current("results/{study}/cohort.csv"),
        id_map="results/{study}/private/id_map.csv",
        texts=current(studies.texts),
        key=files_of(bundles.given_key),
    output:
        predictions="results/{study}/external/predictions.csv",
        folds="results/{study}/external/fold_predictions.csv",
        maps="results/{study}/external/maps.npy",
        facts="results/{study}/external/site.json",
        same="results/{study}/private/in_training.csv",
    log:
        "results/{study}/logs/predict_site.log",
    benchmark:
        "results/{study}/benchmarks/predict_site.tsv"
    conda:
        "../../envs/bundle.yaml"
    threads: studies.threads
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=GPUS,
    params:
        cache=studies.cache_key,
        code=studies.code("predict_site"),
    message:
        "Predicting with the bundle's models, study {wildcards.study}"
    script:
        "../scripts/predict_site.py"


rule evaluate_site:
    input:
        bundle=files_of(bundles.given),
        predictions=current("results/{study}/external/predictions.csv"),
        folds="results/{study}/external/fold_predictions.csv",
        facts="results/{study}/external/site.json",
        subgroups=current(bundles.subgroups),
    output:
        "results/{study}/external/external_summary.json",
    log:
        "results/{study}/logs/evaluate_site.log",
    benchmark:
        "results/{study}/benchmarks/evaluate_site.tsv"
    conda:
        "../../envs/bundle.yaml"
    params:
        group=studies.group,
        least=studies.settings("report.subgroup_least"),
        code=studies.code("evaluate_site"),
    message:
        "Measuring the bundle's models here, study {wildcards.study}"
    script:
        "../scripts/evaluate_site.py"


rule site_page:
    input:
        summary=current("results/{study}/external/external_summary.json"),
        audit="results/{study}/audit/data_manifest.json",
    output:
        page="results/{study}/report/index.html",
        text="results/{study}/report/report.md",
    log:
        "results/{study}/logs/site_page.log",
    benchmark:
        "results/{study}/benchmarks/site_page.tsv"
    wildcard_constraints:
        study=bundles.validating(),
    conda:
        "../../envs/bundle.yaml"
    params:
        code=bundles.page_code,
    message:
        "Writing the page of the validation, study {wildcards.study}"
    script:
        "../scripts/site_page.py"
