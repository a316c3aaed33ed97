"""A vision network with a head: which blocks train, what it says, where it looks."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from foldwise.errors import FoldwiseError
from foldwise.models.backbone import Backbone
from foldwise.models.network import Network
from foldwise.models.weights import load_weights


class VisionModel(Network):
    """Backbone, dropout, linear head.

    outputs: shape of one sample's logits: (4,) for four classes, (6, 5) for six zones of five
        values (the same as six heads of five). embedding_dim: width of the embeddings that are
        joined to the features before the head, 0 for none.
    """

    def __init__(
        self,
        backbone: Backbone,
        outputs: Sequence[int],
        dropout: float,
        embedding_dim: int = 0,
    ):
        super().__init__()
        self.backbone = backbone.net
        self.layout = backbone
        self.width, self.embedding_dim = backbone.width, embedding_dim
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(backbone.width + embedding_dim, math.prod(outputs)),
            nn.Unflatten(1, tuple(outputs)),
        )

    def embed(self, image_bchw: Tensor) -> Tensor:
        """Features (B, width) of normalised images (B, C, H, W)."""
        return self.backbone(image_bchw)

    def classify(self, features_bd: Tensor, embedding_be: Tensor | None = None) -> Tensor:
        """Logits (B, *outputs) of features, with the joined embeddings (B, E) where there are."""
        given = 0 if embedding_be is None else embedding_be.shape[1]
        if given != self.embedding_dim:
            raise FoldwiseError(
                f"model.embeddings: the head takes {self.embedding_dim} embedding values a sample "
                f"and got {given}. Give the embeddings that the model was trained with."
            )
        if embedding_be is not None:
            # Embeddings of any origin come to the head on one scale.
            scaled = nn.functional.layer_norm(embedding_be, embedding_be.shape[1:])
            features_bd = torch.cat([features_bd, scaled.to(features_bd.dtype)], dim=1)
        return self.head(features_bd)

    def forward(self, image_bchw: Tensor, embedding_be: Tensor | None = None) -> Tensor:
        """Logits (B, *outputs) of normalised images (B, C, H, W)."""
        return self.classify(self.embed(image_bchw), embedding_be)

    def blocks(self) -> list[nn.Module]:
        """Feature blocks from the image to the head."""
        return self.layout.parts()

    @property
    def gradcam_layer(self) -> nn.Module:
        """The last layer with places; `layout.to_map` makes a map of its output if need be."""
        return self.backbone.get_submodule(self.layout.gradcam)


def with_head(make: Callable[[int], Backbone]) -> Callable[..., VisionModel]:
    """Turn `make(channels)` into what the registry lists: a builder of the whole network."""

    @functools.wraps(make)
    def build(
        settings: dict[str, Any],
        channels: int,
        outputs: int | Sequence[int],
        embedding_dim: int = 0,
    ) -> VisionModel:
        return headed(make(channels), settings, outputs, embedding_dim)

    return build


def headed(
    backbone: Backbone,
    settings: dict[str, Any],
    outputs: int | Sequence[int],
    embedding_dim: int = 0,
) -> VisionModel:
    """A network with the head of a study's `model` settings: name, weights, dropout.

    Random weights come from torch's generator, which the caller seeds.
    """
    load_weights(backbone, settings["weights"], settings["name"])
    shape = (outputs,) if isinstance(outputs, int) else tuple(outputs)
    return VisionModel(backbone, shape, settings["dropout"], embedding_dim)
