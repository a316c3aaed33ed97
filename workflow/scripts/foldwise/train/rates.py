"""Learning rates as functions of the epoch and the scores so far: nothing to save or resume."""

import math
from collections.abc import Sequence

from foldwise.settings.training import Schedule, Settings
from foldwise.train.fit import Fit


def set_rates(fit: Fit, settings: Settings) -> None:
    """Rates of the coming epoch: full in the warm-up, scheduled over the rest of the stage."""
    warm = settings.warmup_epochs if fit.stage == 0 else 0
    done = max(0, fit.epoch - fit.first - warm)
    # Where the head alone is trained, the warm-up may be all there is.
    epochs = max(1, settings.stages[fit.stage].epochs - warm)
    bases = {"head": settings.lr, "backbone": settings.backbone_lr}
    for group in fit.optimizer.param_groups:
        base = bases[group["name"]]
        group["lr"] = rate(base, settings.schedule, done, epochs, fit.scores[warm:])


def rate(
    base: float, schedule: Schedule, epoch: int, epochs: int, scores: Sequence[float]
) -> float:
    """The learning rate of `epoch` (from 0) of `epochs`, both counted after the warm-up.

    `scores` are those of the epochs before it, larger is better (used by plateau alone).
    cosine: SGDR without restarts (Loshchilov & Hutter 2017, equation 5).
    """
    if schedule.name == "cosine":
        least = min(schedule.min_lr, base)
        return least + (base - least) * (1 + math.cos(math.pi * epoch / epochs)) / 2
    drops = 0
    if schedule.name == "step":
        drops = epoch // schedule.step_epochs
    if schedule.name == "plateau":
        drops = plateaus(scores, schedule.patience)
    return max(base * schedule.factor**drops, min(schedule.min_lr, base))


def plateaus(scores: Sequence[float], patience: int) -> int:
    """How many times more than `patience` epochs passed without a new best score."""
    best, waited, drops = -math.inf, 0, 0
    for score in scores:
        waited = 0 if score > best else waited + 1
        best = max(best, score)
        if waited > patience:
            drops, waited = drops + 1, 0
    return drops
