"""Metrics per image, per exam and per patient, side by side."""

from typing import Any

from foldwise.evaluate.wording import called
from foldwise.report.ledger import Source

ORDER = ("image", "exam", "patient")


def levels_of(source: Source, base: str, names: list[str]) -> dict[str, Any]:
    """A column a level and a row a metric of `names`, with intervals; no rows for one level.

    A level whose units are single images says nothing new.
    """
    images = source.value(base, "image", "n")
    own = [
        level
        for level in ORDER
        if source.value(base, level, "n")
        and (level == "image" or _units(source, base, level) < images)
    ]
    columns = [
        {
            "level": level,
            "n": source(base, level, "n", form=","),
            "left_out": source(base, level, "left_out", form=","),
        }
        for level in own
    ]
    rows = [
        {
            "name": called(name)[0],
            "cells": [
                (
                    source(base, level, "metrics", name, "value", form=".3f"),
                    source.interval(base, level, "metrics", name, "interval"),
                )
                for level in own
            ],
        }
        for name in names
    ]
    return {"columns": columns, "rows": rows if len(own) > 1 else []}


def _units(source: Source, base: str, level: str) -> int:
    return source.value(base, level, "n") + source.value(base, level, "left_out")
