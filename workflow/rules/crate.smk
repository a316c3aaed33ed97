"""Crate: needs the report and the article of a study; packs it with the workflow as one file.

results/{study}/{audit,folds,runs,report,article} -> results/{study}/crate/{study}.zip
"""


localrules:
    crate,


rule crate:
    input:
        expand("results/{study}/crate/{study}.zip", study=config["studies"]),
    message:
        "The crate is there"


rule write_crate:
    input:
        page=current("results/{study}/report/index.html"),
        record="results/{study}/report/record.json",
        article="results/{study}/article/article.md",
        manifest="results/{study}/audit/data_manifest.json",
    output:
        "results/{study}/crate/{study}.zip",
    log:
        "results/{study}/logs/write_crate.log",
    benchmark:
        "results/{study}/benchmarks/write_crate.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=20,
    params:
        study=studies.shown,
        root=workflow.basedir,
        code=studies.code("write_crate"),
    message:
        "Packing study {wildcards.study} as a crate"
    script:
        "../scripts/write_crate.py"
