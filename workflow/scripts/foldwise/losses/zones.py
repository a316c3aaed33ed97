"""Losses over zones whose last value is "unknown", from logits (B, Z, V) and values (B, Z)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foldwise.losses.ordinal import squared_emd


class ZoneLoss(nn.Module):
    """Cross-entropy with weights (1, ..., 1, unknown_weight), plus an ordinal term.

    The ordinal term is `ordinal_weight` times the squared earth mover's distance between the
    scores alone, over the zones whose score is known; "unknown" has no place in the order.
    """

    def __init__(self, n_values: int, unknown_weight: float, ordinal_weight: float = 0.0):
        super().__init__()
        weights = torch.ones(n_values)
        weights[-1] = unknown_weight
        self.register_buffer("weights", weights)
        self.ordinal_weight = ordinal_weight

    def forward(self, logits_bzv: Tensor, target_bz: Tensor) -> Tensor:
        """Scalar loss of logits (B, Z, V) and values (B, Z) from 0 to V - 1, V - 1 unknown."""
        # As plain rows: the two-dimensional loss of torch is not deterministic on a GPU.
        logits, target = logits_bzv.float().flatten(0, 1), target_bz.flatten()
        loss = functional.cross_entropy(logits, target, weight=self.weights)
        if not self.ordinal_weight:
            return loss
        unknown = len(self.weights) - 1
        scored = (target != unknown).to(logits.dtype)
        # Unknown zones get any valid class here; `scored` takes them out again below.
        distance = squared_emd(logits[:, :unknown], target.clamp_max(unknown - 1))
        # A batch whose zones are all unknown has no distance, and must not divide by zero.
        ordinal = (scored * distance).sum() / scored.sum().clamp_min(1)
        return loss + self.ordinal_weight * ordinal


def zone_cross_entropy(
    settings: dict[str, Any], labels: np.ndarray, names: Sequence[str]
) -> ZoneLoss:
    """Of settings unknown_weight. `names`: the values, "unknown" last."""
    return ZoneLoss(len(names), settings["unknown_weight"])


def zone_ordinal(settings: dict[str, Any], labels: np.ndarray, names: Sequence[str]) -> ZoneLoss:
    """Of settings unknown_weight and ordinal_weight. `names`: the values, "unknown" last."""
    weight = settings["ordinal_weight"]
    return ZoneLoss(len(names), settings["unknown_weight"], weight)
