"""Report: needs the summary of a run; makes figures and the page that shows them."""


include: "common_report.smk"


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
    threads: 1
    resources:
        mem_mb=2500,
        runtime=30,
        gpu=0,
    params:
        films=branch("report.gradcam_per_class"),
        cache=cache_key,
        code=code("gradcam_fold"),
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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        cache=cache_key,
        code=code("examples"),
    message:
        "Choosing images to show of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/examples.py"


rule cases:
    input:
        unpack(drawn_maps),
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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        pictures=branch("report.thumbnails"),
        cache=cache_key,
        code=code("cases"),
    message:
        "Gathering the cases of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/cases.py"


rule figure:
    input:
        unpack(figure_files),
    output:
        report(
            "results/{study}/report/figures/{figure}.png",
            caption="../report/figure.rst",
            category="{study}",
            subcategory=reported_run,
            labels=figure_title,
        ),
    log:
        "results/{study}/logs/figure/{figure}.log",
    benchmark:
        "results/{study}/benchmarks/figure/{figure}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=700,
        runtime=10,
        gpu=0,
    params:
        code=figure_code,
    message:
        "Drawing figure {wildcards.figure}, study {wildcards.study}"
    script:
        "../scripts/figure.py"


rule report_pack:
    input:
        unpack(pack_files),
        figures=pack_figures,
    output:
        page=report(
            "results/{study}/report/index.html",
            caption="../report/page.rst",
            category="{study}",
            subcategory=reported_run,
            labels={"title": "The whole report"},
        ),
        text="results/{study}/report/report.md",
        ledger="results/{study}/report/ledger.json",
        record="results/{study}/report/record.json",
        assets=directory("results/{study}/report/assets"),
    log:
        "results/{study}/logs/report_pack.log",
    benchmark:
        "results/{study}/benchmarks/report_pack.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        study=study_settings,
        folds=fold_numbers,
        code=pack_code,
    message:
        "Writing the report, study {wildcards.study}"
    script:
        "../scripts/report_pack.py"


rule compare_reported:
    input:
        params=reported_params,
        runs=reported_files,
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
    output:
        "results/{study}/report/comparisons.json",
    log:
        "results/{study}/logs/compare_reported.log",
    benchmark:
        "results/{study}/benchmarks/compare_reported.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
        gpu=0,
    params:
        others=compared_with,
        numbers=fold_numbers,
        group=grouped_by,
        code=code("compare_reported"),
    message:
        "Comparing runs on the same folds, study {wildcards.study}"
    script:
        "../scripts/compare_reported.py"


rule run_cost:
    input:
        params="results/{study}/runs/{run}/params.json",
        cohort=current("results/{study}/cohort.csv"),
        fold="results/{study}/folds/fold_1.csv",
        model="results/{study}/runs/{run}/fold_1/results/best_model.pt",
        texts=texts,
    output:
        "results/{study}/runs/{run}/cost.json",
    log:
        "results/{study}/logs/{run}/run_cost.log",
    benchmark:
        "results/{study}/benchmarks/{run}/run_cost.tsv"
    conda:
        "../../envs/train.yaml"
    threads: training_threads
    resources:
        mem_mb=3000,
        runtime=30,
        gpu=GPUS,
    params:
        cache=cache_key,
        code=code("run_cost"),
    message:
        "Timing the model of run {wildcards.run}, study {wildcards.study}"
    script:
        "../scripts/run_cost.py"
