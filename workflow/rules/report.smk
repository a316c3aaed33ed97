"""Report: needs the summary of a run; makes figures and the page that shows them.

results/{study}/{audit,folds,runs,search} -> results/{study}/report
"""


rule figure:
    input:
        unpack(current(reports.figure_files)),
    output:
        report(
            "results/{study}/report/figures/{figure}.png",
            caption="../report/figure.rst",
            category="{study}",
            subcategory=reports.run,
            labels=reports.figure_title,
        ),
    log:
        "results/{study}/logs/figure/{figure}.log",
    benchmark:
        "results/{study}/benchmarks/figure/{figure}.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        code=reports.figure_code,
    message:
        "Drawing figure {wildcards.figure}, study {wildcards.study}"
    script:
        "../scripts/figure.py"


rule report_pack:
    input:
        unpack(current(reports.page_files)),
        figures=reports.figures,
    output:
        page=report(
            "results/{study}/report/index.html",
            caption="../report/page.rst",
            category="{study}",
            subcategory=reports.run,
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
    params:
        study=reports.shown,
        folds=studies.folds,
        code=reports.page_code,
    message:
        "Writing the report, study {wildcards.study}"
    script:
        "../scripts/report_pack.py"


rule compare_reported:
    input:
        params=reports.compared_params,
        runs=current(reports.compared_files),
        folds=of_folds("results/{study}/folds/fold_{fold}.csv"),
    output:
        "results/{study}/report/comparisons.json",
    log:
        "results/{study}/logs/compare_reported.log",
    benchmark:
        "results/{study}/benchmarks/compare_reported.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=30,
    params:
        others=reports.compared_with,
        numbers=studies.folds,
        group=studies.group,
        code=studies.code("compare_reported"),
    message:
        "Comparing runs on the same folds, study {wildcards.study}"
    script:
        "../scripts/compare_reported.py"
