"""A study as an article's template sees it: its files through the ledger, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foldwise.article.inputs import KINDS
from foldwise.errors import FoldwiseError, choose, nearest
from foldwise.evaluate.wording import called, is_single_split
from foldwise.metrics import TABLE
from foldwise.report.entries import FIGURES
from foldwise.report.files import RULES
from foldwise.report.ledger import Job, Ledger, Number, Source

ALIASES = frozenset(metric.alias for metric in TABLE if metric.alias)
LEVELS = ("image", "exam", "patient")


@dataclass(frozen=True)
class Study:
    """One study of an article. A kind of file that was not made is None in a template."""

    settings: Mapping[str, Any]
    files: Mapping[str, str]
    figures: Mapping[str, str]
    ledger: Ledger = field(repr=False)

    def __getattr__(self, kind: str) -> Source | None:
        """The file of a kind, such as `summary`; see `foldwise.article.inputs`."""
        # Copying and pickling ask for such names: they must not be taken for kinds of files.
        if kind.startswith("_"):
            raise AttributeError(kind)
        path = self.files.get(choose(kind, KINDS, "kind of file", "study"))
        return None if path is None else self.ledger.source(path, self._job(kind))

    def _job(self, kind: str) -> Job:
        return Job(RULES[kind], self.name, self.run if f"/{self.run}/" in self.files[kind] else "")

    @property
    def name(self) -> str:
        """The study's name."""
        return self.settings["name"]

    @property
    def run(self) -> str:
        """The run that is told of."""
        return self.settings["report"]["run"]

    @property
    def kind(self) -> str:
        """The kind of study."""
        return self.settings["kind"]

    @property
    def monitor(self) -> str:
        """The metric that the study is judged by."""
        return self.summary.value("best_fold", "metric")

    @property
    def single(self) -> bool:
        """See `is_single_split`."""
        return is_single_split(self.folds())

    def metric(self, name: str, form: str = ".3f") -> dict[str, Any]:
        """A metric of the run: `title`, `mean`, `std`, `interval` (two numbers or none), `over`.

        Over the folds; of a single split as it is, with the interval of the pooled predictions.
        """
        if not isinstance(self.summary.value(name), dict):
            defined = [
                key for key in self.summary.value() if "mean" in str(self.summary.value(key))
            ]
            raise FoldwiseError(
                f"{self.files['summary']} has no metric '{name}'.{nearest(name, defined)} Metrics: "
                f"{', '.join(defined)}."
            )
        return {
            "key": name,
            "title": called(name)[0],
            "meaning": called(name)[1],
            "mean": self.summary(name, "mean", form=form),
            "std": self.summary(name, "std", form=form),
            "interval": self._interval(name, form),
            "over": "on the validation part" if self.single else "over folds",
        }

    def _interval(self, name: str, form: str) -> list[Number]:
        place: tuple[str, ...] = (name, "interval")
        if self.single and (levels := self.levels()):
            place = ("pooled", levels[0], "metrics", name, "interval")
        return self.summary.interval(*place, form=form)

    def metrics(self) -> list[dict[str, Any]]:
        """Every metric over the folds, the one that the study is judged by first."""
        names = [
            name
            for name in self.summary.value()
            if isinstance(self.summary.value(name), dict)
            and "mean" in self.summary.value(name)
            # Other programs' names of a metric are in its file for them; a reader needs one row.
            and name not in ALIASES
        ]
        # Stable: behind the monitor all others keep the order of the file.
        names.sort(key=lambda name: name != self.monitor)
        return [self.metric(name) for name in names]

    def on_holdout(self, name: str, form: str = ".3f") -> dict[str, Any] | None:
        """A metric of all folds' models together on the holdout: `value`, `interval`; or None."""
        place = ("ensemble", "image", "metrics", name)
        if self.holdout is None or self.holdout.value(*place, "value") is None:
            return None
        bounds = self.holdout.interval(*place, "interval", form=form)
        return {"value": self.holdout(*place, "value", form=form), "interval": bounds}

    def levels(self) -> list[str]:
        """Levels at which predictions were measured: image, exam, patient."""
        return [level for level in LEVELS if self.summary.value("pooled", level)]

    def classes(self) -> list[str]:
        """Names of the classes, in their order; empty for other kinds of study."""
        return list(self.params.value("task", "classes") or [])

    def folds(self) -> list[int]:
        """Numbers of the folds."""
        return [row["fold"] for row in self.summary.value("folds")]

    def others(self) -> list[str]:
        """Runs and methods that the reported run was compared with on the same folds."""
        return list(self.comparisons.value("against") or {}) if self.comparisons else []

    def figure_text(self, name: str) -> tuple[str, str]:
        """Title and caption of a figure. Raises FoldwiseError for one that was not made."""
        if name not in self.figures:
            raise FoldwiseError(
                f"Study {self.name} has no figure '{name}'.{nearest(name, self.figures)} Figures: "
                f"{', '.join(self.figures)}."
            )
        entry = FIGURES[name]
        return entry.title, entry.caption_of(self.single)

    def figure_path(self, name: str) -> Path:
        """Where the picture of a figure is."""
        return Path(self.figures[name])


def shown(value: Any) -> str:
    """A number of the ledger, or any other value, as text."""
    return value.shown if isinstance(value, Number) else str(value)
