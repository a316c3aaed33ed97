"""A score for each zone of an image, for example six lung zones of 0 to 3 or "unknown"."""

from typing import Any

import numpy as np
import torch
from torch import nn

from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.zone_counts import UNKNOWN, VALUES
from foldwise.evaluate.metrics.zones import Measures, columns
from foldwise.models.zoned import Box, ZonedModel
from foldwise.registry import load
from foldwise.tasks.base import Batch, Criterion, Rows, Task, identity, number


class Zones(Task):
    """`settings["zones"]` are the zones' columns of the cohort, in the order of the outputs.

    `settings["mirror"]` holds pairs of zones that trade places when an image is flipped left to
    right; other zones stay. With `settings["both_ways"]` an image and its mirror image are asked.
    """

    measures = Measures

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self.zones: list[str] = settings["zones"]
        self.label_columns = list(self.zones)
        self.pairs: list[list[str]] = settings.get("mirror") or []
        self.mirrored_order = mirrored_order(self.zones, self.pairs)

    def targets(self, rows: Rows) -> dict[str, np.ndarray]:
        """{"score": (N, Z) int64}, 0 to 3 and 4 for unknown."""
        return {"score": np.array([self._scores(row) for row in rows], np.int64)}

    def _scores(self, row: dict[str, Any]) -> list[int]:
        scores = [str(value) for value in range(UNKNOWN + 1)]
        for zone in self.zones:
            if row[zone] not in scores:
                raise FoldwiseError(
                    f"Sample {row['sample']} has '{row[zone]}' in zone {zone}; a score is 0 to 3, "
                    "or 4 for unknown. Correct the table of labels."
                )
        return [int(row[zone]) for zone in self.zones]

    def build(self, params: dict[str, Any], channels: int) -> nn.Module:
        """The model named in the settings with outputs (Z, 5), or with a window for each zone."""
        settings = params["model"]
        model = load("MODELS", settings["name"])(settings, channels, (len(self.zones), len(VALUES)))
        if not (settings.get("zone_windows") and self.pairs):
            return model
        return ZonedModel(model, boxes(self.zones, self.pairs), len(VALUES), settings["dropout"])

    def criterion(self, params: dict[str, Any], train_targets: dict[str, np.ndarray]) -> Criterion:
        """The loss named in the settings, with the weight of "unknown"."""
        make = load("LOSSES", params["loss"]["name"])
        return make(params["loss"], train_targets["score"], VALUES)

    def loss(self, model: nn.Module, criterion: Criterion, batch: Batch) -> Batch:
        return {"loss": criterion(model(batch["image"]), batch["score"])}

    def predict(self, model: nn.Module, batch: Batch) -> Batch:
        """{"probability": (B, Z, 5), "embedding": (B, D)}."""
        features = model.embed(batch["image"])
        return self._predicted(model, batch, features, model.classify(features))

    def validate(self, model: nn.Module, criterion: Criterion, batch: Batch) -> tuple[Batch, Batch]:
        features = model.embed(batch["image"])
        logits = model.classify(features)
        predicted = self._predicted(model, batch, features, logits)
        return predicted, {"loss": criterion(logits, batch["score"])}

    def _predicted(
        self, model: nn.Module, batch: Batch, features: torch.Tensor, logits: torch.Tensor
    ) -> Batch:
        probability = logits.float().softmax(dim=2)
        if self.settings.get("both_ways") and self.pairs:
            # Probabilities are averaged, not logits: one very sure answer would outvote the other.
            mirrored = model(batch["image"].flip(3)).float().softmax(dim=2)
            probability = (probability + mirrored[:, self.mirrored_order]) / 2
        # Features of the whole picture: those of the zones' windows follow, where there are any.
        return {"probability": probability, "embedding": features[:, : model.width]}

    def table(self, rows: Rows, outputs: dict[str, np.ndarray]) -> Rows:
        """Columns: identity; for each zone label_ and predicted_ (0 to 4), p_<zone>_<value>."""
        table = []
        for row, probability in zip(rows, outputs["probability"], strict=True):
            cells = dict(identity(row))
            for zone, p in zip(self.zones, probability, strict=True):
                label, names = columns(zone)
                cells |= {label: row[zone], f"predicted_{zone}": int(p.argmax())}
                cells |= {name: number(value) for name, value in zip(names, p, strict=True)}
            table.append(cells)
        return table

    def answers(self) -> dict[str, list[str]]:
        """Each zone's scores; 4 is unknown."""
        return {zone: [str(value) for value in range(len(VALUES))] for zone in self.zones}

    def flip_targets(self, batch: Batch, mirrored: torch.Tensor) -> Batch:
        """Scores of flipped images, each at the zone that its lung part now lies in."""
        score = batch["score"]
        # Not made there: that would wait for all that a GPU has to compute before.
        order = torch.tensor(self.mirrored_order).to(score.device, non_blocking=True)
        return batch | {"score": torch.where(mirrored[:, None], score[:, order], score)}


def mirrored_order(zones: list[str], pairs: list[list[str]]) -> list[int]:
    """Of each zone the number of the zone whose score it gets in a flipped image."""
    place = {zone: number for number, zone in enumerate(zones)}
    order = list(range(len(zones)))
    for first, second in pairs:
        order[place[first]], order[place[second]] = place[second], place[first]
    return order


def boxes(zones: list[str], pairs: list[list[str]]) -> list[Box]:
    """Where each zone lies: a pair a row from the top, its first zone at the left of the picture.

    A zone without a partner is looked for in the whole picture.
    """
    place = {}
    for row, pair in enumerate(pairs):
        top, bottom = row / len(pairs), (row + 1) / len(pairs)
        for column, zone in enumerate(pair):
            place[zone] = (top, bottom, column / 2, (column + 1) / 2)
    return [place.get(zone, (0.0, 1.0, 0.0, 1.0)) for zone in zones]
