"""Losses over classes in an order, from logits (B, K) as any other: a miss by two costs more."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from foldwise.losses.classes import class_weights, weighted_mean


def squared_emd(logits_bk: Tensor, target_b: Tensor) -> Tensor:
    """(B,) squared earth mover's distance between softmax and class, over K - 1: 0 to 1.

    Hou, Yu & Samaras 2016, Squared earth mover's distance-based loss, arXiv:1611.05916; the same
    as the ranked probability score (Epstein 1969, J Appl Meteorol 8:985).
    """
    n_classes = logits_bk.shape[1]
    p = logits_bk.float().softmax(dim=1)
    # A product with ones below the diagonal: cumsum is not deterministic on a GPU.
    steps = torch.ones(n_classes, n_classes - 1, dtype=p.dtype, device=p.device).triu()
    thresholds = torch.arange(n_classes - 1, device=target_b.device)
    reached = (target_b[:, None] <= thresholds).to(p.dtype)
    return (p @ steps - reached).square().mean(dim=1)


def cumulative_log_loss(logits_bk: Tensor, target_b: Tensor) -> Tensor:
    """(B,) mean log loss of the K - 1 questions "is it above class k?", answered by the softmax.

    The questions of Frank & Hall 2001, A simple approach to ordinal classification, ECML, with
    sums of one softmax as answers, so that they never contradict each other.
    """
    logits = logits_bk.float()
    total = logits.logsumexp(dim=1)
    losses = []
    for k in range(logits.shape[1] - 1):
        below = logits[:, : k + 1].logsumexp(dim=1) - total
        above = logits[:, k + 1 :].logsumexp(dim=1) - total
        losses.append(-torch.where(target_b > k, above, below))
    return torch.stack(losses, dim=1).mean(dim=1)


class Ordinal(nn.Module):
    """One of the functions above, averaged over the samples' class weights."""

    def __init__(self, cumulative: bool, weights: Tensor | None = None):
        super().__init__()
        self.cumulative = cumulative
        self.register_buffer("weights", weights)

    def forward(self, logits_bk: Tensor, target_b: Tensor) -> Tensor:
        """Scalar loss of logits (B, K) and classes (B,)."""
        per_sample = cumulative_log_loss if self.cumulative else squared_emd
        return weighted_mean(per_sample(logits_bk, target_b), target_b, self.weights)


def ordinal(settings: dict[str, Any], labels: np.ndarray, names: Sequence[str]) -> Ordinal:
    """Squared earth mover's distance. Of settings class_weights; `labels` as in cross_entropy."""
    return Ordinal(False, class_weights(labels, names, settings["class_weights"]))


def ordinal_cumulative(
    settings: dict[str, Any], labels: np.ndarray, names: Sequence[str]
) -> Ordinal:
    """Cumulative log loss. Of settings class_weights; `labels` as in cross_entropy."""
    return Ordinal(True, class_weights(labels, names, settings["class_weights"]))
