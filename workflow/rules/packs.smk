"""Packs: needs what any run or trial needs; makes a report of that one run.

results/{study}/{audit,folds,runs/{run}} -> results/{study}/packs/{run}

`snakemake pack --config run=trial_0007`: a trial's other folds are trained and judged for it.
"""


localrules:
    pack,


rule pack:
    input:
        files_of(reports.packs(config["run"])),
    message:
        "The report of the run is there"


use rule figure as pack_figure with:
    output:
        report(
            "results/{study}/packs/{run}/figures/{figure}.png",
            caption="../report/figure.rst",
            category="{study}",
            subcategory=reports.run,
            labels=reports.figure_title,
        ),
    log:
        "results/{study}/logs/{run}/pack_figure/{figure}.log",
    benchmark:
        "results/{study}/benchmarks/{run}/pack_figure/{figure}.tsv"
    message:
        "Drawing figure {wildcards.figure} of run {wildcards.run}, study {wildcards.study}"


use rule report_pack as pack_page with:
    output:
        page=report(
            "results/{study}/packs/{run}/index.html",
            caption="../report/page.rst",
            category="{study}",
            subcategory=reports.run,
            labels={"title": "The report of this run"},
        ),
        text="results/{study}/packs/{run}/report.md",
        ledger="results/{study}/packs/{run}/ledger.json",
        record="results/{study}/packs/{run}/record.json",
        assets=directory("results/{study}/packs/{run}/assets"),
    log:
        "results/{study}/logs/{run}/pack_page.log",
    benchmark:
        "results/{study}/benchmarks/{run}/pack_page.tsv"
    message:
        "Writing the report of run {wildcards.run}, study {wildcards.study}"
