"""What the rules of reports and articles read. Methods that take `wildcards` are used in the rule
files as they are. Standard library, PyYAML and jsonschema only.
"""

from collections.abc import Callable
from typing import Any

from foldwise.article.inputs import article_figures, article_files, studies_of
from foldwise.errors import FoldwiseError, nearest
from foldwise.hashing import digest
from foldwise.plan import state
from foldwise.plan.fingerprint import code_of, words
from foldwise.plan.studies import Studies, Wildcards
from foldwise.plan.targets import run_files, suspect_files
from foldwise.report import catalogue, page, templates
from foldwise.report.files import folder_of, packed, paths_of
from foldwise.search.trials import trial_name
from foldwise.settings.paths import without_paths


class Reports:
    """The reports of the studies."""

    def __init__(self, studies: Studies) -> None:
        self.studies = studies

    def figure_files(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Input of `figure`: what it reads, by kind of file. FoldwiseError for one unknown."""
        study, folds = self.as_reported(wildcards), self.studies.folds(wildcards)
        return catalogue.figure_inputs(wildcards.figure, study, folds)

    def figure_title(self, wildcards: Wildcards) -> dict[str, str]:
        """Label of a figure in Snakemake's own report: its title, as on the page."""
        return {"title": catalogue.FIGURES[wildcards.figure].title}

    def figure_code(self, wildcards: Wildcards) -> str:
        """Params of `figure`: a digest of the code of this one figure."""
        # Of one figure alone: a change of another leaves this one as it is.
        return code_of("figure", words(self.as_reported(wildcards)) | {wildcards.figure})

    def figures(self, wildcards: Wildcards) -> list[str]:
        """Input of `report_pack`: its figures, in their order."""
        study = self.as_reported(wildcards)
        names = catalogue.figures_of_study(study)
        return [f"{folder_of(study)}/figures/{name}.png" for name in names]

    def page_files(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Input of `report_pack`: the files that its sections, its record and its assets read."""
        study = self.as_reported(wildcards)
        kinds = [*page.kinds_read(study), "cohort", "histories", *catalogue.asset_files(study)]
        return paths_of(dict.fromkeys(kinds), study, self.studies.folds(wildcards))

    def case_details(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Input of `cases`: Grad-CAM of the reported run, where the page has such maps, and the
        run's subgroups, where the study names any."""
        study = self.studies.of(wildcards)
        shown = study["report"]["thumbnails"] != "none" and wildcards.run == study["report"]["run"]
        drawn = shown and "gradcam" in catalogue.figures_of_study(study)
        inputs = paths_of(["gradcam"] if drawn else [], study, self.studies.folds(wildcards))
        if study["data"]["columns"]["subgroups"]:
            base = f"results/{wildcards.study}"
            inputs["subgroup_values"] = [f"{base}/subgroups.csv"]
            inputs["judged"] = [f"{base}/runs/{wildcards.run}/subgroups.json"]
        return inputs

    def page_code(self, wildcards: Wildcards) -> str:
        """Params of `report_pack`: a digest of its code, templates and assets' figures."""
        names = words(self.as_reported(wildcards)) | set(catalogue.ASSETS.values())
        return digest([code_of("report_pack", names), templates.digests()])

    def article_code(self, wildcards: Wildcards) -> str:
        """Params of `write_article`: a digest of its code and of what the shipped article is of."""
        code = self.studies.code("write_article")(wildcards)
        return digest([code, templates.digests_of_article()])

    def run(self, wildcards: Wildcards) -> str:
        """Level of Snakemake's own report, below the study: the reported run."""
        return f"run {self.as_reported(wildcards)['report']['run']}"

    def as_reported(self, wildcards: Wildcards) -> dict[str, Any]:
        """The study as its report tells it; of a run's pack, that run alone."""
        study, run = self.studies.of(wildcards), wildcards.get("run")
        return packed(study, run) if run else study

    def shown(self, wildcards: Wildcards) -> dict[str, Any]:
        """Params of `report_pack`: all settings of that study, without where its archive is."""
        # Params stand in Snakemake's own records too: the archive's paths stay in the study file.
        return without_paths(self.as_reported(wildcards))

    def packs(self, run: str | None) -> Callable[[Wildcards], list[str]]:
        """Targets of `pack`: all files of the run, and the page, of each study that has it."""

        def read(_: Wildcards) -> list[str]:
            having = [name for name in self.studies.names if self._has(name, run or "")]
            if not having:
                raise FoldwiseError(self._no_run(run or ""))
            by_name = self.studies.by_name
            made = [path for name in having for path in run_files(by_name[name], run)]
            made += [path for name in having for path in suspect_files(by_name[name], run)]
            return made + [f"results/{name}/packs/{run}/index.html" for name in having]

        return read

    def _has(self, study: str, run: str) -> bool:
        """Whether a run is one of the study, of its search, or the tuned one."""
        plan = self.studies.plans[study]
        trials = range(plan.search.trials) if plan else ()
        tuned = plan is not None or self.studies.hyperparams is not None
        named = run in self.studies.by_name[study]["runs"] or (tuned and run == "tuned")
        return named or run in map(trial_name, trials)

    def _no_run(self, run: str) -> str:
        studies = [self.studies.by_name[name] for name in self.studies.names]
        runs = sorted({one for study in studies for one in study["runs"]})
        what = f"no study has a run '{run}'.{nearest(run, runs)}" if run else "which run?"
        return (
            f"pack: {what} Name one: `snakemake pack --config run=trial_0007`. Runs: "
            f"{', '.join(runs)}; with a search also tuned and its trials."
        )

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
        article = self.article_of(wildcards)
        paths = [path for study in article for path in article_files(study).values()]
        paths += [path for study in article for path in article_figures(study).values()]
        return paths + ([own["template"]] if own["template"] else []) + own["bibliography"]

    def reported_runs(self, wildcards: Wildcards) -> list[tuple[str, str, list[int]]]:
        """Params of `compare_studies`: name, reported run and folds of each study."""
        article = self.article_of(wildcards)
        return [(one["name"], one["report"]["run"], state.fold_numbers(one)) for one in article]

    def studies_compared(self, wildcards: Wildcards) -> list[str]:
        """Input of `compare_studies`: what those runs predicted, and their own comparisons."""
        files = []
        for study in self.article_of(wildcards):
            base, run = f"results/{study['name']}", study["report"]["run"]
            files.append(f"{base}/runs/{run}/params.json")
            if "comparisons" in article_files(study):
                files.append(article_files(study)["comparisons"])
            for fold in state.fold_numbers(study):
                files.append(f"{base}/folds/fold_{fold}.csv")
                folder = f"{base}/runs/{run}/fold_{fold}/results"
                files += [f"{folder}/val_predictions.csv", f"{folder}/metrics/val_metrics.json"]
        return files

    def article_studies(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Params of `write_article`: its studies' settings, without the archive's paths."""
        return [without_paths(study) for study in self.article_of(wildcards)]
