"""ROC and precision-recall curves: a panel a class, each fold faint, all folds together bold."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from foldwise.evaluate.metrics.ranking import binary_auc
from foldwise.evaluate.wording import titled
from foldwise.report.inputs import Paths, Predictions, predictions
from foldwise.report.style import ACCENT, GREY, PAGE, grid, number, shortened

FOLD = {"color": "#aab2bd", "linewidth": 0.7}
POOLED = {"color": ACCENT, "linewidth": 1.7}
CHANCE = {"color": GREY, "linestyle": (0, (1.2, 1.6)), "linewidth": 0.9}
MOST_PANELS = 4
LETTERS = 13  # of a class name above a panel
# Average precision is the area under steps; between points of a ROC curve lies a straight line.
STEPS = {"AUC": "default", "AP": "steps-post"}

Curve = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def draw_roc(paths: Paths) -> Figure:
    """Sensitivity against the share of false alarms, each class against the rest."""
    return _panels(predictions(paths), _roc, binary_auc, "AUC")


def draw_precision_recall(paths: Paths) -> Figure:
    """Precision against recall, each class against the rest; AP is the average precision."""
    return _panels(predictions(paths), _precision_recall, _average_precision, "AP")


def _roc(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    false_rate, true_rate, _ = roc_curve(positive, score)
    return false_rate, true_rate


def _precision_recall(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    precision, recall, _ = precision_recall_curve(positive, score)
    return recall, precision


def _average_precision(positive: np.ndarray, score: np.ndarray) -> float:
    return float(average_precision_score(positive, score)) if positive.any() else float("nan")


def _panels(tables: list[Predictions], curve: Curve, area: Curve, name: str) -> Figure:
    shown = [(table, k) for table in tables for k in range(len(table.classes))]
    n = len(shown)
    rows, columns = grid(n, MOST_PANELS)
    figure = Figure(figsize=(min(PAGE, 0.5 + 1.75 * columns), 0.75 + 1.8 * rows))
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axis in axes.flat[n:]:
        axis.set_axis_off()
    for axis, (table, k) in zip(axes.flat, shown, strict=False):
        _panel(axis, table, k, curve, area, name)
    _label(axes, n, name)
    handles = [
        Line2D([], [], label="all folds together", **POOLED),
        Line2D([], [], label="single fold", **FOLD),
        Line2D([], [], label="chance", **CHANCE),
    ]
    if all(len(np.unique(table.fold)) == 1 for table in tables):
        handles = [Line2D([], [], label="validation part", **POOLED), handles[-1]]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    return figure


def _panel(axis: Axes, table: Predictions, k: int, curve: Curve, area: Curve, name: str) -> None:
    areas = []
    for fold in np.unique(table.fold):
        one = table.of_fold(int(fold))
        positive = one.labels == k
        if positive.any() and not positive.all():
            axis.plot(*curve(positive, one.probabilities[:, k]), drawstyle=STEPS[name], **FOLD)
            areas.append(area(positive, one.probabilities[:, k]))
    positive = table.labels == k
    # Guessing has the share of the class as its precision, at any recall.
    chance = ([0, 1], [0, 1]) if name == "AUC" else ([0, 1], [positive.mean()] * 2)
    axis.plot(*chance, **CHANCE)
    if positive.any() and not positive.all():
        axis.plot(*curve(positive, table.probabilities[:, k]), drawstyle=STEPS[name], **POOLED)
    whole = area(positive, table.probabilities[:, k])
    _write(axis, f"{name} {number(whole, '.2f')}", areas)
    axis.set_title(_heading(table, k, int(positive.sum())), pad=13)
    # Square: both axes are shares of the same kind.
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03), aspect="equal")
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axis.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])


def _heading(table: Predictions, k: int, there: int) -> str:
    """The class and how many there are, below its label where there are several."""
    name = f"{shortened(table.classes[k], LETTERS)} (n={there})"
    return f"{titled(table.label)}\n{name}" if table.label else name


def _write(axis: Axes, text: str, areas: list[float]) -> None:
    """Under the title: the area of all folds together and its range over folds."""
    if len(areas) > 1:
        text += f"  (folds {min(areas):.2f}–{max(areas):.2f})"
    axis.text(0, 1.03, text, transform=axis.transAxes, size=6.5)


def _label(axes: np.ndarray, n: int, name: str) -> None:
    across, up = (
        ("false positives (share)", "sensitivity") if name == "AUC" else ("recall", "precision")
    )
    columns = axes.shape[1]
    for k in range(n):
        if k + columns >= n:
            axes.flat[k].set_xlabel(across)
            axes.flat[k].tick_params(labelbottom=True)
        if k % columns == 0:
            axes.flat[k].set_ylabel(up)
