"""Several classification heads on one sample, such as modality and location."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from foldwise.evaluate.metrics import classification
from foldwise.evaluate.metrics.numbers import Measured, Weights, plain
from foldwise.metrics import monitors

OVER_HEADS = {"mean_f1": "macro_f1", "mean_accuracy": "accuracy", "log_loss": "log_loss"}
# What is measured of each label: all that is of classes, and recall by the name that goes with
# macro precision.
MEASURED = Measured(classification.MEASURED)
MEASURED.metric("macro_recall")(classification.balanced_accuracy)


def scores(
    labels: Mapping[str, np.ndarray],
    probabilities: Mapping[str, np.ndarray],
    weights: Weights = None,
) -> dict[str, Any]:
    """Metrics of each head as `<head>_<metric>`; means of heads: mean_f1, mean_accuracy, log_loss.

    labels[head]: (N,) integers; probabilities[head]: (N, K_head). F1, precision and recall are
    macro averages. Floats, or (R,) arrays with `weights` (R, N).
    """
    measured: dict[str, Any] = {}
    for head, truth in labels.items():
        answers = classification.Answers(truth, probabilities[head], weights)
        values = classification.measured_of(MEASURED, answers)
        measured |= {f"{head}_{name}": value for name, value in values.items()}
    for name, metric in OVER_HEADS.items():
        # A plain mean: a label that is undefined makes it undefined, and is not passed over.
        measured[name] = np.mean([measured[f"{head}_{metric}"] for head in labels], axis=0)
    return plain(measured)


def columns(head: str) -> tuple[str, str]:
    """Names in the prediction table: the label's column, the prefix of the probabilities'."""
    return f"label_{head}", f"p_{head}_"


def columns_of(label: str) -> tuple[str, str]:
    """The same of any label: the one label of a sample is called ""."""
    return columns(label) if label else ("label", "p_")


def classes_of(task: Mapping[str, Any]) -> dict[str, list[str]]:
    """Label -> its classes, from params["task"]; zones and masks have no classes."""
    if "heads" in task:
        return task["heads"]
    return {"": task["classes"]} if "classes" in task else {}


def scorer(
    rows: Sequence[dict[str, str]], heads: Mapping[str, Sequence[str]]
) -> Callable[[Weights], dict[str, Any]]:
    """A function from weights (None: each row once) to `scores`. heads: head -> class names."""
    read = {h: classification.arrays(rows, names, *columns(h)) for h, names in heads.items()}

    labels = {head: table[0] for head, table in read.items()}
    probabilities = {head: table[1] for head, table in read.items()}
    return lambda weights: scores(labels, probabilities, weights)


def details(rows: Sequence[dict[str, str]], heads: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Per head: classes, per-class report, confusion, predicted counts, collapse; and why a metric
    of `scores` is undefined."""
    of_heads = {
        head: classification.details(*classification.arrays(rows, names, *columns(head)), names)
        for head, names in heads.items()
    }
    reasons = {
        f"{head}_{name}": reason
        for head, own in of_heads.items()
        for name, reason in own["undefined"].items()
    }
    collapsed = any(head["collapsed"] for head in of_heads.values())
    return {"heads": of_heads, "undefined": reasons, "collapsed": collapsed}


class Measures:
    """Several heads as evaluation asks for it; see `foldwise.evaluate.fold.Measured`."""

    monitors: ClassVar[dict[str, str]] = monitors("distillation")

    def __init__(self, task: dict[str, Any]) -> None:
        self.heads = task["heads"]

    def scorer(self, rows: Sequence[dict[str, str]]) -> Callable[[Weights], dict[str, Any]]:
        return scorer(rows, self.heads)

    def score(self, rows: Sequence[dict[str, str]]) -> dict[str, float]:
        return self.scorer(rows)(None)

    def details(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        return details(rows, self.heads)
