"""The files of one run as sources of numbers, and the facts that several sections share."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.evaluate.wording import IN_LABELS, IN_TABLES, called, head_of, is_single_split, spoken
from foldwise.report.entries import FIGURES
from foldwise.report.files import FILES, RULES, SHARED, folder_of
from foldwise.report.ledger import Job, Ledger, Source
from foldwise.settings.groups import unit_of, units_of
from foldwise.settings.kinds import has_holdout

# Settings of a study as the rules give them: every key, and "name".
Study = Mapping[str, Any]
HEADLINE = ("kappa", "accuracy", "macro_f1", "auc")


class Figures(dict):
    """Figures of a page by name; None for one that this page has not, an error for no figure."""

    def __missing__(self, name: str) -> None:
        FIGURES[name]


class Run:
    """The reported run of a study: its files, each number of which goes through the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        study: Study,
        folds: Sequence[int],
        figures: Figures | None = None,
    ) -> None:
        """figures: name -> "title", "caption", "section" and "file" of each that there is."""
        self.ledger, self.study, self.folds = ledger, study, list(folds)
        self.figures = Figures() if figures is None else figures
        self.name = study["report"]["run"]
        self._section, self._reads = "", frozenset(FILES)

    def of_section(self, module: str, reads: Iterable[str]) -> "Run":
        """The same run, of which a section may read the kinds of files that it declares alone.

        What it read besides would be no input of the rule, so that the page would be stale unseen.
        """
        own = Run(self.ledger, self.study, self.folds, self.figures)
        own._section, own._reads = module, frozenset([*reads, *SHARED])
        return own

    def file(self, kind: str, fold: int = 0, run: str = "") -> Source:
        """A file of this run, or of another of the study, with the job that made it."""
        if kind not in self._reads:
            raise FoldwiseError(
                f"{self._section.replace('.', '/')}.py reads '{kind}' without declaring it. Add it "
                "to what `reads` gives there."
            )
        study, run = self.study["name"], run or self.name
        pages = folder_of(self.study)
        path = FILES[kind].format(study=study, run=run, fold=fold, pages=pages)
        # A file of the whole study has one job, whichever run the page is about.
        of_run = run if "{run}" in FILES[kind] else ""
        job = Job(RULES[kind], study, of_run, fold if "{fold}" in FILES[kind] else 0)
        return self.ledger.source(path, job)

    @cached_property
    def summary(self) -> Source:
        """cv_summary.json."""
        return self.file("summary")

    @cached_property
    def manifest(self) -> Source:
        """What the audit counted."""
        return self.file("manifest")

    @cached_property
    def params(self) -> Source:
        """The run's settings."""
        return self.file("params")

    @cached_property
    def metrics(self) -> list[str]:
        """Names of the metrics that have a mean over folds, in the order of tables."""
        labels = self.params.value("task", "heads") or {}
        names = [*IN_TABLES, *(f"{label}_{name}" for label in labels for name in IN_LABELS)]
        return [name for name in names if self.summary.value(name, "mean") is not None]

    @cached_property
    def headline(self) -> list[str]:
        """The monitored metric, and the first of the others that there are: four at most."""
        monitored = self.summary.value("best_fold", "metric")
        of_labels = [name for name in self.metrics if head_of(name)[1] == "macro_f1"]
        names = dict.fromkeys([monitored, *HEADLINE, *of_labels, *self.metrics])
        return [name for name in names if name in self.metrics][:4]

    @property
    def single(self) -> bool:
        """See `is_single_split`."""
        return is_single_split(self.folds)

    def over_folds(self, name: str) -> dict[str, Any]:
        """Name of a metric, its mean and spread over folds, and its interval."""
        return {
            "name": called(name)[0],
            "mean": self.summary(name, "mean", form=".3f"),
            "std": self.summary(name, "std", form=".3f"),
            "interval": self.summary.interval(name, "interval"),
        }

    def facts(self) -> dict[str, Any]:
        """What the template of any section may use: units, the best fold, the holdout's size."""
        group_by = self.manifest.value("group_by")
        metric = self.summary.value("best_fold", "metric")
        return {
            "run": self.name,
            "figures": self.figures,
            "unit": units_of(group_by),
            "one": unit_of(group_by),
            "by_accession": group_by == "accession",
            "by_image": group_by == "image",
            "percent": self.summary("methods", "level", form=".0%"),
            "monitored": spoken(metric),
            # A metric that no fold defines has none.
            "single": self.single,
            "n_folds": self.summary.maybe(metric, "n_folds"),
            "best_fold": self.summary("best_fold", "fold"),
            "best_value": self.summary("best_fold", "value", form=".3f"),
            "has_trials": bool(self.study["search"]),
            "holdout": self.holdout,
        }

    @cached_property
    def holdout(self) -> dict[str, Any] | None:
        """Images and groups of the holdout; None where the study has none, or an empty one."""
        if not has_holdout(self.study):
            return None
        source = self.file("holdout")
        sizes = {key: source(key, form=",") for key in ("n", "groups")} if source.value("n") else {}
        return sizes or None
