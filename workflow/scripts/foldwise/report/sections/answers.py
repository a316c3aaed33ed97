"""The pooled predictions taken apart: by class, by part of an answer, by severity band."""

from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.evaluate.wording import DETECTION, IN_TABLES, PARTS, called, titled
from foldwise.report.ledger import escaped
from foldwise.report.run import Run, Study

DETAILS = ("pooled", "image", "details")
PER_CLASS = ("precision", "recall", "specificity", "f1", "auc")


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Nothing but what any section may read."""
    return ()


def values(run: Run) -> dict[str, Any]:
    """Tables of what the kind of study has; each is empty where it has none."""
    return {"bands": _bands(run), "parts": _parts(run), "per_class": _per_class(run)}


def _per_class(run: Run) -> list[dict[str, Any]]:
    """A table a label of the pooled predictions, a row a class."""
    task = run.params.value("task")
    labels = {"": (task.get("classes") or [], DETAILS)}
    for label, classes in (task.get("heads") or {}).items():
        labels[label] = (classes, (*DETAILS, "heads", label))
    tables = [
        {"title": escaped(titled(label)), "rows": _classes(run, (*base, "per_class"), names)}
        for label, (names, base) in labels.items()
    ]
    return [table for table in tables if table["rows"]]


def _classes(run: Run, base: tuple[str, ...], classes: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": escaped(name),
            "metrics": [run.summary(*base, name, metric, form=".3f") for metric in PER_CLASS],
        }
        | {key: run.summary(*base, name, key, form=",") for key in ("support", "predicted")}
        for name in classes
        if run.summary.value(*base, name)
    ]


def _parts(run: Run) -> list[dict[str, Any]]:
    """Tables of the pooled metrics of each part of an answer, such as each zone, and of all.

    How well it is found which parts can be judged at all stands in a table of its own.
    """
    tables = []
    for key, (order, title, detection) in PARTS.items():
        of_part = run.summary.value(*DETAILS, key) or {}
        there = [n for n in IN_TABLES if any(n in values for values in of_part.values())]
        # In the study's order: the file's keys are sorted by name.
        named = [part for part in run.params.value(*order) or [] if part in of_part]
        rows = {part: (*DETAILS, key, part) for part in named}
        for heading, detects in ((title, False), (detection, True)):
            names = [name for name in there if (name in DETECTION) == detects]
            if rows and names and not (detects and _nothing_detected(of_part, names)):
                tables.append(_table(run, heading, rows, names))
    return tables


def _nothing_detected(of_part: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> bool:
    """Whether all parts could be judged and were: then nothing but that coverage has a value."""
    return not any(
        values.get(name) is not None
        for values in of_part.values()
        for name in names
        if name != "coverage"
    )


def _table(run: Run, title: str, rows: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """A row a part, and one of all parts together."""
    parts = [
        {
            "name": escaped(part),
            "metrics": [run.summary.maybe(*at, name, form=".3f") for name in names],
        }
        for part, at in rows.items()
    ]
    all_metrics = ("pooled", "image", "metrics")
    whole = [run.summary.maybe(*all_metrics, name, "value", form=".3f") for name in names]
    parts.append({"name": "**all**", "metrics": whole})
    return {"title": title, "names": [called(name)[0] for name in names], "rows": parts}


def _bands(run: Run) -> dict[str, Any]:
    """Images of each severity band, a row a band of the truth; no rows where there are none."""
    base = (*DETAILS, "bands")
    names = run.summary.value(*base, "names") or []
    cells = [[(*base, "confusion", i, j) for j in range(len(names))] for i in range(len(names))]
    rows = [
        {"name": escaped(name), "cells": [run.summary(*keys) for keys in row]}
        for name, row in zip(names, cells, strict=True)
    ]
    limits = [run.summary(*base, "limits", i) for i in range(len(names) - 1)]
    return {"names": [escaped(name) for name in names], "limits": limits, "rows": rows}
