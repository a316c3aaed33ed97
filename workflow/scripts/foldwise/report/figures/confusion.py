"""Confusion matrix: counts in the cells, shares of the true class as shade and small print."""

import numpy as np
from matplotlib.figure import Figure

from foldwise.metrics.classification import confusion
from foldwise.report.inputs import Paths, predictions
from foldwise.report.style import GREY, SHARES, text_on

CELL = 0.62


def draw(paths: Paths) -> Figure:
    """Rows are the truth, columns the prediction, over all folds given."""
    table = predictions(paths)
    matrix = confusion(table.labels, table.probabilities.argmax(axis=1), len(table.classes))
    return matrix_figure(matrix, table.classes)


def matrix_figure(matrix: np.ndarray, classes: list[str]) -> Figure:
    """The figure of (K, K) counts."""
    n = len(classes)
    totals = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    figure = Figure(figsize=(1.9 + CELL * n, 0.9 + CELL * n))
    axis = figure.subplots()
    image = axis.imshow(share, cmap=SHARES, vmin=0, vmax=1)
    for i, j in np.ndindex(n, n):
        colour = text_on(SHARES(share[i, j]))
        axis.text(j, i - 0.1, f"{matrix[i, j]}", ha="center", va="center", color=colour, size=9)
        shown = f"{share[i, j]:.0%}" if totals[i, 0] else "–"
        axis.text(j, i + 0.23, shown, ha="center", va="center", color=colour, size=6)
    _frame(axis, n)
    axis.set_xticks(range(n), [f"{c}\nn={t}" for c, t in zip(classes, matrix.sum(0), strict=True)])
    axis.set_yticks(range(n), [f"{c}\nn={t}" for c, t in zip(classes, totals[:, 0], strict=True)])
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    bar = figure.colorbar(image, ax=axis, shrink=0.8, aspect=24, pad=0.02, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0", "50 %", "100 %"])
    bar.set_label("share of the true class")
    bar.outline.set_edgecolor(GREY)
    return figure


def _frame(axis, n: int) -> None:
    axis.grid(False)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(True)
    for edge in np.arange(n - 1) + 0.5:
        axis.axhline(edge, color="white", linewidth=1)
        axis.axvline(edge, color="white", linewidth=1)
