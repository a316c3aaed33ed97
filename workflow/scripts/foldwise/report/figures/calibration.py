"""Is a confidence of 80 % right in 80 of 100? Of the predicted class, and of each class."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from scipy.stats import binomtest

from foldwise.evaluate.metrics.calibration import ECE_BINS, expected_calibration_error
from foldwise.evaluate.wording import titled
from foldwise.report.inputs import Paths, Predictions, predictions
from foldwise.report.style import ACCENT, GREY, PAGE, line_styles, shortened

IDEAL = {"color": GREY, "linestyle": (0, (1.2, 1.6)), "linewidth": 0.9}
CLASS_BINS = 5
LETTERS = 22  # of a class name in the legend


def draw(paths: Paths) -> Figure:
    """Left: confidence of the prediction against how often it is right. Right: class by class."""
    tables = predictions(paths)
    figure = Figure(figsize=(PAGE, 3.4 * len(tables)))
    parts = figure.subfigures(len(tables), 1, squeeze=False)[:, 0]
    for part, table in zip(parts, tables, strict=True):
        _of_label(part, table)
    return figure


def _of_label(part: SubFigure, table: Predictions) -> None:
    places = part.add_gridspec(2, 2, height_ratios=[4, 1])
    above, below = (part.add_subplot(places[row, 0]) for row in (0, 1))
    _of_prediction(above, below, table)
    _of_classes(part.add_subplot(places[:, 1]), table)
    if table.label:
        part.suptitle(titled(table.label), x=0.01, ha="left", weight="bold", size=9)


def _of_prediction(axis: Axes, below: Axes, table: Predictions) -> None:
    confidence = table.probabilities.max(axis=1)
    right = table.probabilities.argmax(axis=1) == table.labels
    bins = np.clip(np.ceil(confidence * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
    axis.plot([0, 1], [0, 1], **IDEAL)
    for b in np.unique(bins):
        here = bins == b
        share = right[here].mean()
        # Wilson's, which holds for few samples and for shares of 0 and 1.
        span = binomtest(int(right[here].sum()), int(here.sum())).proportion_ci(method="wilson")
        reach = [[share - span.low], [span.high - share]]
        axis.errorbar(
            confidence[here].mean(), share, reach, fmt="o", color=ACCENT, linewidth=1, capsize=2
        )
    error = expected_calibration_error(table.labels, table.probabilities)
    axis.set_title(f"Predicted class: expected calibration error {error:.3f}")
    # Beyond 0 and 1, or marks at either end would be cut in half.
    axis.set(xlim=(0, 1), ylim=(-0.02, 1.05), ylabel="share that is right")
    axis.tick_params(labelbottom=False)
    edges = np.linspace(0, 1, ECE_BINS + 1)
    parts = [confidence[right], confidence[~right]]
    below.hist(parts, edges, stacked=True, color=[ACCENT, "white"], edgecolor=ACCENT, linewidth=0.6)
    _hatch_second(below)
    below.legend(["right", "wrong"], loc="upper left", ncols=1, handlelength=1.2)
    below.set(xlim=(0, 1), xlabel="confidence of the prediction", ylabel="samples")


def _hatch_second(axis: Axes) -> None:
    for patch in axis.containers[1]:
        patch.set_hatch("//////")


def _of_classes(axis: Axes, table: Predictions) -> None:
    """Equal numbers of samples a point: rare classes have few high probabilities."""
    axis.plot([0, 1], [0, 1], **IDEAL)
    for k, style in enumerate(line_styles(len(table.classes))):
        probability = table.probabilities[:, k]
        # Stable: equal probabilities stay in the order of content.
        parts = np.array_split(np.argsort(probability, kind="stable"), CLASS_BINS)
        x = [probability[part].mean() for part in parts if len(part)]
        y = [(table.labels[part] == k).mean() for part in parts if len(part)]
        axis.plot(x, y, label=shortened(table.classes[k], LETTERS), **style)
    axis.set_title("Each class")
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.05))
    axis.set(xlabel="probability of the class", ylabel="share that is of the class")
    axis.legend(loc="upper left", handlelength=3.2, ncols=1 + len(table.classes) // 5)
