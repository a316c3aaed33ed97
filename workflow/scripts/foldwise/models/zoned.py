"""A network that scores each zone by its own part of the picture, beside the whole of it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from foldwise.models.vision import VisionModel

# Top, bottom, left and right of a part, as shares of the picture.
Box = tuple[float, float, float, float]


class ZonedModel(VisionModel):
    """A VisionModel whose head is one linear layer a zone, over two means of the last map.

    One mean is over all places, as the network's own features; the other over the zone's box.
    """

    def __init__(self, model: VisionModel, boxes: Sequence[Box], values: int, dropout: float):
        super().__init__(model.layout, (len(boxes), values), dropout)
        self.boxes = boxes
        self.places = model.layout.map_width or self.width
        self.head = nn.ModuleList(
            nn.Sequential(nn.Dropout(dropout), nn.Linear(self.width + self.places, values))
            for _ in boxes
        )

    def embed(self, image_bchw: Tensor) -> Tensor:
        """(B, width + Z x places): features of the whole, then of each zone's box."""
        maps: list[Tensor] = []
        hook = self.gradcam_layer.register_forward_hook(lambda layer, given, out: maps.append(out))
        try:
            features = self.backbone(image_bchw)
        finally:
            hook.remove()
        return torch.cat([features, self._of_boxes(maps[0]).flatten(1)], dim=1)

    def _of_boxes(self, last: Tensor) -> Tensor:
        """(B, Z, places) means over the boxes of a map (B, places, h, w), or of tokens."""
        # In some networks the rectifier comes after the last layer with places.
        last = self.layout.to_map(last) if self.layout.to_map else last.relu()
        weights = box_weights(self.boxes, *last.shape[2:]).to(last, non_blocking=True)
        return weights @ last.flatten(2).transpose(1, 2)

    def classify(self, features_bd: Tensor, embedding_be: Tensor | None = None) -> Tensor:
        """Logits (B, Z, values) of what `embed` gives."""
        whole, *own = features_bd.split([self.width, *[self.places] * len(self.boxes)], dim=1)
        logits = [
            head(torch.cat([whole, one], dim=1)) for head, one in zip(self.head, own, strict=True)
        ]
        return torch.stack(logits, dim=1)


def box_weights(boxes: Sequence[Box], height: int, width: int) -> Tensor:
    """(Z, height x width): how much of each box lies in each cell of a map; a box's sum is 1."""
    rows = [_overlap(box[0], box[1], height) for box in boxes]
    columns = [_overlap(box[2], box[3], width) for box in boxes]
    both = torch.stack(rows)[:, :, None] * torch.stack(columns)[:, None, :]
    # To sum 1: a box of any size gives features on the scale of the network's own mean.
    return both.flatten(1) / both.flatten(1).sum(dim=1, keepdim=True)


def _overlap(start: float, stop: float, cells: int) -> Tensor:
    edges = torch.linspace(0, 1, cells + 1)
    return (edges[1:].clamp(max=stop) - edges[:-1].clamp(min=start)).clamp(min=0)
