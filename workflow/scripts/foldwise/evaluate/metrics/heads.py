"""Several classification heads on one sample, such as modality and location.

`ordered` names the heads whose classes have an order; of the others what needs one is not measured.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from foldwise.evaluate.metrics import classification
from foldwise.evaluate.metrics.numbers import Measured, ReadOnce, Weights, plain
from foldwise.metrics import BY_NAME, monitors, ordered_labels

OVER_HEADS = {"mean_f1": "macro_f1", "mean_accuracy": "accuracy", "log_loss": "log_loss"}
# What is measured of each label: all that is of classes, and recall by the name that goes with
# macro precision.
MEASURED = Measured(classification.MEASURED)
MEASURED.metric("macro_recall")(classification.balanced_accuracy)
WITHOUT_ORDER = Measured(
    {name: function for name, function in MEASURED.items() if not BY_NAME[name].ordinal}
)


def scores(
    labels: Mapping[str, np.ndarray],
    probabilities: Mapping[str, np.ndarray],
    weights: Weights = None,
    ordered: Collection[str] = (),
) -> dict[str, Any]:
    """Metrics of each head as `<head>_<metric>`; means of heads: mean_f1, mean_accuracy, log_loss.

    labels[head]: (N,) integers; probabilities[head]: (N, K_head). F1, precision and recall are
    macro averages. Floats, or (R,) arrays with `weights` (R, N).
    """
    of = {head: classification.Samples(labels[head], probabilities[head]) for head in labels}
    return _scores(of, weights, ordered)


def _table(head: str, ordered: Collection[str]) -> Measured:
    return MEASURED if head in ordered else WITHOUT_ORDER


def _scores(
    heads: Mapping[str, classification.Samples], weights: Weights, ordered: Collection[str]
) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    for head, samples in heads.items():
        answers = classification.Answers(samples, weights)
        values = classification.measured_of(_table(head, ordered), answers)
        measured |= {f"{head}_{name}": value for name, value in values.items()}
    for name, metric in OVER_HEADS.items():
        # A plain mean: a label that is undefined makes it undefined, and is not passed over.
        measured[name] = np.mean([measured[f"{head}_{metric}"] for head in heads], axis=0)
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


def _read(
    rows: Sequence[dict[str, str]], heads: Mapping[str, Sequence[str]]
) -> dict[str, classification.Samples]:
    return {
        head: classification.Samples(*classification.arrays(rows, names, *columns(head)))
        for head, names in heads.items()
    }


def scorer(
    rows: Sequence[dict[str, str]],
    heads: Mapping[str, Sequence[str]],
    ordered: Collection[str] = (),
) -> Callable[[Weights], dict[str, Any]]:
    """A function from weights (None: each row once) to `scores`. heads: head -> class names."""
    samples = _read(rows, heads)
    return lambda weights: _scores(samples, weights, ordered)


def details(
    rows: Sequence[dict[str, str]],
    heads: Mapping[str, Sequence[str]],
    ordered: Collection[str] = (),
) -> dict[str, Any]:
    """Per head: classes, per-class report, confusion, predicted counts, collapse; and why a metric
    of `scores` is undefined."""
    return _details(_read(rows, heads), heads, ordered)


def _details(
    samples: Mapping[str, classification.Samples],
    heads: Mapping[str, Sequence[str]],
    ordered: Collection[str],
) -> dict[str, Any]:
    of_heads = {
        head: classification.details(samples[head].labels, samples[head].probabilities, names)
        for head, names in heads.items()
    }
    reasons = {
        f"{head}_{name}": reason
        for head, own in of_heads.items()
        for name, reason in own["undefined"].items()
        if name in _table(head, ordered)
    }
    collapsed = any(head["collapsed"] for head in of_heads.values())
    return {"heads": of_heads, "undefined": reasons, "collapsed": collapsed}


class Measures:
    """Several heads as evaluation asks for it; see `foldwise.evaluate.fold.Measured`."""

    monitors: ClassVar[dict[str, str]] = monitors("distillation")

    def __init__(self, task: dict[str, Any]) -> None:
        self.heads, self.ordered = task["heads"], ordered_labels(task)
        self.samples = ReadOnce(lambda rows: _read(rows, self.heads))

    def scorer(self, rows: Sequence[dict[str, str]]) -> Callable[[Weights], dict[str, Any]]:
        samples = self.samples(rows)
        return lambda weights: _scores(samples, weights, self.ordered)

    def score(self, rows: Sequence[dict[str, str]]) -> dict[str, float]:
        return self.scorer(rows)(None)

    def details(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        return _details(self.samples(rows), self.heads, self.ordered)
