"""Confusion matrix: counts in the cells, shares of the true class as shade and small print."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from foldwise.evaluate.metrics.confusion import confusion
from foldwise.evaluate.wording import titled
from foldwise.report.inputs import Paths, predictions
from foldwise.report.style import GREY, SHARES, shortened, text_on

CELL = 0.62
LONG = 9  # letters of a class name that still fit under a column
MOST = 22  # letters of a class name that are shown


def draw(paths: Paths) -> Figure:
    """Rows are the truth, columns the prediction, over all folds given; a matrix a label."""
    tables = predictions(paths)
    heights = [_edges(table.classes)[1] + CELL * len(table.classes) for table in tables]
    widths = [_edges(table.classes)[0] + CELL * len(table.classes) for table in tables]
    figure = Figure(figsize=(max(widths), sum(heights)))
    axes = figure.subplots(len(tables), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, table in zip(axes, tables, strict=True):
        matrix = confusion(table.labels, table.probabilities.argmax(axis=1), len(table.classes))
        image = _matrix(axis, matrix, table.classes)
        axis.set_title(titled(table.label))
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=24, pad=0.02, ticks=[0, 0.5, 1])
    for axis in axes[: len(tables) if len(tables) > 1 else 0]:
        axis.set_anchor("W")  # The colorbar has moved them to its side.
    bar.ax.set_yticklabels(["0", "50 %", "100 %"])
    bar.set_label("share of the true class")
    bar.outline.set_edgecolor(GREY)
    return figure


def _edges(classes: list[str]) -> tuple[float, float]:
    """Inches beside and below a matrix that its class names take."""
    more = 0.05 * (min(MOST, max(map(len, classes))) - LONG) if _turned(classes) else 0
    return 1.9 + 1.3 * more, 0.9 + more


def _turned(classes: list[str]) -> bool:
    return max(map(len, classes)) > LONG


def _matrix(axis: Axes, matrix: np.ndarray, classes: list[str]) -> AxesImage:
    """(K, K) counts, rows the truth."""
    n = len(classes)
    totals = matrix.sum(axis=1, keepdims=True)
    # Of the true class, so that a rare one's errors are seen as well as a common one's.
    share = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    image = axis.imshow(share, cmap=SHARES, vmin=0, vmax=1)
    for i, j in np.ndindex(n, n):
        colour = text_on(SHARES(share[i, j]))
        axis.text(j, i - 0.1, f"{matrix[i, j]}", ha="center", va="center", color=colour, size=9)
        # A class that nobody has is divided by nothing: a dash, and not 0 %.
        shown = f"{share[i, j]:.0%}" if totals[i, 0] else "–"
        axis.text(j, i + 0.23, shown, ha="center", va="center", color=colour, size=6)
    _frame(axis, n)
    names = [shortened(name, MOST) for name in classes]
    across = [f"{c}\nn={t}" for c, t in zip(names, matrix.sum(0), strict=True)]
    axis.set_xticks(range(n), across, rotation=90 if _turned(classes) else 0)
    axis.set_yticks(range(n), [f"{c}\nn={t}" for c, t in zip(names, totals[:, 0], strict=True)])
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    return image


def _frame(axis, n: int) -> None:
    axis.grid(False)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(True)
    for edge in np.arange(n - 1) + 0.5:
        axis.axhline(edge, color="white", linewidth=1)
        axis.axvline(edge, color="white", linewidth=1)
