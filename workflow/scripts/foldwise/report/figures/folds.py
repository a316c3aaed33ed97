"""Folds side by side: what is in them, and what came of them."""

from collections import Counter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from foldwise.evaluate.wording import IN_LABELS, ON_AXIS, called, head_of, titled
from foldwise.files import read_csv, read_json
from foldwise.report.inputs import Paths, classes_of
from foldwise.report.style import ACCENT, INK, PAGE, area_styles, shortened, text_on
from foldwise.settings.groups import units_of

Style = dict[str, Any]
FOLD: Style = {"color": "#8a94a3", "marker": "|", "linestyle": "", "markersize": 8}
MEAN: Style = {"color": INK, "marker": "s", "markersize": 4}
MOST_NAMES = 10  # beside each other in a legend
LETTERS = 16  # of a class name in a legend
POOLED: Style = {"color": ACCENT, "marker": "D", "markersize": 4}


def draw_metrics(paths: Paths) -> Figure:
    """Each fold a mark, their mean with its interval, and the pooled value with its own.

    Of a single split the pooled value alone: it is the fold, and there is no mean.
    """
    summary = read_json(paths["summary"][0])
    shared = set(IN_LABELS) & set(ON_AXIS)
    of_labels = (name for name in summary if head_of(name)[1] in shared)
    names = [name for name in ON_AXIS if name in summary] + sorted(of_labels)
    several = len(summary["folds"]) > 1
    figure = Figure(figsize=(0.9 * PAGE, 0.75 + 0.42 * len(names)))
    axis = figure.subplots()
    for row, name in enumerate(names):
        if several:
            values = [fold.get(name) for fold in summary["folds"] if fold.get(name) is not None]
            axis.plot(values, [row - 0.17] * len(values), **FOLD)
            with_bar(axis, row - 0.17, summary[name]["mean"], summary[name]["interval"], MEAN)
        pooled = summary["pooled"]["image"]["metrics"][name]
        with_bar(axis, row + 0.17 * several, pooled["value"], pooled.get("interval"), POOLED)
    a_row_each(axis, names)
    _legend(figure, summary, groups_of(paths))
    return figure


def a_row_each(axis: Axes, names: list[str]) -> None:
    """Metrics by name down the left, no scale beyond the largest value that they can have."""
    axis.set_yticks(range(len(names)), [called(name)[0] for name in names])
    # Turned, so that the first metric is at the top.
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False, axis="y")
    axis.set_xlim(axis.get_xlim()[0], min(axis.get_xlim()[1], 1.02))


def with_bar(axis: Axes, y: float, value: float | None, interval: Any, style: Style) -> None:
    """A mark on its interval, and both as numbers in a column at the right."""
    if value is None:
        return
    text = f"{value:.3f}"
    if interval and interval[0] is not None:
        axis.plot(interval, [y, y], color=style["color"], linewidth=1.2, solid_capstyle="butt")
        text += f"  [{interval[0]:.3f}, {interval[1]:.3f}]"
    # A value of 1 lies on the edge: its mark is not to be cut in half.
    axis.plot(value, y, clip_on=False, **style)
    place = {"transform": axis.get_yaxis_transform(), "va": "center", "size": 6.5}
    axis.text(1.015, y, text, color=style["color"], **place)


def groups_of(paths: Paths) -> str:
    """What a group is: "patients", or "exams" where images are grouped by accession."""
    return units_of(read_json(paths["manifest"][0])["group_by"])


def _legend(figure: Figure, summary: dict[str, Any], unit: str) -> None:
    share = f"{summary['methods']['level']:.0%} interval"
    number = f"{summary['pooled']['image']['n']:,}"
    if len(summary["folds"]) == 1:
        of_part = f"validation part ({number} images), {share} over {unit}"
        figure.legend(handles=[Line2D([], [], label=of_part, **POOLED)], loc="outside upper right")
        return
    handles = [
        Line2D([], [], label="fold", **FOLD),
        Line2D([], [], label=f"mean over folds, {share}", **MEAN),
        Line2D([], [], label=f"pooled ({number} images), {share} over {unit}", **POOLED),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)


