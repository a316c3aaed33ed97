"""One of several classes for each image, for example breast density A to D."""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.classification import Measures
from foldwise.registry import load
from foldwise.tasks.base import Batch, Criterion, Rows, Task, identity, number
from foldwise.tasks.embeddings import embeddings_of, read_embeddings


class Classification(Task):
    """`settings["classes"]` are the class names in their order.

    `settings["embeddings"]`, if given, is a folder of features that are joined to the head's input;
    `settings["id_map"]` says who is who where that folder names images by path or accession.
    """

    label_columns: ClassVar[list[str]] = ["label"]
    measures = Measures

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self.classes: list[str] = settings["classes"]
        self.embeddings: str | None = settings.get("embeddings")
        self.id_map: str | None = settings.get("id_map")

    def targets(self, rows: Rows) -> dict[str, np.ndarray]:
        """{"label": (N,) int64 class numbers}, and "joined" (N, E) where features are joined."""
        index_of = {name: index for index, name in enumerate(self.classes)}
        for row in rows:
            if row["label"] not in index_of:
                raise FoldwiseError(
                    f"Sample {row['sample']} has label '{row['label']}', which is none of the "
                    f"classes {', '.join(self.classes)}. Map it in data.classes.mapping."
                )
        label = {"label": np.array([index_of[row["label"]] for row in rows], dtype=np.int64)}
        if self.embeddings is None:
            return label
        return label | {"joined": embeddings_of(self.embeddings, rows, self.id_map)}

    def build(self, params: dict[str, Any], channels: int) -> nn.Module:
        """The model named in the settings with one output a class."""
        width = 0 if self.embeddings is None else read_embeddings(self.embeddings)[0].shape[1]
        make, outputs = load("MODELS", params["model"]["name"]), len(self.classes)
        return make(params["model"], channels, outputs, embedding_dim=width)

    def criterion(self, params: dict[str, Any], train_targets: dict[str, np.ndarray]) -> Criterion:
        """The loss named in the settings, with weights from the classes' counts if asked for."""
        make = load("LOSSES", params["loss"]["name"])
        return make(params["loss"], train_targets["label"], self.classes)

    def loss(self, model: nn.Module, criterion: Criterion, batch: Batch) -> Batch:
        return {"loss": criterion(model(batch["image"], batch.get("joined")), batch["label"])}

    def predict(self, model: nn.Module, batch: Batch) -> Batch:
        """{"probability": (B, K), "embedding": (B, D)}."""
        return self._predicted(*self._answer(model, batch))

    def validate(self, model: nn.Module, criterion: Criterion, batch: Batch) -> tuple[Batch, Batch]:
        logits, embedding = self._answer(model, batch)
        return self._predicted(logits, embedding), {"loss": criterion(logits, batch["label"])}

    def _answer(self, model: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        embedding = model.embed(batch["image"])
        return model.classify(embedding, batch.get("joined")), embedding

    def _predicted(self, logits: torch.Tensor, embedding: torch.Tensor) -> Batch:
        # The softmax in float32: bfloat16 has too few digits to tell sure answers apart.
        return {"probability": logits.float().softmax(dim=1), "embedding": embedding}

    def table(self, rows: Rows, outputs: dict[str, np.ndarray]) -> Rows:
        """Columns: identity, label, predicted (class names), p_<class> for each class."""
        table = []
        for row, probability in zip(rows, outputs["probability"], strict=True):
            named = zip(self.classes, probability, strict=True)
            table.append(
                identity(row)
                | {"label": row["label"], "predicted": self.classes[int(probability.argmax())]}
                | {f"p_{name}": number(value) for name, value in named}
            )
        return table

    def answers(self) -> dict[str, list[str]]:
        return {"": self.classes}

    def sampling_weights(self, train_targets: dict[str, np.ndarray]) -> np.ndarray:
        """1 / n_c: each class is drawn equally often."""
        label = train_targets["label"]
        # Each class comes to a sum of 1, however many images it has.
        return 1 / np.bincount(label)[label]
