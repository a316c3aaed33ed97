"""Metrics of predictions taken as one set, per level, with intervals over groups."""

from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.evaluate.fold import Measured, Row, measure_levels
from foldwise.evaluate.metrics.averaging import LEVELS, average
from foldwise.evaluate.metrics.intervals import Bootstrap, Interval


def levels_with_intervals(
    rows: Sequence[Row], task: Measured, settings: Bootstrap
) -> dict[str, Any]:
    """What `measure_levels` gives, each metric as {"value", "interval", "no_interval": why}."""
    levels = measure_levels(rows, task, settings.group_by)
    columns = LEVELS[settings.group_by]
    for name, level in levels.items():
        merged = rows if name == "image" else average(rows, columns[name])[0]
        level["metrics"] = _with_intervals(level["metrics"], merged, task, settings)
    return levels


def _with_intervals(
    metrics: Mapping[str, float | None], rows: Sequence[Row], task: Measured, settings: Bootstrap
) -> dict[str, Any]:
    if not settings.resamples or not rows:
        return {name: {"value": value} for name, value in metrics.items()}
    groups = [row["group"] for row in rows]
    intervals = settings.of_table("bootstrap", task.scorer(rows), groups)
    return {name: {"value": value} | bounds(intervals[name]) for name, value in metrics.items()}


def bounds(interval: Interval) -> dict[str, Any]:
    """{"interval": [low, high]}, and why where there is none."""
    why = {} if interval.there else {"no_interval": interval.why}
    return {"interval": [interval.low, interval.high]} | why
