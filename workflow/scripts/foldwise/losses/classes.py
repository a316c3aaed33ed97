"""Losses over classes, from logits (B, K) and classes (B,), computed in float32."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foldwise.errors import FoldwiseError


def class_weights(
    labels: np.ndarray, names: Sequence[str], scheme: str | float | None
) -> Tensor | None:
    """Weight of each class (K,), from the class numbers (N,) of the training part alone.

    `balanced`: N / (K n_c), as scikit-learn's `compute_class_weight`. A number alpha:
    (N / n_c)^alpha over its mean. `none`: no weights.
    Raises FoldwiseError when a class has no sample.
    """
    if scheme in (None, "none"):
        return None
    counts = np.bincount(labels, minlength=len(names))
    if not counts.all():
        absent = ", ".join(name for name, n in zip(names, counts, strict=True) if not n)
        raise FoldwiseError(
            f"loss.class_weights: the training part has no sample of class {absent}, so it "
            "has no weight. Lower folds.n, merge the class, or set loss.class_weights to none."
        )
    if scheme == "balanced":
        weights = len(labels) / (len(names) * counts)
    else:
        weights = (len(labels) / counts) ** float(scheme)
        # Over their mean, so that alpha changes the balance of classes, not the loss's size.
        weights = weights / weights.mean()
    return torch.tensor(weights, dtype=torch.float32)


def weighted_mean(loss_b: Tensor, target_b: Tensor, weights_k: Tensor | None) -> Tensor:
    """Mean of (B,) losses, each with the weight of its class (as torch's cross_entropy)."""
    if weights_k is None:
        return loss_b.mean()
    weight_b = weights_k[target_b]
    # By the weights' sum: a batch of rare classes alone must not take larger steps.
    return (weight_b * loss_b).sum() / weight_b.sum()


class CrossEntropy(nn.Module):
    """Cross-entropy, averaged over the samples' class weights.

    Label smoothing: Szegedy et al. 2016, Rethinking the Inception architecture, section 7.
    """

    def __init__(self, weights: Tensor | None, label_smoothing: float):
        super().__init__()
        self.register_buffer("weights", weights)
        self.label_smoothing = label_smoothing

    def forward(self, logits_bk: Tensor, target_b: Tensor) -> Tensor:
        """Scalar loss of logits (B, K) and classes (B,)."""
        return functional.cross_entropy(
            logits_bk.float(),
            target_b,
            weight=self.weights,
            label_smoothing=self.label_smoothing,
        )


class Focal(nn.Module):
    """-(1 - p_t)^gamma log p_t, averaged over the samples' class weights.

    Lin et al. 2017, Focal loss for dense object detection, ICCV, with a softmax for several
    classes; gamma 0 is cross-entropy.
    """

    def __init__(self, weights: Tensor | None, gamma: float):
        super().__init__()
        self.register_buffer("weights", weights)
        self.gamma = gamma

    def forward(self, logits_bk: Tensor, target_b: Tensor) -> Tensor:
        """Scalar loss of logits (B, K) and classes (B,)."""
        log_p = functional.log_softmax(logits_bk.float(), dim=1)
        hit = functional.one_hot(target_b, logits_bk.shape[1]).to(log_p.dtype)
        log_pt = (log_p * hit).sum(dim=1)
        # 1 - p_t loses all digits near p_t = 1; expm1 keeps them.
        loss_b = -((-torch.expm1(log_pt)).clamp_min(0) ** self.gamma) * log_pt
        return weighted_mean(loss_b, target_b, self.weights)


def cross_entropy(
    settings: dict[str, Any], labels: np.ndarray, names: Sequence[str]
) -> CrossEntropy:
    """Of settings class_weights, label_smoothing; `labels`: the training part's classes (N,)."""
    weights = class_weights(labels, names, settings["class_weights"])
    return CrossEntropy(weights, settings["label_smoothing"])


def focal(settings: dict[str, Any], labels: np.ndarray, names: Sequence[str]) -> Focal:
    """Of settings class_weights, gamma; `labels`: the training part's classes (N,)."""
    weights = class_weights(labels, names, settings["class_weights"])
    return Focal(weights, settings["gamma"])
