"""A forest plot: the metric of each subgroup with its interval, and of all images."""

from typing import Any

from matplotlib.figure import Figure

from foldwise.evaluate.wording import called
from foldwise.files import read_json
from foldwise.report.inputs import Paths
from foldwise.report.style import ACCENT, GREY, INK, PAGE, shortened

LETTERS = 24  # of a value at the left


def draw(paths: Paths) -> Figure:
    """A row a value, below the name of its column; the dotted line is the metric of all."""
    subgroups = read_json(paths["subgroups"][0])
    metric, rows = subgroups["metric"], _rows(subgroups)
    figure = Figure(figsize=(PAGE, 0.9 + 0.24 * len(rows)))
    axis = figure.subplots()
    whole = subgroups["all"][metric]["value"]
    if whole is not None:
        axis.axvline(whole, color=GREY, linestyle=(0, (1.2, 1.6)), linewidth=0.9)
    for place, (_, one) in enumerate(rows):
        if one is not None and one["value"] is not None:
            _point(axis, place, one)
    names = [shortened(name, LETTERS) for name, _ in rows]
    axis.set_yticks(range(len(rows)), names)
    for tick, (_, one) in zip(axis.get_yticklabels(), rows, strict=True):
        tick.set(weight="bold" if one is None else "normal", color=INK)
    axis.set(ylim=(len(rows) - 0.5, -0.5), xlabel=called(metric)[0])
    axis.grid(visible=False, axis="y")
    right = axis.secondary_yaxis("right")
    right.set_yticks(range(len(rows)), [f"n={one['n']}" if one else "" for _, one in rows])
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    return figure


def _rows(subgroups: dict[str, Any]) -> list[tuple[str, dict[str, Any] | None]]:
    """(name, value with interval and n); None under the name of a column."""
    rows: list[tuple[str, dict[str, Any] | None]] = []
    for column in subgroups["columns"]:
        levels = [level for level in column["levels"] if not level["few"]]
        rows += [(column["column"], None)] if levels else []
        for level in levels:
            own = level["metrics"][subgroups["metric"]] | {"n": level["n"]}
            rows.append((f"  {level['level']}", own))
    return rows or [("no subgroup is large enough", None)]


def _point(axis: Any, place: int, one: dict[str, Any]) -> None:
    low, high = one["interval"]
    if low is not None and high is not None:
        axis.plot([low, high], [place, place], color=ACCENT)
    axis.plot([one["value"]], [place], marker="s", color=ACCENT)
