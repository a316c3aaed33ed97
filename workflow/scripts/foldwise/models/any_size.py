"""torchvision's vision transformers for pictures of any size.

Dosovitskiy et al. 2021, An image is worth 16x16 words, ICLR.
"""

import torch
from torch import Tensor, nn

from foldwise.errors import FoldwiseError


class AnySize(nn.Module):
    """torchvision's VisionTransformer for pictures of any size that patches divide.

    The position embeddings stay those of 224 pixels and are interpolated where they are used
    (section 3.2 of the paper), so weights fit every size, also when the size grows in training.
    """

    def __init__(self, net: nn.Module):
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
    # The pretrained size takes them as they are: bicubic of the same size could cost last bits.
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
