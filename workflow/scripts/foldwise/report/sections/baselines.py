"""The run against classical methods on the same folds."""

from typing import Any

from foldwise.evaluate.wording import called, method_name, spoken
from foldwise.report.ledger import Source
from foldwise.report.run import Run, Study
from foldwise.report.tables import pooled
from foldwise.settings.kinds import baselines_of, has_holdout

INTERVALS = {"folds": ("low", "high"), "groups": ("groups_low", "groups_high")}


def applies(study: Study) -> bool:
    """To studies that are compared with a classical method or a second reader."""
    return bool(baselines_of(study))


def reads(study: Study) -> tuple[str, ...]:
    """The comparisons of the reported run, and the methods on the holdout where there is one."""
    return ("comparisons", *(("holdout_of_methods",) if has_holdout(study) else ()))


def values(run: Run) -> dict[str, Any] | None:
    """Names of metrics, and a row a method with its means and the difference from the run."""
    source = run.file("comparisons")
    methods = [name for name in baselines_of(run.study) if source.value(*_at(name))]
    if not methods:
        return None
    return {
        "names": [called(name)[0] for name in run.headline],
        "of_run": [run.summary(name, "mean", form=".3f") for name in run.headline],
        "rows": [_row(run, source, method) for method in methods],
        "metric": spoken(source.value("metric")),
        "on_holdout": _on_holdout(run, methods) if run.holdout else [],
    }


def _on_holdout(run: Run, methods: list[str]) -> list[dict[str, Any]]:
    """This run and each method on images that no fold has: metrics with their intervals."""
    sources = {"": run.file("holdout")}
    sources |= {name: run.file("holdout_of_methods", run=f"baseline_{name}") for name in methods}
    at = ("ensemble", "image")
    return [
        {
            "name": method_name(method) if method else "",
            "cells": [pooled(source, at, name) for name in run.headline],
        }
        for method, source in sources.items()
    ]


def _at(method: str) -> tuple[str, ...]:
    return "against", f"baseline_{method}", "metrics"


def _row(run: Run, source: Source, method: str) -> dict[str, Any]:
    """Means of a method; a fold of one class alone may leave the compared metric without one."""
    compared = (*_at(method), source.value("metric"))
    return {
        "name": method_name(method),
        "metrics": [source.maybe(*_at(method), name, "first", form=".3f") for name in run.headline],
        "difference": source.maybe(*compared, "difference", form="+.3f"),
    } | {
        unit: source.interval(*compared, form="+.3f", sides=sides)
        for unit, sides in INTERVALS.items()
    }
