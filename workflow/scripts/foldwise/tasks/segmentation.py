"""Foreground of an image, for example beads in a micrograph; the truth is the cache's mask."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate

from foldwise.evaluate.metrics.segmentation import Measures, dice, image_row, jaccard
from foldwise.registry import load
from foldwise.tasks.base import Batch, Criterion, Rows, Task, identity, number
from foldwise.tasks.tiles import tiled

# Probability and logit of a pixel that lies beyond its picture.
BEYOND = (0.0, -20.0)
NONE = -1.0  # where an image has no object whose size could be told
# What is said of an image without its mask.
PREDICTED = ("predicted", "soft_predicted", "objects_predicted", "object_pixels_predicted")
COUNTS = ("truth", "predicted", "both", "objects_true", "objects_predicted", "objects_matched")


class Segmentation(Task):
    """`settings`: threshold, and tiles {size, overlap} for images larger than memory."""

    label_columns: ClassVar[list[str]] = []
    measures = Measures

    def targets(self, rows: Rows) -> dict[str, np.ndarray]:
        """Nothing: the mask comes with the image, as batch["planes"] (B, 1, S, S)."""
        return {}

    def build(self, params: dict[str, Any], channels: int) -> nn.Module:
        """The network named in the settings with one output a pixel."""
        return load("SEGMENTERS", params["model"]["name"])(params["model"], channels, 1)

    def criterion(self, params: dict[str, Any], train_targets: dict[str, np.ndarray]) -> Criterion:
        """The loss named in the settings."""
        return load("LOSSES", params["loss"]["name"])(params["loss"])

    def loss(self, model: nn.Module, criterion: Criterion, batch: Batch) -> Batch:
        return {"loss": criterion(model(batch["image"]), batch["planes"][:, :1])}

    def predict(self, model: nn.Module, batch: Batch) -> Batch:
        """{"measured": (B, len(image_row)), "embedding": (B, D), "map": (B, S, S) in 0..1}."""
        answer, embedding = self._answer(model, batch)
        return self._measured(answer[:, 0], batch) | {"embedding": embedding}

    def validate(self, model: nn.Module, criterion: Criterion, batch: Batch) -> tuple[Batch, Batch]:
        answer, embedding = self._answer(model, batch)
        predicted = self._measured(answer[:, 0], batch) | {"embedding": embedding}
        return predicted, {"loss": criterion(answer[:, 1:], batch["planes"][:, :1])}

    def exported(self, model: nn.Module, batch: Batch) -> Batch:
        """{"map": (B, S, S) in 0..1}; its measures are counted with a mask, outside of torch."""
        return {"map": self._answer(model, batch)[0][:, 0]}

    def _answer(self, model: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 2, S, S) probability and logit of each pixel, (B, D) features; tile by tile.

        Both are blended where tiles overlap: the logit of a blended probability may be infinite.
        """

        def apply(part: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits, embedding = model.answer(part)
            logits = logits.float()
            return torch.cat([logits.sigmoid(), logits], dim=1), embedding

        tiles, inside = self.settings["tiles"], batch.get("inside")
        answer, features = tiled(apply, batch["image"], tiles["size"], tiles["overlap"], inside)
        if inside is not None:
            # Also where no tiles are cut: beyond a picture there is nothing to be found.
            beyond = answer.new_tensor(BEYOND)[None, :, None, None]
            answer = torch.where(within(inside, answer), answer, beyond)
        return answer, features

    def ensemble(self, answers: list[Batch], batch: Batch) -> Batch:
        """The mean of the models' probabilities at each pixel, and its measures.

        Models that were chosen at smaller sides than the batch's are enlarged, bilinear.
        """
        side = list(batch["image"].shape[-2:])
        maps = [
            # Not the measures: the threshold is applied once, to what all models say together.
            interpolate(answer["map"][:, None].double(), side, mode="bilinear", antialias=False)
            for answer in answers
        ]
        return self._measured(torch.stack(maps).mean(0)[:, 0], batch)

    def _measured(self, probability: torch.Tensor, batch: Batch) -> Batch:
        parts = probability.cpu().numpy(), batch["planes"][:, 0].cpu().numpy()
        if "inside" in batch:
            # Objects are counted where the picture is: its square may be many times as large.
            boxes = batch["inside"].tolist()
            parts = (
                [one[a:b, c:d] for one, (a, b, c, d) in zip(part, boxes, strict=True)]
                for part in parts
            )
        measured = self.measure(*parts)
        return {"measured": torch.from_numpy(measured), "map": probability}

    def measure(
        self, probabilities: Sequence[np.ndarray], masks: Sequence[np.ndarray]
    ) -> np.ndarray:
        """(B, columns) float64 of `image_row` for B probabilities and masks, (H, W) each."""
        rows = [
            image_row(probability, mask, self.settings["threshold"])
            for probability, mask in zip(probabilities, masks, strict=True)
        ]
        return np.array(
            [[NONE if v == "" else v for v in row.values()] for row in rows], np.float64
        )

    def table(self, rows: Rows, outputs: dict[str, np.ndarray]) -> Rows:
        """Columns: identity, overlap of the image, pixels tp, fp, fn, and those of `image_row`."""
        # Asked of the function itself, so that its columns are listed in one place only.
        names = list(image_row(np.zeros((1, 1)), np.zeros((1, 1)), self.settings["threshold"]))
        columns = dict(zip(names, outputs["measured"].astype(np.float64).T, strict=True))
        overlap = _overlap(columns)
        table = []
        for index, row in enumerate(rows):
            measured = {name: _text(name, values[index]) for name, values in columns.items()}
            overlaps = {name: _text(name, values[index]) for name, values in overlap.items()}
            table.append(identity(row) | overlaps | measured)
        return table

    def without_truth(self, row: dict[str, Any]) -> dict[str, Any]:
        """Predicted pixels and objects."""
        return {name: row[name] for name in (*identity(row), *PREDICTED)}


def _overlap(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Scores of each image, and its pixels found, added and missed, (N,) each."""
    both, truth, predicted = columns["both"], columns["truth"], columns["predicted"]
    soft = columns["soft_both"], truth, columns["soft_predicted"]
    return {
        "jaccard": jaccard(both, truth, predicted),
        "dice": dice(both, truth, predicted),
        "soft_jaccard": jaccard(*soft),
        "soft_dice": dice(*soft),
        "tp": both,
        "fp": predicted - both,
        "fn": truth - both,
    }


def _text(name: str, value: float) -> str:
    """Counts as integers; empty where there is nothing to tell."""
    if np.isnan(value) or (value == NONE and name not in COUNTS):
        return ""
    return str(int(value)) if float(value).is_integer() else number(value)


def within(inside: torch.Tensor, answer_bkhw: torch.Tensor) -> torch.Tensor:
    """(B, 1, H, W) bool: which pixels are of a picture (B, 4: top, bottom, left, right)."""
    top, bottom, left, right = inside.to(answer_bkhw.device).T[:, :, None, None, None]
    height, width = answer_bkhw.shape[2:]
    rows = torch.arange(height, device=answer_bkhw.device)[:, None]
    columns = torch.arange(width, device=answer_bkhw.device)
    return (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
