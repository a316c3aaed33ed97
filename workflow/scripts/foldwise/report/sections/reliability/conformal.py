"""Conformal sets: coverage, sizes, and which share can be decided at a stated error."""

from typing import Any

from foldwise.evaluate.wording import titled
from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study
from foldwise.settings.kinds import has_classes

KINDS = {"all": "All", "by_class": "By class"}
WHOLE = ("coverage", "size", "single", "single_error")
SHARES = {"coverage", "single", "single_error"}


def applies(study: Study) -> bool:
    """To studies of classes."""
    return has_classes(study)


def reads(study: Study) -> tuple[str, ...]:
    """The sets of the run's predictions."""
    return ("conformal",)


def values(run: Run) -> dict[str, Any] | None:
    """A table a label of coverage in all and by class; nothing without a prediction."""
    source = run.file("conformal")
    parts = [i for i, part in enumerate(source.value("parts")) if part["n"]]
    if not parts:
        return None
    return {
        "error": source("error", form=".0%"),
        "rate": f"{1 - source.value('error'):.0%}",
        "percent": source("level", form=".0%"),
        "tables": [_table(source, i) for i in parts],
    }


def _table(source: Source, i: int) -> dict[str, Any]:
    part = source.value("parts", i)
    shown = {"title": escaped(titled(part["name"])), "few": part["few"]}
    if part["few"]:
        return shown
    rare = [escaped(name) for name in part["sets"]["by_class"]["rare"]]
    return shown | {
        "classes": [escaped(name) for name in part["classes"]],
        "rows": [_row(source, i, kind) for kind in KINDS],
        "rare": ", ".join(rare),
        "decided": _cell(source, ("parts", i, "triage", "decided"), ".1%"),
        "wrong": _cell(source, ("parts", i, "triage", "error"), ".1%"),
        "threshold": source("parts", i, "triage", "threshold", form=".3f"),
        "any": part["triage"]["threshold"] is not None,
        "groups": source("parts", i, "groups"),
        "least": source("parts", i, "triage", "least"),
    }


def _row(source: Source, i: int, kind: str) -> dict[str, Any]:
    base, part = ("parts", i, "sets", kind), source.value("parts", i)
    cells = [_cell(source, (*base, key), ".1%" if key in SHARES else ".2f") for key in WHOLE]
    # Values alone: intervals of every class would not fit a page, and stand in the file.
    classes = [source(*base, "by_class", name, "value", form=".1%") for name in part["classes"]]
    return {"name": KINDS[kind], "cells": cells, "classes": classes}


def _cell(source: Source, at: tuple[Any, ...], form: str) -> tuple[Any, list]:
    return source(*at, "value", form=form), source.interval(*at, "interval", form=form)