def draw_composition(paths: Paths) -> Figure:
    """Images of each class in the part that a fold is judged on, and its number of groups."""
    parts, labels = judged(paths), classes_of(paths)
    figure = Figure(figsize=(0.8 * PAGE, (0.85 + 0.3 * len(parts)) * len(labels)))
    axes = figure.subplots(len(labels), 1, squeeze=False)[:, 0]
    for axis, (label, classes) in zip(axes, labels.items(), strict=True):
        column = f"label_{label}" if label else "label"
        counted = [Counter(row[column] for row in rows) for rows in parts.values()]
        counts = np.array([[of[name] for name in classes] for of in counted])
        bars(axis, parts, counts, classes, "images", groups_of(paths))
        axis.set_title(titled(label))
    return figure


def judged(paths: Paths) -> dict[str, list[dict[str, str]]]:
    """Rows of the cohort that each fold is judged on, by its name; then the holdout, if any."""
    cohort = {row["sample"]: row for row in read_csv(paths["cohort"][0])}
    folds = [read_csv(path) for path in paths["folds"]]
    parts = {f"fold {k}": ("val", fold) for k, fold in enumerate(folds, 1)}
    # The same in the file of every fold: the first one tells it.
    parts["holdout"] = "holdout", folds[0]
    by_name = {
        name: [cohort[row["sample"]] for row in fold if row["part"] == part]
        for name, (part, fold) in parts.items()
    }
    return {name: rows for name, rows in by_name.items() if rows}


def composition(
    parts: dict[str, list[dict[str, str]]],
    counts: np.ndarray,
    names: list[str],
    what: str,
    unit: str,
) -> Figure:
    """A figure of `bars` alone."""
    figure = Figure(figsize=(0.8 * PAGE, 0.85 + 0.3 * len(parts)))
    bars(figure.subplots(), parts, counts, names, what, unit)
    return figure


def bars(
    axis: Axes,
    parts: dict[str, list[dict[str, str]]],
    counts: np.ndarray,
    names: list[str],
    what: str,
    unit: str,
) -> None:
    """Stacked bars of `counts` (parts, names), of what is counted, beside images and groups.

    parts: what `judged` gives.
    """
    start = np.zeros(len(parts))
    for k, style in enumerate(area_styles(len(names))):
        label = shortened(names[k], LETTERS)
        drawn = axis.barh(
            range(len(parts)), counts[:, k], left=start, height=0.72, label=label, **style
        )
        _counts_in(axis, drawn, counts[:, k], counts.sum(axis=1).max())
        start += counts[:, k]
    _groups(axis, list(parts.values()), start, unit)
    axis.set_xlabel(what)
    _finish(axis, list(parts), len(names))


def _counts_in(axis: Axes, bars: Any, numbers: np.ndarray, longest: int) -> None:
    """The number inside its bar, where it fits."""
    for bar, number in zip(bars, numbers, strict=True):
        # A narrower bar has no room for a number of this size.
        if number > 0.018 * longest:
            x, y = bar.get_x() + bar.get_width() / 2, bar.get_y() + bar.get_height() / 2
            face = bar.get_facecolor()
            # Else the hatching would run through the number.
            box = {"facecolor": face, "edgecolor": "none", "pad": 0.8}
            axis.text(
                x, y, str(number), ha="center", va="center", size=6.5, color=text_on(face), bbox=box
            )


def _groups(axis: Axes, parts: list[list[dict[str, str]]], ends: np.ndarray, unit: str) -> None:
    for i, part in enumerate(parts):
        text = f"{len(part)} images, {len({row['group'] for row in part})} {unit}"
        axis.annotate(text, (ends[i], i), (4, 0), textcoords="offset points", va="center", size=6.5)


def _finish(axis: Axes, parts: list[str], n_classes: int) -> None:
    axis.set_yticks(range(len(parts)), parts)
    axis.set_ylim(len(parts) - 0.5, -0.5)
    # A third more than the longest bar, for the words beside it.
    axis.set_xlim(0, axis.dataLim.x1 * 1.35)
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False)
    axis.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0.2,
        ncols=min(n_classes, MOST_NAMES),
        handlelength=1.4,
        columnspacing=1.2,
    )
