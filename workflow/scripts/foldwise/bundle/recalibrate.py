"""Probabilities at another site, as they come and after one number was learned there.

Temperature scaling (Guo et al. 2017, On calibration of modern neural networks, ICML): one
temperature for all, learned on a stated half of the groups and judged on the other half.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from foldwise.hashing import stream_seed
from foldwise.reliability.calibration import binned
from foldwise.reliability.calibrators import EPSILON, LIMITS, apply
from foldwise.reliability.parts import parts_named

Rows = Sequence[Mapping[str, str]]
SHARE = 0.5
# Of fewer, half would teach the temperature of single patients.
FEWEST_GROUPS = 10


def probabilities(
    rows: Rows, classes: Mapping[str, list[str]]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Of each part of an answer p (N, K) and the place of its truth (N,)."""
    parts = parts_named(rows, classes)
    return [part.probabilities for part in parts], [part.labels for part in parts]


def recalibration(rows: Rows, classes: Mapping[str, list[str]], seed: int) -> dict[str, Any] | None:
    """Log loss and calibration error on one half of the groups, before and after; None without.

    Rows in an order of content, so that the halves are the same for the same images.
    """
    groups = list(dict.fromkeys(row["group"] for row in rows))
    if not classes or len(groups) < FEWEST_GROUPS:
        return None
    order = np.random.default_rng(stream_seed(seed, "recalibration")).permutation(len(groups))
    # By groups: images of one patient in both halves would flatter the temperature.
    learns = {groups[place] for place in order[: int(len(groups) * SHARE)]}
    ps, truths = probabilities(rows, classes)
    inside = np.array([row["group"] in learns for row in rows])
    fitted = minimize_scalar(
        lambda log_t: loss([sharpened(p[inside], np.exp(log_t)) for p in ps], _at(truths, inside)),
        bounds=LIMITS,
        method="bounded",
    )
    temperature = float(np.exp(fitted.x))
    outside = [p[~inside] for p in ps]
    after = [sharpened(p, temperature) for p in outside]
    judged = _at(truths, ~inside)
    return {
        "temperature": temperature,
        "groups_learned_on": len(learns),
        "groups_judged_on": len(groups) - len(learns),
        "log_loss": {"before": loss(outside, judged), "after": loss(after, judged)},
        "ece": {"before": error(outside, judged), "after": error(after, judged)},
    }


def _at(truths: list[np.ndarray], where: np.ndarray) -> list[np.ndarray]:
    return [truth[where] for truth in truths]


def sharpened(p_nk: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (N, K) of logits divided by a temperature."""
    return apply({"method": "temperature", "temperature": temperature}, p_nk)


def loss(ps: list[np.ndarray], truths: list[np.ndarray]) -> float:
    """Mean negative log probability of the truth, in nats, over all parts."""
    p_of_truth = [p[np.arange(len(t)), t] for p, t in zip(ps, truths, strict=True)]
    return float(-np.log(np.maximum(np.concatenate(p_of_truth), EPSILON)).mean())


def error(ps: list[np.ndarray], truths: list[np.ndarray]) -> float:
    """Expected calibration error: gap of confidence and accuracy in ten bins of confidence."""
    bins = curve(ps, truths)
    total = sum(one["n"] for one in bins)
    return sum(one["n"] * abs(one["confidence"] - one["accuracy"]) for one in bins) / total


def curve(ps: list[np.ndarray], truths: list[np.ndarray]) -> list[dict[str, Any]]:
    """Bins of confidence with their mean confidence, accuracy and size; empty ones left out."""
    confidence = np.concatenate([p.max(axis=1) for p in ps])
    right = np.concatenate([p.argmax(axis=1) == t for p, t in zip(ps, truths, strict=True)])
    table = binned(confidence, right)
    bins = zip(table["confidence"], table["right"], table["n"], strict=True)
    return [dict(zip(("confidence", "accuracy", "n"), one, strict=True)) for one in bins]
