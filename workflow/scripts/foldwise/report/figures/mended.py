"""Calibration before and after it is mended, and what acting on the probabilities is worth."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from foldwise.evaluate.wording import titled
from foldwise.files import read_json
from foldwise.report.inputs import Paths
from foldwise.report.style import ACCENT, GREY, INK, PAGE, grid, shortened

MOST_PANELS = 4
FEWEST = 5  # images of a point: one image is right or wrong, which is no share
LETTERS = 13  # of a class name above a panel
IDEAL = {"color": GREY, "linestyle": (0, (1.2, 1.6)), "linewidth": 0.9}
# Calibration map -> how its line looks; the two differ in dash and marker as well.
LINES: dict[str, dict[str, Any]] = {
    "before": {"color": GREY, "linestyle": (0, (5, 1.5)), "marker": "s"},
    "temperature": {"color": ACCENT, "linestyle": "-", "marker": "o"},
    "isotonic": {"color": INK, "linestyle": (0, (6, 1.5, 1.2, 1.5)), "marker": "^"},
}
ALL = {"color": "#b4602c", "linestyle": "-", "linewidth": 0.8}
NONE = {"color": GREY, "linestyle": "-", "linewidth": 0.8}


def draw_mended(paths: Paths) -> Figure:
    """Confidence of the predicted class against how often it is right, of each map."""
    parts = read_json(paths["calibration"][0])["parts"]
    figure = Figure(figsize=(min(PAGE, 0.9 + 2.6 * len(parts)), 3.1))
    axes = figure.subplots(1, len(parts), squeeze=False, sharey=True)[0]
    for axis, part in zip(axes, parts, strict=True):
        axis.plot([0, 1], [0, 1], **IDEAL)
        for name in _maps(part):
            axis.plot(*_points(part["reliability"][name]), **LINES[name])
        axis.set(xlim=(0, 1), ylim=(-0.02, 1.05), xlabel="confidence", aspect="equal")
        if part["name"]:
            axis.set_title(titled(part["name"]))
    axes[0].set_ylabel("share that is right")
    names = dict.fromkeys(name for part in parts for name in _maps(part))
    handles = [Line2D([], [], label=name, **LINES[name]) for name in names]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def draw_decision(paths: Paths) -> Figure:
    """Net benefit at each threshold: a panel a class, before and after, treat all, treat none."""
    calibration = read_json(paths["calibration"][0])
    shown = [
        (part, name)
        for part in calibration["parts"]
        for name in part["classes"]
        if part["decision"][name]
    ]
    rows, columns = grid(max(len(shown), 1), MOST_PANELS)
    figure = Figure(figsize=(min(PAGE, 0.9 + 2.0 * columns), 0.8 + 1.9 * rows))
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat[len(shown) :]:
        axis.set_axis_off()
    drawn = ["before", calibration["method"]]
    for axis, (part, name) in zip(axes.flat, shown, strict=False):
        _curves(axis, part["decision"][name], drawn)
        above = f"{titled(part['name'])}\n" if part["name"] else ""
        axis.set_title(above + shortened(name, LETTERS))
    for k in range(len(shown)):
        axes.flat[k].set_ylabel("net benefit" if k % columns == 0 else "")
        axes.flat[k].set_xlabel("threshold" if k + columns >= len(shown) else "")
    handles = [Line2D([], [], label=name, **_line(name)) for name in drawn]
    handles += [Line2D([], [], label="treat all", **ALL), Line2D([], [], label="none", **NONE)]
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure


def _points(bins: dict[str, list[float]]) -> tuple[list[float], list[float]]:
    """Confidence and share that is right, of tenths with FEWEST images or more."""
    kept = [i for i, n in enumerate(bins["n"]) if n >= FEWEST]
    return [bins["confidence"][i] for i in kept], [bins["right"][i] for i in kept]


def _maps(part: dict[str, Any]) -> list[str]:
    return [name for name in LINES if name in part["reliability"]]


def _line(name: str) -> dict[str, Any]:
    """Of 99 thresholds each would have a marker."""
    return LINES[name] | {"marker": ""}


def _curves(axis: Axes, curves: dict[str, list[float]], drawn: list[str]) -> None:
    thresholds = curves["thresholds"]
    axis.plot(thresholds, curves["all"], **ALL)
    axis.axhline(0, **NONE)
    for name in (one for one in drawn if one in curves):
        axis.plot(thresholds, curves[name], **_line(name))
    # Treating all falls without end; what matters lies above a little below nothing.
    top = max(max(curves[name]) for name in drawn if name in curves)
    axis.set(xlim=(0, 1), ylim=(-0.12 * top - 0.01, 1.12 * max(top, curves["all"][0]) + 0.01))
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    # Two ticks, at nothing and halfway up: panels are small and each has a scale of its own.
    axis.set_yticks(np.round(np.linspace(0, max(axis.get_ylim()[1], 0.01), 3)[:2], 2))
