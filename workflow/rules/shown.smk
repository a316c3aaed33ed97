"""What a report shows of a run beyond its predictions: needs kept models; makes maps, pictures, costs.

results/{study}/runs/{run}/fold_*/results/best_model.pt -> results/{study}/runs/{run}/fold_*/results/gradcam,
results/{study}/runs/{run}/{examples,cases.json,cost.json}
"""


rule gradcam_fold:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_{fold}.csv",
        model="results/{study}/runs/{run}/fold_{fold}/results/best_model.pt",
        predictions="results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv",
    output:
        films="results/{study}/runs/{run}/fold_{fold}/results/gradcam/gradcam.json",
        maps="results/{study}/runs/{run}/fold_{fold}/results/gradcam/gradcam.npz",
    log:
        "results/{study}/logs/{run}/gradcam_fold/fold_{fold}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/gradcam_fold/fold_{fold}.tsv"
    conda:
        "../../envs/gradcam.yaml"
    resources:
        mem_mb=2500,
        runtime=30,
    params:
        films=studies.settings("report.gradcam_per_class"),
        cache=studies.cache_key,
        code=studies.code("gradcam_fold"),
    message:
        "Making Grad-CAM maps of fold {wildcards.fold} of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/gradcam_fold.py"


rule examples:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
        maps=of_folds("results/{study}/runs/{run}/fold_{fold}/results/maps_val.npy"),
    output:
        pictures="results/{study}/runs/{run}/examples/examples.json",
        pixels="results/{study}/runs/{run}/examples/examples.npz",
    log:
        "results/{study}/logs/{run}/examples.log",
    benchmark:
        "results/{study}/benchmarks/{run}/examples.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        cache=studies.cache_key,
        code=studies.code("examples"),
    message:
        "Choosing images to show of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/examples.py"


rule cases:
    input:
        unpack(current(reports.case_details)),
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        predictions=of_folds("results/{study}/runs/{run}/fold_{fold}/results/val_predictions.csv"),
        maps=of_folds("results/{study}/runs/{run}/fold_{fold}/results/maps_val.npy"),
    output:
        "results/{study}/runs/{run}/cases.json",
    log:
        "results/{study}/logs/{run}/cases.log",
    benchmark:
        "results/{study}/benchmarks/{run}/cases.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        pictures=studies.settings("report.thumbnails"),
        cache=studies.cache_key,
        code=studies.code("cases"),
    message:
        "Gathering the cases of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/cases.py"


rule run_cost:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_1.csv",
        model="results/{study}/runs/{run}/fold_1/results/best_model.pt",
        texts=current(studies.texts),
    output:
        "results/{study}/runs/{run}/cost.json",
    log:
        "results/{study}/logs/{run}/run_cost.log",
    benchmark:
        "results/{study}/benchmarks/{run}/run_cost.tsv"
    conda:
        "../../envs/train.yaml"
    threads: studies.threads
    resources:
        mem_mb=3000,
        runtime=30,
        gpu=GPUS,
    params:
        cache=studies.cache_key,
        code=studies.code("run_cost"),
    message:
        "Timing the model of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/run_cost.py"
