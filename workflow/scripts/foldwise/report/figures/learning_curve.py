"""The metric against the patients of the training part, with the fitted curve."""

import numpy as np
from matplotlib.figure import Figure

from foldwise.evaluate.wording import called
from foldwise.files import read_json
from foldwise.report.figures.folds import groups_of
from foldwise.report.inputs import Paths
from foldwise.report.style import ACCENT, FAINT, GREY, INK, PAGE


def draw(paths: Paths) -> Figure:
    """Sizes with their intervals, the curve with its own, and twice the whole as an open mark."""
    curve = read_json(paths["learning_curve"][0])
    figure = Figure(figsize=(0.6 * PAGE, 2.8))
    axis = figure.subplots()
    if not curve["sizes"]:
        axis.axis("off")
        axis.text(0.5, 0.5, curve["text"], ha="center", transform=axis.transAxes, wrap=True)
        return figure
    at = [point["groups"] for point in curve["curve"]]
    low, high = np.array([point["interval"] for point in curve["curve"]]).T
    axis.fill_between(at, low, high, color=FAINT, label="95 % interval of the curve")
    axis.plot(at, [point["value"] for point in curve["curve"]], color=GREY, linestyle="--")
    _marks(axis, curve["sizes"], color=ACCENT, label="trained")
    _marks(axis, [curve["twice"]], color=INK, markerfacecolor="white", label="twice, by the curve")
    axis.set_xscale("log")
    ticks = [size["groups"] for size in [*curve["sizes"], curve["twice"]]]
    axis.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks], minor=False)
    # Marks of the logarithmic scale would stand between those of the sizes.
    axis.set_xticks([], minor=True)
    axis.set_xlabel(f"{groups_of(paths)} of a training part")
    axis.set_ylabel(called(curve["metric"])[0])
    axis.legend(loc="best")
    return figure


def _marks(axis, points: list[dict], **look: object) -> None:
    for number, point in enumerate(points):
        bounds = [np.nan if bound is None else bound for bound in point["interval"]]
        reach = [[point["value"] - bounds[0]], [bounds[1] - point["value"]]]
        shown = look if not number else look | {"label": None}
        # A bound may lie beyond the value: bars of less than nothing are refused.
        axis.errorbar(
            point["groups"], point["value"], np.maximum(reach, 0), fmt="o", capsize=2, **shown
        )
