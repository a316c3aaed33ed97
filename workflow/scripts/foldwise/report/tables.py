"""Rows of tables that several sections have: metrics a level, comparisons, McNemar's tests."""

from typing import Any

from foldwise.evaluate.wording import called
from foldwise.report.ledger import Source, escaped

LEVELS = ("image", "exam", "patient")


def levels_of(source: Source, base: str, names: list[str]) -> dict[str, Any]:
    """A column a level and a row a metric of `names`, with intervals; no rows for one level.

    A level whose units are single images says nothing new.
    """
    images = source.value(base, "image", "n")
    own = [
        level
        for level in LEVELS
        if source.value(base, level, "n")
        # Units left out count too: else a level of single images would seem to have fewer units.
        and (level == "image" or _units(source, base, level) < images)
    ]
    columns = [
        {"level": level} | {key: source(base, level, key, form=",") for key in ("n", "left_out")}
        for level in own
    ]
    rows = [
        {"name": called(name)[0], "cells": [pooled(source, (base, level), name) for level in own]}
        for name in names
    ]
    return {"columns": columns, "rows": rows if len(own) > 1 else []}


def _units(source: Source, base: str, level: str) -> int:
    return source.value(base, level, "n") + source.value(base, level, "left_out")


def pooled(source: Source, base: tuple[str, ...], name: str) -> tuple[Any, list]:
    """Value and interval of a metric of one set of predictions."""
    metric = (*base, "metrics", name)
    return source.maybe(*metric, "value", form=".3f"), source.interval(*metric, "interval")


def differences(source: Source, base: tuple[str, ...], metrics: list[str]) -> list[dict[str, Any]]:
    """A row a metric of the comparison at `base`, of those that it has."""
    at = (*base, "metrics")
    # A metric that some fold has not was not compared.
    there = [name for name in metrics if name in source.value(*at)]
    return [_difference(source, (*at, name), name) for name in there]


def _difference(source: Source, keys: tuple[str, ...], name: str) -> dict[str, Any]:
    row = {key: source(*keys, key, form=".3f") for key in ("first", "second")}
    row["difference"] = source(*keys, "difference", form="+.3f")
    row["p"] = source(*keys, "p", form=".2g")
    for span in ("", "groups_"):
        sides = f"{span}low", f"{span}high"
        row[f"{span}interval"] = source.interval(*keys, form="+.3f", sides=sides)
    return row | {"name": called(name)[0]}


def mcnemar_tests(source: Source, base: tuple[str, ...]) -> list[dict[str, Any]]:
    """McNemar's tests of the comparison at `base`: one, or one a label."""
    places = {"": ("mcnemar",)}
    places |= {head: ("mcnemar_of", head) for head in source.value(*base, "mcnemar_of") or {}}
    return [
        {"label": escaped(head.replace("_", " "))}
        | {key: source(*base, *keys, key) for key in ("groups", "only_first", "only_second")}
        | {"p": source(*base, *keys, "p", form=".2g")}
        for head, keys in places.items()
        if source.value(*base, *keys)
    ]
