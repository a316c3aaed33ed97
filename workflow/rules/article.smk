"""Article: needs the report of a study; writes text, documents, tables and checklists.

results/<study>/{audit,folds,runs,report,search} -> results/<study>/article
"""


localrules:
    article,


rule article:
    input:
        finished_articles,
    message:
        "The article is written"


rule compare_studies:
    input:
        current(reports.studies_compared),
    output:
        "results/{study}/article/across.json",
    log:
        "results/{study}/logs/compare_studies.log",
    benchmark:
        "results/{study}/benchmarks/compare_studies.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=30,
    params:
        reported=reports.reported_runs,
        group=studies.group,
        code=studies.code("compare_studies"),
    message:
        "Comparing the studies of the article, study {wildcards.study}"
    script:
        "../scripts/compare_studies.py"


rule write_article:
    input:
        current(reports.article_files),
    output:
        text="results/{study}/article/article.md",
        page=in_report("results/{study}/article/article.html", "The article", "article"),
        pdf="results/{study}/article/article.pdf",
        docx="results/{study}/article/article.docx",
        card="results/{study}/article/model_card.md",
        ledger="results/{study}/article/ledger.json",
        tables=directory("results/{study}/article/tables"),
        checklists=directory("results/{study}/article/checklists"),
        figures=directory("results/{study}/article/figures"),
    log:
        "results/{study}/logs/write_article.log",
    benchmark:
        "results/{study}/benchmarks/write_article.tsv"
    conda:
        "../../envs/report.yaml"
    resources:
        runtime=20,
    params:
        studies=reports.article_studies,
        code=reports.article_code,
    message:
        "Writing the article, study {wildcards.study}"
    script:
        "../scripts/write_article.py"
