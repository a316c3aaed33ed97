"""Figures of a validation: metrics beside the expected ones, calibration, labels, grey levels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from foldwise.metrics import metric_of
from foldwise.report.style import ACCENT, GREY, INK, PAGE, look, save

HERE = {"color": ACCENT, "marker": "o", "linestyle": "none", "label": "here"}
EXPECTED = {"color": GREY, "marker": "D", "linestyle": "none", "label": "expected"}


def draw_all(record: Mapping[str, Any], folder: Path) -> dict[str, dict[str, str]]:
    """Write the figures of external_summary.json into `folder`; name -> title, caption, file."""
    made = {}
    for name, (draw, title, caption) in FIGURES.items():
        with look():
            figure = draw(record)
            if figure is not None:
                save(figure, folder / f"{name}.png")
                file = f"figures/{name}.png"
                made[name] = {"title": title, "caption": caption, "file": file}
    return made


def metrics(record: Mapping[str, Any]) -> Figure | None:
    """A row a metric on an axis of 0 to 1: expected above, here below, with intervals."""
    # A distance in pixels has no place on an axis of 0 to 1; the table has it.
    rows = [r for r in record["comparison"] if _on_axis(r["metric"]) and _there(r)]
    if not rows:
        return None
    figure = Figure(figsize=(0.9 * PAGE, 0.75 + 0.42 * len(rows)))
    axis = figure.subplots()
    for place, row in enumerate(rows):
        bar(axis, place - 0.15, row["expected"], EXPECTED)
        bar(axis, place + 0.15, row["here"], HERE)
    axis.set_yticks(range(len(rows)), [row["title"] for row in rows])
    # Upside down: the first metric of the table is the top row.
    axis.set_ylim(len(rows) - 0.5, -0.5)
    handles = [axis.plot([], [], **style)[0] for style in (EXPECTED, HERE)]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


def bar(axis: Axes, place: float, side: Mapping[str, Any], style: Mapping[str, Any]) -> None:
    """A value with its interval on a row of the figure."""
    low, high = side["interval"]
    if low is not None and high is not None:
        axis.plot([low, high], [place, place], color=style["color"])
    axis.plot([side["value"]], [place], **{**style, "label": None})


def _on_axis(name: str) -> bool:
    metric = metric_of(name)
    return metric is not None and metric.on_axis


def _there(row: Mapping[str, Any]) -> bool:
    return row["here"]["value"] is not None and row["expected"]["value"] is not None


def calibration(record: Mapping[str, Any]) -> Figure | None:
    """Accuracy over confidence, in ten bins; the size of a mark is that of the bin."""
    bins = record["calibration"]
    if not bins:
        return None
    figure = Figure(figsize=(0.5 * PAGE, 0.45 * PAGE))
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (5, 1.5)))
    sizes = [12 + 120 * one["n"] / sum(b["n"] for b in bins) for one in bins]
    x, y = ([one[key] for one in bins] for key in ("confidence", "accuracy"))
    axis.plot(x, y, color=ACCENT, linewidth=0.8)
    axis.scatter(x, y, s=sizes, color=ACCENT, edgecolor="white", zorder=3)
    axis.set(xlabel="Confidence", ylabel="Accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
    return figure


def shift(record: Mapping[str, Any]) -> Figure:
    """Shares of labels, and histogram of prepared grey levels: training and here."""
    labels = {n: one for n, one in record["shift"]["labels"].items() if one["names"]}
    figure = Figure(figsize=(PAGE, 2.1 + 0.25 * max(map(_bars, labels.values()), default=0)))
    axes = figure.subplots(1, len(labels) + 1, squeeze=False)[0]
    for axis, (name, one) in zip(axes, labels.items(), strict=False):
        places = np.arange(len(one["names"]))
        axis.barh(places - 0.2, one["trained"], 0.38, color=GREY, label="training")
        shares = [np.nan if share is None else share for share in one["here"]]
        axis.barh(places + 0.2, shares, 0.38, color=ACCENT, hatch="////", edgecolor="white")
        axis.set_yticks(places, one["names"])
        axis.invert_yaxis()
        axis.set(title=name.removeprefix("label_"), xlabel="Share of images")
    grey = record["shift"]["grey_levels"]
    edges = np.linspace(0, 1, len(grey["trained"]) + 1)
    axes[-1].stairs(grey["trained"], edges, color=GREY, fill=True, alpha=0.5, label="training")
    axes[-1].stairs(grey["here"], edges, color=INK, label="here")
    axes[-1].set(title="Grey levels", xlabel="Prepared grey level", ylabel="Share of pixels")
    # One level, such as a black background, may have most pixels: the others stay visible.
    axes[-1].set_yscale("symlog", linthresh=0.01)
    axes[-1].legend()
    return figure


def _bars(label: Mapping[str, Any]) -> int:
    return len(label["names"])


FIGURES = {
    "external_metrics": (
        metrics,
        "Here and expected",
        "Each metric with its interval: expected of the models, and at this site.",
    ),
    "external_calibration": (
        calibration,
        "Calibration here",
        "Accuracy of answers by their confidence, as the models give it; on the line both agree.",
    ),
    "external_shift": (
        shift,
        "Labels and grey levels",
        "Shares of labels (grey: training, hatched: here) and the histogram of prepared images.",
    ),
}
