"""Several labels from an image and a text, with or without a teacher's answers to learn from."""

from typing import Any

import numpy as np
import torch
from scipy import special
from torch import nn

from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.heads import Measures, columns
from foldwise.models.encoders import tokenise
from foldwise.models.vision_text import VisionTextOutput
from foldwise.registry import load
from foldwise.tasks.base import Batch, Criterion, Rows, Task, identity, number

# Terms that compare the student's features, mapped to the teacher's width, with the teacher's.
MAPPED = ("feature", "contrastive", "mmd")


class Distillation(Task):
    """`settings["heads"]`: label -> class names; `settings["text"]`: the text encoder's settings.

    A teacher's answers come as targets of the training part, "teacher_<what `teach` gives>".
    """

    measures = Measures

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self.heads: dict[str, list[str]] = settings["heads"]
        self.text: dict[str, Any] = settings["text"]
        self.label_columns = [columns(head)[0] for head in self.heads]

    def targets(self, rows: Rows) -> dict[str, np.ndarray]:
        """{"label_<head>": (N,) int64, "input_ids" and "attention_mask": (N, L) int64}."""
        labels = {columns(head)[0]: self.labels(head, rows) for head in self.heads}
        # In the order of the columns that the study names; an empty one leaves no double blank.
        texts = [" ".join(filter(None, (row.get("texts") or {}).values())) for row in rows]
        return labels | tokenise(texts, self.text["name"], self.text["max_tokens"])

    def answers(self) -> dict[str, list[str]]:
        """Each label's classes."""
        return self.heads

    def labels(self, head: str, rows: Rows) -> np.ndarray:
        """(N,) int64: places of the rows' classes in their order."""
        index_of = {name: index for index, name in enumerate(self.heads[head])}
        column = columns(head)[0]
        for row in rows:
            if row[column] not in index_of:
                raise FoldwiseError(
                    f"Sample {row['sample']} has {head} '{row[column]}', which is none of "
                    f"{', '.join(index_of)}. Map it in data.heads.{head}.mapping."
                )
        return np.array([index_of[row[column]] for row in rows], dtype=np.int64)

    def build(self, params: dict[str, Any], channels: int) -> nn.Module:
        """Encoders, fusion, one output a class; a map to the teacher's width if a term needs it."""
        mapped = any(params["loss"].get(name) for name in MAPPED)
        # No map where no term uses it: weights that nothing trains would only be counted.
        width = params["teacher"]["model"]["dim"] if mapped and "teacher" in params else None
        outputs = {head: len(names) for head, names in self.heads.items()}
        make = load("MODELS", params["model"]["name"])
        return make(params["model"], channels, outputs, match_dim=width)

    def criterion(self, params: dict[str, Any], train_targets: dict[str, np.ndarray]) -> Criterion:
        """The loss named in the settings. FoldwiseError for a label with one class only."""
        for head, names in self.heads.items():
            there = np.unique(train_targets[columns(head)[0]])
            if len(there) < 2:
                raise FoldwiseError(
                    f"The training part of this fold has one {head} only, {names[there[0]]}: there "
                    f"is nothing to learn. Lower folds.n, or take {head} out of data.heads."
                )
        return load("LOSSES", params["loss"]["name"])(params["loss"])

    def loss(self, model: nn.Module, criterion: Criterion, batch: Batch) -> Batch:
        return self._loss(_answer(model, batch), criterion, batch)

    def _loss(self, output: VisionTextOutput, criterion: Criterion, batch: Batch) -> Batch:
        labels = {head: batch[columns(head)[0]] for head in self.heads}
        return criterion(output, self._teacher(batch), labels)

    def _teacher(self, batch: Batch) -> VisionTextOutput | None:
        if "teacher_fused" not in batch:
            return None
        logits = {head: batch[f"teacher_logits_{head}"] for head in self.heads}
        fused = batch["teacher_fused"]
        # Terms of the loss read logits and fused features alone; the other places must be filled.
        return VisionTextOutput(logits, fused, fused, fused)

    def teach(self, model: nn.Module, batch: Batch) -> Batch:
        """{"logits_<head>": (B, K), "fused": (B, dim)}: what a student learns from."""
        output = _answer(model, batch)
        logits = {f"logits_{head}": values for head, values in output.logits.items()}
        return logits | {"fused": output.fused}

    def student_targets(self, answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Features with mean 0 and variance 1 in each dimension of the training part.

        A teacher's features have any scale; the terms that compare them would have it too, and a
        mean square of 10 leaves the labels a twentieth of the loss.
        """
        fused = answers["teacher_fused"].astype(np.float64)
        # A dimension that never varies says nothing of a sample: it becomes 0 and not infinite.
        spread = np.maximum(fused.std(axis=0), 1e-6)
        standard = (fused - fused.mean(axis=0)) / spread
        return answers | {"teacher_fused": standard.astype(np.float32)}

    def teacher_facts(self, targets: dict[str, np.ndarray]) -> dict[str, float]:
        """Means over the labels of the share that is right and of the entropy."""
        right, entropy = [], []
        for head in self.heads:
            p = special.softmax(targets[f"teacher_logits_{head}"].astype(np.float64), axis=1)
            right.append((p.argmax(axis=1) == targets[columns(head)[0]]).mean())
            entropy.append(special.entr(p).sum(axis=1).mean())
        return {"right": float(np.mean(right)), "entropy": float(np.mean(entropy))}

    def predict(self, model: nn.Module, batch: Batch) -> Batch:
        """{"<head>": (B, K) probabilities, "embedding": (B, dim)}."""
        return self._predicted(_answer(model, batch))

    def validate(self, model: nn.Module, criterion: Criterion, batch: Batch) -> tuple[Batch, Batch]:
        """The loss is of the labels alone: a teacher has no answers on the validation part."""
        output = _answer(model, batch)
        return self._predicted(output), self._loss(output, criterion, batch)

    def _predicted(self, output: VisionTextOutput) -> Batch:
        probabilities = {f"p_{head}": z.float().softmax(dim=1) for head, z in output.logits.items()}
        return probabilities | {"embedding": output.fused}

    def table(self, rows: Rows, outputs: dict[str, np.ndarray]) -> Rows:
        """Columns: identity, then of each head label_, predicted_ and a p_<head>_<class> each."""
        return [
            identity(row)
            | {
                name: value
                for head in self.heads
                for name, value in self._cells(head, row, outputs[f"p_{head}"][place]).items()
            }
            for place, row in enumerate(rows)
        ]

    def _cells(self, head: str, row: dict[str, Any], probability: np.ndarray) -> dict[str, Any]:
        names, (column, prefix) = self.heads[head], columns(head)
        labels = {column: row[column], f"predicted_{head}": names[int(probability.argmax())]}
        values = zip(names, probability, strict=True)
        return labels | {f"{prefix}{name}": number(value) for name, value in values}


def _answer(model: nn.Module, batch: dict[str, torch.Tensor]) -> VisionTextOutput:
    return model(batch["image"], batch["input_ids"], batch["attention_mask"])
