"""Vision transformers by torchvision.

Dosovitskiy et al. 2021, An image is worth 16x16 words, ICLR.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models

from foldwise.errors import FoldwiseError
from foldwise.models.backbone import Backbone, with_channels
from foldwise.models.vision import with_head


@with_head
def vit_b_16(channels: int) -> Backbone:
    """13 blocks (patches, twelve layers), 768 features."""
    return _vit(models.vit_b_16, channels, models.ViT_B_16_Weights.IMAGENET1K_V1)


@with_head
def vit_b_32(channels: int) -> Backbone:
    """13 blocks, 768 features."""
    return _vit(models.vit_b_32, channels, models.ViT_B_32_Weights.IMAGENET1K_V1)


@with_head
def vit_l_16(channels: int) -> Backbone:
    """25 blocks, 1024 features."""
    return _vit(models.vit_l_16, channels, models.ViT_L_16_Weights.IMAGENET1K_V1)


class AnySize(nn.Module):
    """torchvision's VisionTransformer for pictures of any size that patches divide.

    The position embeddings stay those of 224 pixels and are interpolated where they are used
    (section 3.2 of the paper), so weights fit every size, also when the size grows in training.
    """

    def __init__(self, net: models.VisionTransformer):
        super().__init__()
        self.conv_proj, self.class_token, self.encoder = net.conv_proj, net.class_token, net.encoder
        self.patch_px = net.patch_size

    def forward(self, image_bchw: Tensor) -> Tensor:
        """(B, C, H, W) -> class token (B, D)."""
        return self.tokens(image_bchw)[:, 0]

    def tokens(self, image_bchw: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 1 + patches, D). FoldwiseError when patches do not divide H, W."""
        height, width = image_bchw.shape[2:]
        if height % self.patch_px or width % self.patch_px:
            raise FoldwiseError(
                f"model.name: images of {height} x {width} pixels do not divide into patches of "
                f"{self.patch_px}. Set image.size to a multiple of {self.patch_px}."
            )
        patches = self.conv_proj(image_bchw)
        position = resized(self.encoder.pos_embedding, *patches.shape[2:])
        tokens = patches.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], dim=1)
        tokens = self.encoder.layers(self.encoder.dropout(tokens + position))
        return self.encoder.ln(tokens)


def resized(position_1td: Tensor, rows: int, columns: int) -> Tensor:
    """Position embeddings (1, 1 + g * g, D) for a grid of rows x columns, bicubic."""
    side = int((position_1td.shape[1] - 1) ** 0.5)
    if (rows, columns) == (side, side):
        return position_1td
    token, grid = position_1td[:, :1], position_1td[:, 1:].unflatten(1, (side, side))
    down, across = _bicubic(side, rows, grid), _bicubic(side, columns, grid)
    grid = torch.einsum("rh,cw,bhwd->brcd", down, across, grid)
    return torch.cat([token, grid.flatten(1, 2)], dim=1)


def _bicubic(old: int, new: int, like: Tensor) -> Tensor:
    # As a matrix (new, old): the gradient of interpolate() is not deterministic on a GPU.
    unit = torch.eye(old, device=like.device)[None, None]
    matrix = nn.functional.interpolate(unit, size=(new, old), mode="bicubic", align_corners=False)
    return matrix[0, 0].to(like.dtype)


def patch_map(tokens_btd: Tensor) -> Tensor:
    """Tokens (B, 1 + g * g, D) of a square picture as a map (B, D, g, g), for Grad-CAM."""
    side = int((tokens_btd.shape[1] - 1) ** 0.5)
    return tokens_btd[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)


def _vit(make: Callable[[], nn.Module], channels: int, weights: Any) -> Backbone:
    # As torchvision draws it: a linear map of the patch.
    net = AnySize(with_channels(make(), "conv_proj", channels, "fan_in", "linear"))
    layers = [(f"encoder.layers.encoder_layer_{k}",) for k in range(len(net.encoder.layers))]
    # The last normalisation sees what the last layer makes, and is trained with it.
    layers[-1] += ("encoder.ln",)
    return Backbone(
        net=net,
        width=net.class_token.shape[-1],
        blocks=(("conv_proj", "class_token", "encoder.pos_embedding"), *layers),
        stem="conv_proj",
        gradcam=f"{layers[-1][0]}.ln_1",
        own_head="heads",
        imagenet=weights,
        to_map=patch_map,
    )
