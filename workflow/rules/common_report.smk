"""Helpers of the report's rules: what a figure and the pack read."""

from foldwise.hashing import digest
from foldwise.report import catalogue, command, page, templates
from foldwise.report.files import paths_of


def remember_command():
    """Keep what was typed for the run record, when a run starts; a job of it has typed nothing."""
    if workflow.is_main_process:
        names = [rule.name for rule in workflow.rules]
        command.remember(sys.argv[1:], config["studies"], names, config["set"])


def reported(wildcards):
    """Settings of the study and the numbers of its folds."""
    return STUDIES[wildcards.study], fold_numbers(wildcards)


def through_cohort(files, wildcards):
    """Kind of file -> paths, each asked for through the cohort's checkpoint."""
    return {kind: [current(path)(wildcards) for path in paths] for kind, paths in files.items()}


def figure_files(wildcards):
    """Input of `figure`: what the figure reads, by kind of file."""
    try:
        files = catalogue.figure_inputs(wildcards.figure, *reported(wildcards))
    except FoldwiseError as error:
        refuse(error)
    return through_cohort(files, wildcards)


def pack_files(wildcards):
    """Input of `report_pack`: the files that its sections, its record and its assets read."""
    study, folds = reported(wildcards)
    kinds = [*page.kinds_read(study), "cohort", "histories", *catalogue.asset_files(study)]
    return through_cohort(paths_of(dict.fromkeys(kinds), study, folds), wildcards)


def drawn_maps(wildcards):
    """Input of `cases`: Grad-CAM of the reported run, where the page has such maps and pictures."""
    study, folds = reported(wildcards)
    shown = study["report"]["thumbnails"] != "none" and wildcards.run == study["report"]["run"]
    names = ["gradcam"] if shown and "gradcam" in catalogue.figures_of_study(study) else []
    return through_cohort(paths_of(names, study, folds), wildcards)


def compared_with(wildcards):
    """Runs that the reported one is compared with: those named, and classical methods."""
    study = STUDIES[wildcards.study]
    return study["report"]["compare"] + state.baseline_runs(study)


def reported_params(wildcards):
    """Input of `compare_reported`: settings of the reported run."""
    return f"results/{wildcards.study}/runs/{STUDIES[wildcards.study]['report']['run']}/params.json"


def reported_files(wildcards):
    """Input of `compare_reported`: predictions and metrics of all folds of the compared runs."""
    paths = expand(
        "results/{study}/runs/{run}/fold_{fold}/results/{name}",
        study=wildcards.study,
        run=[STUDIES[wildcards.study]["report"]["run"], *compared_with(wildcards)],
        fold=fold_numbers(wildcards),
        name=["val_predictions.csv", "metrics/val_metrics.json"],
    )
    return [current(path)(wildcards) for path in paths]


def reported_run(wildcards):
    """Level of Snakemake's own report, below the study: the reported run."""
    return f"run {STUDIES[wildcards.study]['report']['run']}"


def figure_title(wildcards):
    """Label of a figure in Snakemake's own report: its title, as on the page."""
    return {"title": catalogue.FIGURES[wildcards.figure].title}


def pack_figures(wildcards):
    """Input of `report_pack`: its figures, in their order."""
    study = STUDIES[wildcards.study]
    names = catalogue.figures_of_study(study)
    return expand("results/{study}/report/figures/{figure}.png", study=study["name"], figure=names)


def figure_code(wildcards):
    """Params of `figure`: a digest of the code of this one figure."""
    return code_of("figure", words(STUDIES[wildcards.study]) | {wildcards.figure})


def pack_code(wildcards):
    """Params of `report_pack`: a digest of its code, its templates and the figures of its assets."""
    names = words(STUDIES[wildcards.study]) | set(catalogue.ASSETS.values())
    return digest([code_of("report_pack", names), templates.digests()])


def study_settings(wildcards):
    """Params of `report_pack`: all settings, since the report names them."""
    return without_paths(STUDIES[wildcards.study])
