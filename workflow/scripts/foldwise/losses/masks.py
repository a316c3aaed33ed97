"""Losses over masks, from logits and masks (B, 1, H, W), pooled over the batch, in float32.

Pooling keeps an image without foreground from deciding alone what a batch is worth.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

# An empty answer to an empty mask is full overlap, and nothing divides by zero.
EPSILON = 1e-6


def dice_loss(logits: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """1 - (2 sum w y p + eps) / (sum w y + sum w p + eps).

    Milletari et al. 2016, V-Net, 3DV, with plain sums in the denominator.
    """
    p = logits.sigmoid()
    both = (weight * mask * p).sum()
    return 1 - (2 * both + EPSILON) / ((weight * mask).sum() + (weight * p).sum() + EPSILON)


def tversky_loss(
    logits: Tensor,
    mask: Tensor,
    weight: Tensor,
    false_negative: float,
    false_positive: float,
    gamma: float = 1.0,
) -> Tensor:
    """(1 - TI)^gamma, TI = (TP + eps) / (TP + a FN + b FP + eps).

    Salehi et al. 2017, Tversky loss function, MLMI; gamma other than 1: Abraham & Khan 2019,
    A novel focal Tversky loss, ISBI.
    """
    p = logits.sigmoid()
    hit = (weight * mask * p).sum()
    missed = (weight * mask * (1 - p)).sum()
    added = (weight * (1 - mask) * p).sum()
    index = (hit + EPSILON) / (hit + false_negative * missed + false_positive * added + EPSILON)
    # Rounding may take the index past 1, and a power of a negative number is NaN.
    return (1 - index).clamp_min(EPSILON**2) ** gamma


def focal_loss(logits: Tensor, mask: Tensor, weight: Tensor, alpha: float, gamma: float) -> Tensor:
    """Weighted mean of -alpha (1 - p_t)^gamma log p_t, alpha for both classes.

    Lin et al. 2017, Focal loss for dense object detection, ICCV.
    """
    # From logits: 1 - p of a sure pixel rounds to 0 in float32, and its logarithm is infinite.
    signed = torch.where(mask > 0.5, logits, -logits)
    loss = alpha * (-signed).sigmoid() ** gamma * -functional.logsigmoid(signed)
    return (weight * loss).sum() / weight.sum()


def edge_weights(mask: Tensor, extra: float, width_px: int) -> Tensor:
    """1, and 1 + extra within `width_px` of an edge of the mask (dilated without eroded)."""
    # Odd, so that the window is centred on its pixel.
    size = 2 * width_px + 1
    dilated = functional.max_pool2d(mask, size, stride=1, padding=width_px)
    # Padding is -infinity to max_pool2d: the picture's own border makes no edge.
    eroded = -functional.max_pool2d(-mask, size, stride=1, padding=width_px)
    return 1 + extra * (dilated - eroded)


class MaskLoss(nn.Module):
    """share x overlap + (1 - share) x focal.

    ramp_epochs: the share goes from .5 to `share` by r = min(epoch / ramp_epochs, 1); 0: at once.
    boundary_weight: extra weight, in each term, of pixels within `boundary_px` of a mask's edge.
    `epoch`, from 0, is set by the training loop.
    """

    def __init__(
        self,
        overlap: Callable[..., Tensor] | None,
        focal: Callable[..., Tensor] | None,
        share: float = 1.0,
        ramp_epochs: int = 0,
        *,
        boundary_weight: float,
        boundary_px: int,
    ):
        super().__init__()
        self.overlap, self.focal, self.final_share = overlap, focal, share
        self.ramp_epochs = ramp_epochs
        self.epoch: int | None = None
        self.boundary_weight, self.boundary_px = boundary_weight, boundary_px

    def share(self, epoch: int | None = None) -> float:
        """The overlap term's share after `epoch` epochs (None: after the ramp)."""
        if self.overlap is None or self.focal is None:
            return float(self.focal is None)
        ramp = 1 if epoch is None or not self.ramp_epochs else min(epoch / self.ramp_epochs, 1)
        return 0.5 + (self.final_share - 0.5) * ramp

    def forward(self, logits_b1hw: Tensor, mask_b1hw: Tensor, epoch: int | None = None) -> Tensor:
        """Scalar loss of logits and masks of 0 and 1 (any type), both (B, 1, H, W)."""
        logits = logits_b1hw.float()
        mask = mask_b1hw.to(logits.dtype)
        weight = torch.ones_like(mask)
        if self.boundary_weight:
            weight = edge_weights(mask, self.boundary_weight, self.boundary_px)
        share = self.share(self.epoch if epoch is None else epoch)
        loss = logits.new_zeros(())
        if self.overlap is not None:
            loss = loss + share * self.overlap(logits, mask, weight)
        if self.focal is not None:
            loss = loss + (1 - share) * self.focal(logits, mask, weight)
        return loss


def dice(settings: dict[str, Any]) -> MaskLoss:
    """Of settings boundary_weight, boundary_px."""
    return MaskLoss(dice_loss, None, **_boundary(settings))


def binary_focal(settings: dict[str, Any]) -> MaskLoss:
    """Of settings alpha, gamma, boundary_weight, boundary_px."""
    return MaskLoss(None, _focal(settings), **_boundary(settings))


def tversky(settings: dict[str, Any]) -> MaskLoss:
    """Of settings false_negative, false_positive, boundary_weight, boundary_px."""
    return MaskLoss(_tversky(settings), None, **_boundary(settings))


def focal_tversky(settings: dict[str, Any]) -> MaskLoss:
    """As tversky, to the power tversky_gamma."""
    return MaskLoss(
        partial(_tversky(settings), gamma=settings["tversky_gamma"]), None, **_boundary(settings)
    )


def combined(settings: dict[str, Any]) -> MaskLoss:
    """overlap_share Dice + the rest focal; settings of both and ramp_epochs."""
    return MaskLoss(dice_loss, _focal(settings), **_mixture(settings))


def combined_tversky(settings: dict[str, Any]) -> MaskLoss:
    """overlap_share Tversky + the rest focal; settings of both and ramp_epochs."""
    return MaskLoss(_tversky(settings), _focal(settings), **_mixture(settings))


def _tversky(settings: dict[str, Any]) -> Callable[..., Tensor]:
    costs = ("false_negative", "false_positive")
    return partial(tversky_loss, **{key: settings[key] for key in costs})


def _focal(settings: dict[str, Any]) -> Callable[..., Tensor]:
    return partial(focal_loss, alpha=settings["alpha"], gamma=settings["gamma"])


def _mixture(settings: dict[str, Any]) -> dict[str, Any]:
    share, ramp = settings["overlap_share"], settings["ramp_epochs"]
    return {"share": share, "ramp_epochs": ramp} | _boundary(settings)


def _boundary(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: settings[key] for key in ("boundary_weight", "boundary_px")}
