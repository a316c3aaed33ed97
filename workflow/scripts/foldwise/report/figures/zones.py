"""Zone scores: what is taken for what in each zone, mean scores against the reader's, folds."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from foldwise.evaluate.metrics.confusion import confusion
from foldwise.evaluate.metrics.zone_counts import zone_scores
from foldwise.evaluate.metrics.zones import BANDS, UNKNOWN, arrays, mean_score
from foldwise.files import read_csv, read_json
from foldwise.report.figures.agreement import dots, draw_differences, summary_of
from foldwise.report.figures.folds import composition, groups_of, judged
from foldwise.report.inputs import Paths
from foldwise.report.style import GREY, PAGE, SHARES, number, text_on

VALUES = ["0", "1", "2", "3", "?"]
CELL = 0.36  # inches
BAND = {"color": GREY, "linestyle": (0, (1.2, 1.6)), "linewidth": 0.7}


@dataclass(frozen=True)
class Scored:
    """Pooled predictions: zones, pairs of them, labels and predicted (N, Z) of 0 to 4."""

    zones: list[str]
    pairs: list[list[str]]
    labels: np.ndarray
    predicted: np.ndarray


def scored(paths: Paths) -> Scored:
    """val_predictions.csv of all folds given; zones from params.json."""
    task = read_json(paths["params"][0])["task"]
    rows = [row for path in paths["predictions"] for row in read_csv(path)]
    labels, probabilities = arrays(rows, task["zones"])
    predicted = probabilities.argmax(axis=2)
    return Scored(task["zones"], task.get("mirror") or [], labels, predicted)


def laid_out(zones: list[str], pairs: list[list[str]]) -> list[list[str]]:
    """Rows of zones as they lie in the picture: a pair a row, then those without a partner."""
    paired = {zone for pair in pairs for zone in pair}
    single = [zone for zone in zones if zone not in paired]
    return [*pairs, *(single[n : n + 2] for n in range(0, len(single), 2))]


def draw_confusion(paths: Paths) -> Figure:
    """A matrix a zone, where the zone lies; rows are the truth, columns the prediction."""
    table = scored(paths)
    rows = laid_out(table.zones, table.pairs)
    side = CELL * len(VALUES)
    figure = Figure(figsize=(2 * side + 2.2, len(rows) * (side + 0.55) + 0.3))
    axes = figure.subplots(len(rows), 2, squeeze=False)
    # All hidden first: a zone without a partner leaves a place empty.
    for axis in axes.flat:
        axis.set_visible(False)
    for row, zones in zip(axes, rows, strict=True):
        for axis, zone in zip(row, zones, strict=False):
            axis.set_visible(True)
            z = table.zones.index(zone)
            image = _matrix(axis, table.labels[:, z], table.predicted[:, z])
            axis.set_title(_heading(zone, table.labels[:, z], table.predicted[:, z]))
        row[0].set_ylabel("true score")
    for axis in [axis for axis in axes[-1] if axis.get_visible()]:
        axis.set_xlabel("predicted score")
    bar = figure.colorbar(image, ax=axes, shrink=0.35, aspect=22, pad=0.02, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0", "50 %", "100 %"])
    bar.set_label("share of the true score")
    bar.outline.set_edgecolor(GREY)
    return figure


def _matrix(axis: Axes, labels: np.ndarray, predicted: np.ndarray):
    matrix = confusion(labels, predicted, UNKNOWN + 1)
    totals = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    image = axis.imshow(share, cmap=SHARES, vmin=0, vmax=1)
    for i, j in np.ndindex(matrix.shape):
        # Zeros stay blank: the pattern is seen better without them.
        if matrix[i, j]:
            colour = text_on(SHARES(share[i, j]))
            axis.text(j, i, f"{matrix[i, j]}", ha="center", va="center", color=colour, size=7)
    axis.grid(visible=False)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(True)
    # Sets unknown apart: it has no place in the order of scores.
    axis.axhline(UNKNOWN - 0.5, color=GREY, linewidth=0.6)
    axis.axvline(UNKNOWN - 0.5, color=GREY, linewidth=0.6)
    axis.set_xticks(range(UNKNOWN + 1), VALUES)
    axis.set_yticks(range(UNKNOWN + 1), VALUES)
    return image


def _heading(zone: str, labels: np.ndarray, predicted: np.ndarray) -> str:
    scores = zone_scores(labels, predicted)
    named = zone.replace("_", " ")
    return (
        f"{named}\nexact {number(scores['exact'], '.0%')}, kappa {number(scores['kappa'], '.2f')}"
    )


def draw_agreement(paths: Paths) -> Figure:
    """Left: predicted against read mean score. Right: their difference, with its limits."""
    table = scored(paths)
    truth, guess = mean_score(table.labels), mean_score(table.predicted)
    both = ~np.isnan(truth) & ~np.isnan(guess)
    figure = Figure(figsize=(PAGE, 3.3))
    left, right = figure.subplots(1, 2)
    _scatter(left, truth[both], guess[both])
    draw_differences(right, truth[both], guess[both], decimals=2, headroom=1.15)
    right.set_title("Limits of agreement")
    right.set(xlim=(-0.1, 3.5), xlabel="mean of both", ylabel="predicted minus reader")
    return figure


def _scatter(axis: Axes, truth: np.ndarray, guess: np.ndarray) -> None:
    for edge in BANDS:
        axis.axhline(edge, **BAND)
        axis.axvline(edge, **BAND)
    # The line on which both agree.
    axis.plot([0, 3], [0, 3], color=GREY, linewidth=0.9)
    dots(axis, truth, guess)
    axis.set_title(f"Mean score: {summary_of(truth, guess, '.2f')}")
    axis.set(xlim=(-0.1, 3.1), ylim=(-0.1, 3.1), aspect="equal")
    axis.set(xlabel="mean score of the reader", ylabel="mean score predicted")
    axis.grid(visible=False)


def draw_composition(paths: Paths) -> Figure:
    """Zones of each score in the part that a fold is judged on."""
    zones = read_json(paths["params"][0])["task"]["zones"]
    parts = judged(paths)
    labels = [
        np.array([[int(row[zone]) for zone in zones] for row in rows]) for rows in parts.values()
    ]
    counts = np.array([np.bincount(part.ravel(), minlength=UNKNOWN + 1) for part in labels])
    return composition(parts, counts, [*VALUES[:UNKNOWN], "unknown"], "zones", groups_of(paths))
