"""What an article tells of the files on reliability: tables, and which parts say something.

Of a label with too few patients these files hold a reason in the place of numbers; of a value that
no interval bounds, the value alone.
"""

from dataclasses import dataclass
from typing import Any

from foldwise.article.study import Study
from foldwise.article.table import Table, cell
from foldwise.evaluate.verdict import ALPHA
from foldwise.evaluate.wording import called, titled
from foldwise.report.ledger import Number, Source

# Map of calibration.json -> its row.
MAPS = {"before": "none", "temperature": "temperature", "isotonic": "isotonic"}
LOSSES = {"log_loss": "Log loss", "brier": "Brier score", "ece": "Calibration error"}
LIMITS = {"all": "one for all", "by_class": "by class"}
SETS = {"coverage": ".1%", "size": ".2f", "single": ".1%", "single_error": ".1%"}


@dataclass(frozen=True)
class Label:
    """One label of a file, looked up below its place; `title` is empty of the only one."""

    source: Source
    at: tuple[Any, ...]
    title: str

    def __call__(self, *keys: Any, form: str = "") -> Number:
        return self.source(*self.at, *keys, form=form or str)

    def value(self, *keys: Any) -> Any:
        """For decisions; None where there is none."""
        return self.source.value(*self.at, *keys)

    def interval(self, *keys: Any, form: str = ".3f") -> list[Number]:
        """Its two bounds; empty where there is no interval."""
        return self.source.interval(*self.at, *keys, "interval", form=form)

    def helpful(self, name: str) -> dict[str, dict[str, Number]]:
        """Class -> where acting on its probability under map `name` beats acting on all or none."""
        spans = {}
        for one in self.value("classes"):
            place = ("decision", one, "helps", name)
            # Nothing for a class that nobody is of, and for a curve that is never above.
            if self.value(*place):
                spans[one] = {key: self(*place, key, form=".2f") for key in ("low", "high")}
                spans[one]["share"] = self(*place, "share", form=".0%")
        return spans


def labels(source: Source, ready: str) -> list[Label]:
    """Each label of a file that was measured: where the key `ready` is not empty or 0."""
    return [
        Label(source, ("parts", i), titled(part["name"]))
        for i, part in enumerate(source.value("parts"))
        if part[ready]
    ]


def refused(source: Source) -> list[Label]:
    """Each label that has no conformal sets; its `few` says why."""
    return labels(source, "few")


def calibration(study: Study) -> Table:
    """Losses of the probabilities as they are and under each map that was fitted."""
    source, rows = study.calibration, []
    for label in labels(source, "n"):
        metrics = (*label.at, "metrics")
        for name in (one for one in MAPS if source.value(*metrics, one)):
            cells = [cell(source, (*metrics, name, key), ".3f") for key in LOSSES]
            rows.append((f"{label.title} {MAPS[name]}".strip(), *cells))
    return Table(
        "Calibration before and after a map that was fitted to the other folds, of all validation "
        "predictions, with intervals over groups. Lower is better.",
        ("Map", *LOSSES.values()),
        tuple(rows),
    )


def conformal(study: Study) -> Table:
    """Coverage and size of the sets, under one limit and under one a class."""
    source, rows = study.conformal, []
    for label in labels(source, "sets"):
        for kind, name in LIMITS.items():
            place = (*label.at, "sets", kind)
            cells = [cell(source, (*place, key), form) for key, form in SETS.items()]
            rows.append((f"{label.title} {name}".strip(), *cells))
    return Table(
        "Conformal sets of all validation predictions, with intervals over groups.",
        ("Limit", "Coverage", "Mean size", "One class", "Of these wrong"),
        tuple(rows),
    )


def subgroups(study: Study) -> Table:
    """Each value of each column that could be measured, by the metric that was tested."""
    source, rows = study.subgroups, []
    metric = source.value("metric")
    for i, k, level in levels(source):
        place = ("columns", i, "levels", k)
        adjusted = level.get("holm") is not None
        cells = [source(*place, key, form=",") for key in ("n", "groups")]
        cells.append(cell(source, (*place, "metrics", metric), ".3f"))
        there = level["difference"] is not None
        cells.append(cell(source, (*place, "difference"), "+.3f") if there else "–")
        cells.append(source(*place, "holm", form=".2g") if adjusted else "–")
        rows.append((f"{source.value('columns', i, 'column')}: {level['level']}", *cells))
    return Table(
        f"{called(metric)[0]} of subgroups, of all validation predictions, with intervals over "
        "groups; the difference from all others, and p with Holm's correction.",
        ("Subgroup", "Images", "Groups", called(metric)[0], "Difference", "p, Holm"),
        tuple(rows),
    )


def levels(source: Source) -> list[tuple[int, int, dict[str, Any]]]:
    """Place of the column, place of the value, and the value, of each that was measured."""
    return [
        (i, k, level)
        for i, column in enumerate(source.value("columns"))
        for k, level in enumerate(column["levels"])
        if not level["few"]
    ]


def differing(source: Source) -> list[dict[str, Any]]:
    """Values whose difference from all others stays below ALPHA after Holm's correction."""
    return [
        {
            "column": source.value("columns", i, "column"),
            "name": one["level"],
            "difference": source("columns", i, "levels", k, "difference", "value", form="+.3f"),
            "holm": source("columns", i, "levels", k, "holm", form=".2g"),
        }
        for i, k, one in levels(source)
        if one.get("holm") is not None and one["holm"] < ALPHA
    ]


def tested(source: Source) -> bool:
    """Whether any difference was tested."""
    return any(one.get("holm") is not None for _, _, one in levels(source))
