"""Learning rates as functions of the epoch and the scores so far: nothing to save or resume."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.settings.training import Settings
from foldwise.train.fit import Fit


def set_rates(fit: Fit, settings: Settings) -> None:
    """Rates of the coming epoch: full while the head is trained alone, then rising, then scheduled.

    Later stages go on from trained weights and so begin with their schedule.
    """
    head_only, rising = 0, 0
    if fit.stage == 0:
        head_only, rising = settings.head_only_epochs, settings.lr_warmup_epochs
    before = head_only + rising
    # A schedule spans what is left of the stage: cosine ends at its least rate in the last epoch.
    done = max(0, fit.epoch - fit.first - before)
    # With model.trainable_blocks 0 the head-only epochs may be all there are.
    epochs = max(1, settings.stages[fit.stage].epochs - before)
    share = warmup_share(fit.epoch - fit.first - head_only, rising)
    scores = judged(fit, settings)[before:]
    bases = {"head": settings.lr, "backbone": settings.backbone_lr}
    for group in fit.optimizer.param_groups:
        base = bases[group["name"]]
        group["lr"] = share * rate(base, settings.schedule, done, epochs, scores)


def judged(fit: Fit, settings: Settings) -> list[float]:
    """Score of each epoch of this stage, larger is better, by which a plateau is seen.

    With `stop_after` the validation part must decide nothing: the training loss stands in for it.
    """
    if settings.stop_after is None:
        return fit.scores
    return [-epoch["train_loss"] for epoch in fit.history[fit.first :]]


def warmup_share(epoch: int, rising: int) -> float:
    """Share of the full rate in `epoch` (from 0) of `rising` epochs in which it rises linearly.

    The first step is above 0 and the last below 1, so that each of these epochs learns and the one
    after them is the first at the full rate (Goyal et al. 2017, arXiv:1706.02677, section 2.2).
    """
    return (epoch + 1) / (rising + 1) if 0 <= epoch < rising else 1.0


def rate(
    base: float, schedule: Mapping[str, Any], epoch: int, epochs: int, scores: Sequence[float]
) -> float:
    """The learning rate of `epoch` (from 0) of `epochs`, both counted after the warm-up.

    `scores` are those of the epochs before it, larger is better (used by plateau alone).
    cosine: SGDR without restarts (Loshchilov & Hutter 2017, equation 5).
    """
    name = schedule["name"]
    if name == "none":
        return base
    # A base below the least rate stays what it is: a schedule never raises a rate.
    least = min(schedule["min_lr"], base)
    if name == "cosine":
        return least + (base - least) * (1 + math.cos(math.pi * epoch / epochs)) / 2
    if name == "step":
        drops = epoch // schedule["step_epochs"]
    else:
        drops = plateaus(scores, schedule["patience"])
    return max(base * schedule["factor"] ** drops, least)


def plateaus(scores: Sequence[float], patience: int) -> int:
    """How many times more than `patience` epochs passed without a new best score."""
    best, waited, drops = -math.inf, 0, 0
    for score in scores:
        waited = 0 if score > best else waited + 1
        best = max(best, score)
        # As PyTorch's ReduceLROnPlateau, which waits for one epoch more than its patience.
        if waited > patience:
            drops, waited = drops + 1, 0
    return drops
