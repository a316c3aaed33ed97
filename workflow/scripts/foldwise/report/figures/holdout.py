"""The holdout: all folds' models together and each alone, beside cross-validation."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from foldwise.evaluate.wording import ON_AXIS
from foldwise.files import read_json
from foldwise.report.figures.folds import FOLD, MEAN, POOLED, a_row_each, groups_of, with_bar
from foldwise.report.inputs import Paths
from foldwise.report.style import PAGE


def draw(paths: Paths) -> Figure:
    """Models a mark each, together with their interval; above it the mean over folds with its own,
    or the validation part's value where there is one split.

    A study whose data name no holdout has nothing to draw: the figure says so.
    """
    holdout, summary = (read_json(paths[kind][0]) for kind in ("holdout", "summary"))
    names = [name for name in ON_AXIS if name in summary and holdout["n"]]
    # With no metric too: a declared figure has to be there.
    figure = Figure(figsize=(0.9 * PAGE, 0.75 + 0.42 * max(len(names), 1)))
    axis = figure.subplots()
    if not names:
        axis.axis("off")
        axis.text(0.5, 0.5, "The data name no holdout.", ha="center", transform=axis.transAxes)
        return figure
    several = len(summary["folds"]) > 1
    for row, name in enumerate(names):
        validated = summary[name] if several else summary["pooled"]["image"]["metrics"][name]
        value = validated["mean" if several else "value"]
        with_bar(axis, row - 0.17, value, validated["interval"], MEAN)
        by_fold = [entry[name] for entry in holdout["folds"] if entry[name] is not None]
        axis.plot(by_fold, [row + 0.17] * len(by_fold), **FOLD)
        together = holdout["ensemble"]["image"]["metrics"][name]
        with_bar(axis, row + 0.17, together["value"], together["interval"], POOLED)
    a_row_each(axis, names)
    of_folds = "cross-validation, mean" if several else "validation part"
    _legend(figure, holdout, of_folds, groups_of(paths))
    return figure


def _legend(figure: Figure, holdout: dict[str, Any], of_folds: str, unit: str) -> None:
    share = f"{holdout['methods']['level']:.0%} interval"
    handles = [
        Line2D([], [], label=f"{of_folds}, {share}", **MEAN),
        Line2D([], [], label="holdout, one model", **FOLD),
        Line2D(
            [],
            [],
            label=f"holdout ({holdout['n']:,} images), together, {share} over {unit}",
            **POOLED,
        ),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3, columnspacing=1.2)
