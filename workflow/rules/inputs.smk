"""What some jobs wait for, where that hangs on files or settings. One function each.

Needs the helpers of common.smk; makes nothing.
"""

from foldwise.article.agreement import disagreements


def shards(wildcards):
    """Cache shards of a study, known once its cohort is listed."""
    settle(wildcards)
    images = checkpoints.cohort.get(study=wildcards.study).output.images
    return state.shard_files(studies.of(wildcards), images)


def trials_before(wildcards):
    """Input of `suggest_trial`; of the first the folds, on which its parameters do not depend."""
    files = current(searches.before)(wildcards)
    return files if int(wildcards.number) else ancient(files)


def kept_trials(wildcards):
    """Targets of `search`: the best trials as full runs, known once all trials are ranked."""
    files = []
    for name in searches.keeping():
        table = checkpoints.collect_search.get(study=name).output.table
        files += searches.kept_files(name, table)
    return files


def in_report(path, title, part):
    """Output that stands in Snakemake's own report under its title, in a part of the study."""
    return report(
        path,
        caption=f"../report/{part}.rst",
        category="{study}",
        subcategory=part,
        labels={"title": title},
    )


def finished_articles(wildcards):
    """Targets of `article`; in a strict dry run a finished one must agree with the results."""
    if config["strict"] and workflow.output_settings.dryrun:
        for study in config["studies"]:
            differing = disagreements(f"results/{study}/article")
            if differing:
                refuse("\n".join([f"The article of {study} is stale:", *differing]))
    return expand("results/{study}/article/article.pdf", study=studies.training)
