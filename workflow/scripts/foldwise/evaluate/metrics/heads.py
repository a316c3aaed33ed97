"""Several classification heads on one sample, such as modality and location."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from foldwise.evaluate.metrics import classification
from foldwise.metrics import monitors

OVER_HEADS = {"mean_f1": "macro_f1", "mean_accuracy": "accuracy", "log_loss": "log_loss"}


def scores(
    labels: Mapping[str, np.ndarray], probabilities: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Metrics of each head as `<head>_<metric>`; means of heads: mean_f1, mean_accuracy, log_loss.

    labels[head]: (N,) integers; probabilities[head]: (N, K_head). F1, precision and recall are
    macro averages.
    """
    measured: dict[str, float] = {}
    for head, truth in labels.items():
        values = _one_head(truth, probabilities[head])
        measured |= {f"{head}_{name}": value for name, value in values.items()}
    for name, metric in OVER_HEADS.items():
        measured[name] = float(np.mean([measured[f"{head}_{metric}"] for head in labels]))
    return measured


def _one_head(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    measured = classification.scores(labels, probabilities)
    return {**measured, "macro_recall": measured["balanced_accuracy"]}


def columns(head: str) -> tuple[str, str]:
    """Names in the prediction table: the label's column, the prefix of the probabilities'."""
    return f"label_{head}", f"p_{head}_"


def scorer(
    rows: Sequence[dict[str, str]], heads: Mapping[str, Sequence[str]]
) -> Callable[[np.ndarray], dict[str, float]]:
    """A function from row numbers to `scores`. heads: head -> class names."""
    read = {h: classification.arrays(rows, names, *columns(h)) for h, names in heads.items()}

    def score(index: np.ndarray) -> dict[str, float]:
        labels = {head: table[0][index] for head, table in read.items()}
        return scores(labels, {head: table[1][index] for head, table in read.items()})

    return score


def details(rows: Sequence[dict[str, str]], heads: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Per head: classes, per-class report, confusion, predicted counts, collapse; and why a metric
    of `scores` is undefined."""
    found = {
        head: classification.details(*classification.arrays(rows, names, *columns(head)), names)
        for head, names in heads.items()
    }
    reasons = {
        f"{head}_{name}": reason
        for head, own in found.items()
        for name, reason in own["undefined"].items()
    }
    collapsed = any(head["collapsed"] for head in found.values())
    return {"heads": found, "undefined": reasons, "collapsed": collapsed}


class Measures:
    """Several heads as evaluation asks for it; see `foldwise.evaluate.fold.Measured`."""

    monitors: ClassVar[dict[str, str]] = monitors("distillation")

    def __init__(self, task: dict[str, Any]) -> None:
        self.heads = task["heads"]

    def scorer(self, rows: Sequence[dict[str, str]]) -> Callable[[np.ndarray], dict[str, float]]:
        return scorer(rows, self.heads)

    def score(self, rows: Sequence[dict[str, str]]) -> dict[str, float]:
        return self.scorer(rows)(np.arange(len(rows)))

    def details(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        return details(rows, self.heads)
