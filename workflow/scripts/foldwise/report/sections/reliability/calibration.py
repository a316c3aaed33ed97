"""Calibration before and after it is mended, and decision curves."""

from typing import Any

from foldwise.evaluate.wording import titled
from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study
from foldwise.settings.kinds import has_classes

METHODS = {"before": "None", "temperature": "Temperature", "isotonic": "Isotonic"}
METRICS = ("log_loss", "brier", "ece")


def applies(study: Study) -> bool:
    """To studies of classes."""
    return has_classes(study)


def reads(study: Study) -> tuple[str, ...]:
    """What the maps of the other folds make of the run's probabilities."""
    return ("calibration",)


def values(run: Run) -> dict[str, Any] | None:
    """A table a label: a row a map, and what it changes; nothing without a prediction."""
    source = run.file("calibration")
    parts = [i for i, part in enumerate(source.value("parts")) if part["n"]]
    if not parts:
        return None
    return {
        "kept": source("method"),
        "percent": source("level", form=".0%"),
        "tables": [_table(source, i) for i in parts],
    }


def _table(source: Source, i: int) -> dict[str, Any]:
    part = source.value("parts", i)
    at = ("parts", i, "maps", "temperature", "all", "temperature")
    return {
        "title": escaped(titled(part["name"])),
        "rows": [_row(source, i, name) for name in METHODS if name in part["metrics"]],
        "few": [f"{METHODS[name]}: {reason}" for name, reason in part["few"].items()],
        "temperature": source.maybe(*at, form=".2f") if "temperature" in part["maps"] else None,
    }


def _row(source: Source, i: int, name: str) -> dict[str, Any]:
    base = ("parts", i, "metrics", name)
    cells = [
        (source(*base, key, "value", form=".3f"), source.interval(*base, key, "interval"))
        for key in METRICS
    ]
    change = None
    if name != "before":
        value = source(*base, "change", "value", form="+.3f")
        change = (value, source.interval(*base, "change", "interval", form="+.3f"))
    return {"name": METHODS[name], "cells": cells, "change": change}
