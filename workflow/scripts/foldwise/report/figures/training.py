"""Training curves: a panel a fold, the others behind it in grey."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from foldwise.evaluate.wording import spoken
from foldwise.report.inputs import History, Paths, histories
from foldwise.report.style import ACCENT, FAINT, GREY, INK, PAGE, grid

TRAIN = {"color": GREY, "linestyle": (0, (2.5, 1.2)), "linewidth": 1.1}
VALIDATION = {"color": ACCENT, "linestyle": "-", "linewidth": 1.5}
KEPT = {"color": INK, "linestyle": ":", "linewidth": 0.9}
# val_loss is what the run minimises; log_loss is a metric, which many kinds of study do not have.
LOSSES = (("train_loss", TRAIN), ("val_loss", VALIDATION))
MOST_PANELS = 5


def draw(paths: Paths) -> Figure:
    """Loss above, monitored metric below, for every fold; one fold alone lies side by side."""
    runs = histories(paths)
    if len(runs) == 1:
        return _one(runs)
    rows, columns = grid(len(runs), MOST_PANELS)
    width = min(PAGE, 0.6 + 1.75 * columns)
    figure = Figure(figsize=(width, 0.35 + 2.55 * rows))
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for i in range(rows * columns):
        pair = axes[2 * (i // columns) : 2 * (i // columns) + 2, i % columns]
        if i < len(runs):
            _fold(pair[0], pair[1], runs, runs[i])
        else:
            pair[0].set_axis_off()
            pair[1].set_axis_off()
    _share_scales(axes, len(runs), columns)
    _labels(axes, runs, columns)
    _legend(figure, runs)
    return figure


def _one(runs: list[History]) -> Figure:
    figure = Figure(figsize=(0.75 * PAGE, 2.5))
    left, right = figure.subplots(1, 2)
    _fold(left, right, runs, runs[0])
    left.set_ylabel("loss")
    right.set_ylabel(spoken(runs[0].monitor))
    for axis in (left, right):
        axis.set_xlabel("epoch")
    _legend(figure, runs)
    return figure


def _fold(loss: Axes, metric: Axes, runs: list[History], run: History) -> None:
    """Draw one fold in full and the others faintly, so that an outlier stands out."""
    for other in runs:
        if other is not run:
            loss.plot(_epochs(other), other.series("val_loss"), color=FAINT, linewidth=0.7)
            metric.plot(_epochs(other), other.series(other.monitor), color=FAINT, linewidth=0.7)
    for name, style in LOSSES:
        loss.plot(_epochs(run), run.series(name), **style)
    metric.plot(_epochs(run), run.series(run.monitor), **VALIDATION)
    for axis in (loss, metric):
        axis.axvline(run.best_epoch, **KEPT)
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axis.yaxis.set_major_locator(MaxNLocator(5))
    kept = run.series(run.monitor)[run.best_epoch - 1]
    metric.plot(run.best_epoch, kept, "o", color=INK, markersize=3.2)
    loss.set_title(f"Fold {run.fold}")


def _epochs(run: History) -> np.ndarray:
    return np.arange(1, len(run.epochs) + 1)


def _share_scales(axes: np.ndarray, n: int, columns: int) -> None:
    """Equal scales over folds, a scale for losses and one for the metric."""
    for kind in (0, 1):
        panels = [axes[2 * (i // columns) + kind, i % columns] for i in range(n)]
        low = min(panel.get_ylim()[0] for panel in panels)
        high = max(panel.get_ylim()[1] for panel in panels)
        for panel in panels:
            # Folds are to be compared by eye: of scales of their own each would look alike.
            panel.set_ylim(low, high)
            # Folds that stopped early end within the panel, where it can be seen.
            panel.set_xlim(0.5, max(p.dataLim.x1 for p in panels) + 0.5)


def _labels(axes: np.ndarray, runs: list[History], columns: int) -> None:
    for i in range(len(runs)):
        loss, metric = (
            axes[2 * (i // columns), i % columns],
            axes[2 * (i // columns) + 1, i % columns],
        )
        loss.tick_params(labelbottom=False)
        metric.set_xlabel("epoch")
        if i % columns:
            loss.tick_params(labelleft=False)
            metric.tick_params(labelleft=False)
        else:
            loss.set_ylabel("loss")
            metric.set_ylabel(spoken(runs[0].monitor))


def _legend(figure: Figure, runs: list[History]) -> None:
    handles = [
        Line2D([], [], label="training loss", **TRAIN),
        Line2D([], [], label=f"validation loss, {spoken(runs[0].monitor)}", **VALIDATION),
        Line2D([], [], label="kept weights", marker="o", markersize=3.2, **KEPT),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
