"""What a kind of study tells the one training loop: targets, model, loss, predictions, score."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import nn

from foldwise.errors import FoldwiseError, nearest

Batch = dict[str, torch.Tensor]
Rows = list[dict[str, Any]]
Criterion = Callable[..., Any]  # what a loss of the registry is made into
# Columns that every table of predictions starts with; of a table without rows, all there are.
IDENTITY = ("sample", "group", "exam", "fold")


class Task(Protocol):
    """One object for a kind of study. `settings` is the branch `task` of a run's params.

    Rows are rows of the cohort with `fold`, sorted by content. A batch holds "image", float
    (B, C, H, W) and normalised; the targets' rows; "sample_index" (B,) into the rows of the part;
    where images have more planes than `image.channels`, "planes" (B, P, H, W) integers; and, where
    `image.fit` is `native`, "inside" (B, 4): top, bottom, left, right of the picture in its square.
    """

    label_columns: ClassVar[list[str]] = []
    """Columns of cohort.csv that hold its labels; none where the answer is a picture."""

    measures: ClassVar[type]
    """What its predictions are measured by; the first of its `monitors` chooses the weights."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.measured = self.measures(settings)

    @abstractmethod
    def targets(self, rows: Rows) -> dict[str, np.ndarray]:
        """Arrays with the rows as first axis; they are moved to the device once."""

    @abstractmethod
    def build(self, params: dict[str, Any], channels: int) -> nn.Module:
        """The model with initial weights, drawn from torch's random state as it stands."""

    @abstractmethod
    def criterion(self, params: dict[str, Any], train_targets: dict[str, np.ndarray]) -> Criterion:
        """The loss, made from the training part alone: a function, or a module.

        Called with float32 outside of autocast. If it has `epoch`, that is set, from 0. What is
        to be trained belongs into the model.
        """

    @abstractmethod
    def loss(self, model: nn.Module, criterion: Criterion, batch: Batch) -> Batch:
        """{"loss": scalar that is minimised, ...terms for the history}."""

    @abstractmethod
    def predict(self, model: nn.Module, batch: Batch) -> Batch:
        """What is kept of a batch, B first; finite numbers.

        "embedding" (B, D) becomes embeddings_val.npy; "map" (B, S, S) in 0..1, what is predicted
        at each pixel, becomes maps_val.npy and is no part of `table`.
        """

    def validate(self, model: nn.Module, criterion: Criterion, batch: Batch) -> tuple[Batch, Batch]:
        """What `predict` and `loss` give of a batch of the validation part.

        Here the model is asked twice. The kinds of the package take both from one answer: who
        changes `predict` or `loss` of one of them changes this as well.
        """
        return self.predict(model, batch), self.loss(model, criterion, batch)

    def ensemble(self, answers: list[Batch], batch: Batch) -> Batch:
        """What several models predict for the batch together: the mean of each value, float64.

        `answers` are of `predict`, one a model. Embeddings have no axes in common and are left
        out.
        """
        names = [name for name in answers[0] if name != "embedding"]
        return {name: torch.stack([a[name].double() for a in answers]).mean(0) for name in names}

    def exported(self, model: nn.Module, batch: Batch) -> Batch:
        """What a model answers outside of this package: named tensors, B first, torch alone."""
        return {k: v for k, v in self.predict(model, batch).items() if k != "embedding"}

    def teach(self, model: nn.Module, batch: Batch) -> Batch:
        """What a student learns from, B first; it gets it as targets named "teacher_<name>"."""
        raise FoldwiseError(
            f"training.teacher: {type(self).__name__.lower()} studies have no teachers. Set it to "
            "null."
        )

    def student_targets(self, answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A teacher's answers on the training part as its student learns from them."""
        return answers

    def teacher_facts(self, targets: dict[str, np.ndarray]) -> dict[str, float]:
        """How well the teacher behind a training part's targets knows it: "right", "entropy".

        Share of its answers that are the label, and their mean entropy in nats. Empty where that
        means nothing.
        """
        return {}

    @abstractmethod
    def table(self, rows: Rows, outputs: dict[str, np.ndarray]) -> Rows:
        """Rows of val_predictions.csv from all batches' predictions; starts with `identity`."""

    def unlabelled(self) -> dict[str, str]:
        """Labels for rows that have none, as `targets` and `table` want some: they decide nothing.

        `without_truth` takes them out of a row of `table` again.
        """
        firsts = (names[0] for names in self.answers().values())
        return dict(zip(self.label_columns, firsts, strict=True))

    def without_truth(self, row: dict[str, Any]) -> dict[str, Any]:
        """What a row of `table` says that does not hang on a label."""
        labels = (*self.label_columns, *(f"label_{name}" for name in self.label_columns))
        return {name: value for name, value in row.items() if name not in labels}

    def score(self, predictions: Rows) -> dict[str, float]:
        """Metrics of rows of val_predictions.csv; NaN if undefined."""
        return self.measured.score(predictions)

    def answers(self) -> dict[str, list[str]]:
        """Part of the answer -> its classes as predictions name them; "" for an undivided one.

        In the order of the model's logits, flattened. Empty where there are no classes.
        """
        return {}

    def flip_targets(self, batch: Batch, mirrored: torch.Tensor) -> Batch:
        """Targets after images `mirrored` (B,) bool were flipped left to right. Here: unchanged."""
        return batch

    def sampling_weights(self, train_targets: dict[str, np.ndarray]) -> np.ndarray:
        """(N,) weights of the `weighted` sampler."""
        raise FoldwiseError(
            f"training.sampler: 'weighted' is not defined for {type(self).__name__.lower()} "
            "studies. Set it to 'shuffle'."
        )

    def monitor(self, name: str | None) -> tuple[str, str]:
        """Name and direction (max or min) of the metric that chooses the weights."""
        monitors = self.measured.monitors
        name = name or next(iter(monitors))
        if name not in monitors:
            raise FoldwiseError(
                f"training.monitor: '{name}' cannot choose the weights.{nearest(name, monitors)} "
                f"Choose one of: {', '.join(monitors)}."
            )
        return name, monitors[name]


def identity(row: dict[str, Any]) -> dict[str, Any]:
    """What a table of predictions says of a row before its answer."""
    return {name: row[name] for name in IDENTITY}


def number(value: float) -> str:
    """A float32 as the shortest text that always reads back to the same bits (9 digits)."""
    return f"{float(value):.9g}"
