"""Figures 6 and 7: what the losses of a search weigh, as `gradients.report_of` measured it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from foldwise.report.style import GREY, PAGE, area_styles, line_styles, text_on
from foldwise.search.analysis.figures import empty_figure, words

NAMES = ("easy", "medium", "hard")
NOTHING = "No predictions: only a search of our own has models, masks and labels to measure with."
# Shares that are too small for a number inside their bar.
LEAST_SHOWN = 0.06


def shapes(report: Mapping[str, Any] | None) -> Figure:
    """Fig 6: shape, gradient and focusing of each loss, over the probability of the truth."""
    if report is None:
        return empty_figure(NOTHING)
    figure = Figure(figsize=(PAGE, 2.9))
    value, gradient, focus = figure.subplots(1, 3)
    losses = report["losses"]
    for style, (name, loss) in zip(line_styles(len(losses)), losses.items(), strict=True):
        line = style | {"marker": None}
        truth, level, size = (
            np.array([row[key] for row in loss["shape"]]) for key in ("truth", "loss", "gradient")
        )
        value.plot(truth, level, label=words(name), **line)
        # By number: JSON's keys are text, among which 64 is larger than 512.
        bins = loss["sizes"][max(loss["sizes"], key=int)]["bins"]
        gradient.plot([b["truth"] for b in bins], [b["gradient"] for b in bins],
                      **(style | {"markersize": 2.5}))  # fmt: skip
        focus.plot(truth, focusing(truth, size), **line)
    value.set(ylabel="loss", title="Shape: all equally hard")
    gradient.set(ylabel="mean gradient x number", title="Gradient on own predictions")
    gradient.set_yscale("log")
    focus.set(ylabel="gradient / (1 - p), 1 at p = .5", title="Focusing")
    focus.set_yscale("log")
    low, high = focus.get_ylim()
    # A loss that focuses on nothing is a flat line, not the last bits of its gradients.
    focus.set_ylim(min(low, 0.3), max(high, 3))
    focus.axhline(1, color=GREY, linewidth=0.7, linestyle=":")
    for axes in (value, gradient, focus):
        axes.set_xlabel("p: probability of the truth")
        axes.set_xlim(0, 1)
    figure.legend(loc="outside lower center", ncols=min(len(losses), 4))
    return figure


def focusing(truth: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Gradient over that of cross-entropy, 1 - p, scaled to 1 at p = .5: (1-p)^gamma of a focal."""
    relative = gradient / (1 - truth)
    return relative / np.interp(0.5, truth, relative)


def pixels(report: Mapping[str, Any] | None) -> Figure:
    """Fig 7: shares of easy, medium and hard elements, and of each loss's gradient, by size."""
    if report is None:
        return empty_figure(NOTHING)
    losses = report["losses"]
    sizes = sorted(next(iter(losses.values()))["sizes"], key=int)
    figure = Figure(figsize=(PAGE, 1.0 + 0.34 * (len(losses) + 1) * 1.2))
    panels = figure.subplots(1, len(sizes), squeeze=False, sharey=True)[0]
    for axes, size in zip(panels, sizes, strict=True):
        first = next(iter(losses.values()))["sizes"][size]
        bars = {report["element"].split(",")[0]: first["shares"]}
        bars |= {
            f"gradient, {words(name)}": loss["sizes"][size]["gradient"]
            for name, loss in losses.items()
        }
        _stacked(axes, bars)
        axes.set_title(f"{size} px, {first['n']:,} {report['element'].split(',')[0]}")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _stacked(axes: Axes, bars: Mapping[str, Mapping[str, float]]) -> None:
    places, left = np.arange(len(bars)), np.zeros(len(bars))
    for name, style in zip(reversed(NAMES), area_styles(3), strict=True):
        shares = np.array([bar[name] for bar in bars.values()])
        drawn = axes.barh(places, shares, 0.7, left=left, label=name, **style)
        for place, share, start in zip(places, shares, left, strict=True):
            if share >= LEAST_SHOWN:
                axes.text(start + share / 2, place, f"{share:.0%}", ha="center", va="center",
                          fontsize=6.5, color=text_on(drawn[0].get_facecolor()),
                          bbox={"facecolor": style["facecolor"], "edgecolor": "none",
                                "pad": 1})  # fmt: skip
        left = left + shares
    axes.set_yticks(places, list(bars))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share")
    axes.grid(visible=False)


DRAWN = (shapes, pixels)
