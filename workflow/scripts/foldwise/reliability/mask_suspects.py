"""Masks that are likely wrong: those with which out-of-fold probabilities agree unusually little.

The agreement of an image is the soft Jaccard of its probabilities and its mask,
sum(p m) / sum(p + m - p m): like cleanlab's scores of segmentation (Lad & Mueller 2023, "Estimating
label quality and errors in semantic segmentation data via any model", arXiv:2307.05080) it is low
where the model is sure of another mask. Pixels alone would count images of much background as well
labelled. What is unusual is said by the set itself, as the thresholds of confident learning are:
below the lower fence, quartile 1 - 1.5 x interquartile range (Tukey 1977, Exploratory Data
Analysis, 2C), or no overlap at all where mask or answer has foreground.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from foldwise.reliability.parts import Row

REACH = 1.5  # interquartile ranges below quartile 1
LEAST = 8  # images for quartiles that mean something
# A mask of half the predicted area or less is called too small.
FACTOR = 2.0


def agreement(rows: Sequence[Row]) -> np.ndarray:
    """(N,) soft Jaccard of each image's probabilities and mask; NaN without any foreground."""
    both, truth, soft = (
        np.array([float(row[key]) for row in rows])
        for key in ("soft_both", "truth", "soft_predicted")
    )
    empty = (truth == 0) & (np.array([float(row["predicted"]) for row in rows]) == 0)
    return np.where(empty, np.nan, both / np.maximum(truth + soft - both, 1e-12))


def suspect_masks(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Places of the suspects, the least agreement first, and (N,) agreements."""
    found = agreement(rows)
    there = found[~np.isnan(found)]
    apart = np.array([float(row["both"]) == 0 for row in rows]) & ~np.isnan(found)
    fence = -np.inf
    if len(there) >= LEAST:
        low, high = np.quantile(there, [0.25, 0.75])
        fence = low - REACH * (high - low)
    places = np.flatnonzero(apart | (found < fence))
    # Stable: equal agreements keep the order of content.
    return places[np.argsort(found[places], kind="stable")], found


def in_words(row: Row) -> tuple[str, str]:
    """What the mask is, and what it looks like to the model."""
    truth, predicted, both = (float(row[key]) for key in ("truth", "predicted", "both"))
    if truth == 0:
        return "empty", "foreground"
    if predicted == 0:
        return "foreground", "empty"
    if 2 * both < min(truth, predicted):
        return "foreground", "elsewhere"
    if predicted > FACTOR * truth:
        return "foreground", "larger"
    return "foreground", "smaller" if truth > FACTOR * predicted else "other outlines"


def listed_masks(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row a suspect, as `foldwise.reliability.suspects.find_suspects` gives them."""
    places, found = suspect_masks(rows)
    listed = []
    for i in places:
        given, looks_like = in_words(rows[i])
        one = {"sample": rows[i]["sample"], "label": "", "given": given, "looks_like": looks_like}
        listed.append(one | {"probability_of_given": float(found[i])})
    return listed
