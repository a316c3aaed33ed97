"""Article: needs the report of a study; writes text, documents, tables and checklists.

results/<study>/{audit,folds,runs,report,search} -> results/<study>/article
"""

from foldwise.article.agreement import disagreements
from foldwise.article.inputs import article_figures, article_files, studies_of


localrules:
    article,


def finished_articles(wildcards):
    """Targets of `article`; in a strict dry run a finished one must agree with the results."""
    if config["strict"] and workflow.output_settings.dryrun:
        for study in config["studies"]:
            found = disagreements(f"results/{study}/article")
            if found:
                refuse("\n".join([f"The article of {study} is stale:", *found]))
    return expand("results/{study}/article/article.pdf", study=config["studies"])


rule article:
    input:
        finished_articles,
    message:
        "The article is written"


def article_of(wildcards):
    """Studies of an article, its own first."""
    try:
        return studies_of(STUDIES[wildcards.study], STUDIES)
    except FoldwiseError as error:
        refuse(error)


def article_inputs(wildcards):
    """Input of `write_article`: all that its template may read, and figures; a template of one's own."""
    own = STUDIES[wildcards.study]["article"]
    paths = [path for one in article_of(wildcards) for path in article_files(one).values()]
    paths += [path for one in article_of(wildcards) for path in article_figures(one).values()]
    return paths + ([own["template"]] if own["template"] else []) + own["bibliography"]


def article_studies(wildcards):
    """Params of `write_article`: its studies' settings, without the archive's paths."""
    return [without_paths(one) for one in article_of(wildcards)]


rule write_article:
    input:
        article_inputs,
    output:
        text="results/{study}/article/article.md",
        page="results/{study}/article/article.html",
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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
        gpu=0,
    params:
        studies=article_studies,
        code=code("write_article"),
    message:
        "Writing the article, study {wildcards.study}"
    script:
        "../scripts/write_article.py"
