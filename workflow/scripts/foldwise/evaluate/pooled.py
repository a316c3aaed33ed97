"""Metrics of predictions taken as one set, per level, with intervals over groups."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.evaluate.fold import Measured, Row, measure, rows_of_levels
from foldwise.evaluate.metrics.draws import numbered
from foldwise.evaluate.metrics.intervals import Bootstrap, Interval


def levels_with_intervals(
    rows: Sequence[Row], task: Measured, settings: Bootstrap
) -> dict[str, Any]:
    """What `measure_levels` gives, each metric as {"value", "interval", "no_interval": why}."""
    levels: dict[str, Any] = {}
    before: tuple[Sequence[Row], dict[str, Any]] | None = None
    for name, merged, left_out in rows_of_levels(rows, settings.group_by):
        # One image a patient, say: what is the same at two levels is measured and drawn once.
        if before is None or not _alike(before[0], merged):
            before = merged, measure(merged, task, left_out)
            before[1]["metrics"] = _with_intervals(before[1]["metrics"], merged, task, settings)
        levels[name] = before[1] | {"left_out": left_out}
    return levels


def _alike(first: Sequence[Row], second: Sequence[Row]) -> bool:
    """Whether measures and draws see the same in both."""
    if len(first) != len(second):
        return False
    # Rows of which none was averaged are the very same: nothing of them has to be compared.
    return all(map(operator.is_, first, second)) or _content(first) == _content(second)


def _content(rows: Sequence[Row]) -> tuple[dict[str, list[str]], list[int]]:
    """What measures and draws see of rows: truth, probabilities, and which are of one group."""
    names = [name for name in (rows[0] if rows else ()) if name.startswith(("label", "p_"))]
    columns = [[row[name] for row in rows] for name in names]
    return dict(zip(names, columns, strict=True)), numbered([row["group"] for row in rows]).tolist()


def _with_intervals(
    metrics: Mapping[str, float | None], rows: Sequence[Row], task: Measured, settings: Bootstrap
) -> dict[str, Any]:
    # No resamples: whoever wants values alone, as a trial does, does not pay for intervals.
    if not settings.resamples or not rows:
        return {name: {"value": value} for name, value in metrics.items()}
    groups = [row["group"] for row in rows]
    intervals = settings.of_table("bootstrap", task.scorer(rows), groups)
    return {name: {"value": value} | bounds(intervals[name]) for name, value in metrics.items()}


def bounds(interval: Interval) -> dict[str, Any]:
    """{"interval": [low, high]}, and why where there is none."""
    why = {} if interval.there else {"no_interval": interval.why}
    return {"interval": [interval.low, interval.high]} | why
