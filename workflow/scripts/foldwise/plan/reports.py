"""What the rules of reports and articles read. Methods that take `wildcards` are used in the rule
files as they are. Standard library, PyYAML and jsonschema only.
"""

from typing import Any

from foldwise.article.inputs import article_figures, article_files, studies_of
from foldwise.hashing import digest
from foldwise.plan import state
from foldwise.plan.fingerprint import code_of, words
from foldwise.plan.studies import Studies, Wildcards
from foldwise.report import catalogue, page, templates
from foldwise.report.files import paths_of
from foldwise.settings.paths import without_paths


class Reports:
    """The reports of the studies."""

    def __init__(self, studies: Studies) -> None:
        self.studies = studies

    def figure_files(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Input of `figure`: what it reads, by kind of file. FoldwiseError for one unknown."""
        study, folds = self.studies.of(wildcards), self.studies.folds(wildcards)
        return catalogue.figure_inputs(wildcards.figure, study, folds)

    def figure_title(self, wildcards: Wildcards) -> dict[str, str]:
        """Label of a figure in Snakemake's own report: its title, as on the page."""
        return {"title": catalogue.FIGURES[wildcards.figure].title}

    def figure_code(self, wildcards: Wildcards) -> str:
        """Params of `figure`: a digest of the code of this one figure."""
        return code_of("figure", words(self.studies.of(wildcards)) | {wildcards.figure})

    def figures(self, wildcards: Wildcards) -> list[str]:
        """Input of `report_pack`: its figures, in their order."""
        base = f"results/{wildcards.study}/report/figures"
        return [f"{base}/{name}.png" for name in self.figure_names(wildcards)]

    def figure_names(self, wildcards: Wildcards) -> list[str]:
        return catalogue.figures_of_study(self.studies.of(wildcards))

    def page_files(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Input of `report_pack`: the files that its sections, its record and its assets read."""
        study = self.studies.of(wildcards)
        kinds = [*page.kinds_read(study), "cohort", "histories", *catalogue.asset_files(study)]
        return paths_of(dict.fromkeys(kinds), study, self.studies.folds(wildcards))

    def drawn_maps(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Input of `cases`: Grad-CAM of the reported run, where the page has such maps."""
        study = self.studies.of(wildcards)
        shown = study["report"]["thumbnails"] != "none" and wildcards.run == study["report"]["run"]
        drawn = shown and "gradcam" in self.figure_names(wildcards)
        return paths_of(["gradcam"] if drawn else [], study, self.studies.folds(wildcards))

    def page_code(self, wildcards: Wildcards) -> str:
        """Params of `report_pack`: a digest of its code, templates and assets' figures."""
        names = words(self.studies.of(wildcards)) | set(catalogue.ASSETS.values())
        return digest([code_of("report_pack", names), templates.digests()])

    def run(self, wildcards: Wildcards) -> str:
        """Level of Snakemake's own report, below the study: the reported run."""
        return f"run {self.studies.of(wildcards)['report']['run']}"

    def compared_with(self, wildcards: Wildcards) -> list[str]:
        """Runs that the reported one is compared with: those named, and classical methods."""
        study = self.studies.of(wildcards)
        return study["report"]["compare"] + state.baseline_runs(study)

    def compared_params(self, wildcards: Wildcards) -> str:
        """Input of `compare_reported`: settings of the reported run."""
        run = self.studies.of(wildcards)["report"]["run"]
        return f"results/{wildcards.study}/runs/{run}/params.json"

    def compared_files(self, wildcards: Wildcards) -> list[str]:
        """Input of `compare_reported`: predictions, metrics and histories of the compared runs."""
        study, names = (
            self.studies.of(wildcards),
            ("val_predictions.csv", "metrics/val_metrics.json"),
        )
        methods = state.baseline_runs(study)
        return [
            f"results/{wildcards.study}/runs/{each}/fold_{fold}/results/{name}"
            for each in (study["report"]["run"], *self.compared_with(wildcards))
            for fold in self.studies.folds(wildcards)
            # A classical method has no epochs.
            for name in (*names, *(() if each in methods else ("train_history.json",)))
        ]

    def article_of(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Studies of an article, its own first. FoldwiseError for one that is not run."""
        return studies_of(self.studies.of(wildcards), self.studies.by_name)

    def article_files(self, wildcards: Wildcards) -> list[str]:
        """Input of `write_article`: what a template may read, figures, files of the user's own."""
        own = self.studies.of(wildcards)["article"]
        told = self.article_of(wildcards)
        paths = [path for study in told for path in article_files(study).values()]
        paths += [path for study in told for path in article_figures(study).values()]
        return paths + ([own["template"]] if own["template"] else []) + own["bibliography"]

    def article_studies(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Params of `write_article`: its studies' settings, without the archive's paths."""
        return [without_paths(study) for study in self.article_of(wildcards)]
