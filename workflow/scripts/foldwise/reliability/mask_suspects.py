"""Masks that are likely wrong: those a model disagrees with more than it doubts its own answer.

The agreement of an image is the soft Jaccard of its out-of-fold probabilities p and its mask m,
sum(p m) / sum(p + m - p m). Alone it is low wherever the model is weak. So it is set against the
same number of the model's own mask, which is how sure the model is of that image, as confident
learning sets a probability against the mean of its class (Northcutt, Jiang & Chuang 2021, JAIR
70:1373-1411). Suspect is an image whose shortfall lies above the upper fence, quartile 3 + 1.5 x
interquartile range (Tukey 1977, Exploratory Data Analysis, 2C): the set says what is unusual.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.reliability.parts import Row

TINY = 1e-12  # in the place of 0 below a fraction
REACH = 1.5  # interquartile ranges above quartile 3
LEAST = 8  # images for quartiles that mean something
# A mask of half the predicted area or less is called too small.
FACTOR = 2.0


def agreement(rows: Sequence[Row]) -> np.ndarray:
    """(N,) soft Jaccard of each image's probabilities and mask; 0 without any foreground."""
    both, truth, soft = (
        np.array([float(row[key]) for row in rows])
        for key in ("soft_both", "truth", "soft_predicted")
    )
    return both / np.maximum(truth + soft - both, TINY)


def own_agreement(maps: Iterable[str | Path], threshold: float) -> np.ndarray:
    """(N,) soft Jaccard of probabilities and the mask they give, of each maps_val.npy in turn."""
    agreements = []
    for path in maps:
        for stored in np.load(path, mmap_mode="r"):
            # Picture by picture: all of them as numbers would be eight times the file.
            p = stored / np.float64(np.iinfo(stored.dtype).max)
            mask = p >= threshold
            both = p[mask].sum()
            agreements.append(both / max(mask.sum() + p.sum() - both, TINY))
    return np.array(agreements)


def suspect_masks(rows: Sequence[Row], own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the suspects, the largest shortfall first, and (N,) shortfalls."""
    short = own - agreement(rows)
    if len(rows) < LEAST:
        return np.array([], int), short
    low, high = np.quantile(short, [0.25, 0.75])
    places = np.flatnonzero(short > max(high + REACH * (high - low), 0))
    # Stable: equal ones keep the order of content.
    return places[np.argsort(-short[places], kind="stable")], short


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


def listed_masks(rows: Sequence[Row], own: np.ndarray) -> list[dict[str, Any]]:
    """A row a suspect, as `foldwise.reliability.suspects.find_suspects` gives them."""
    scores, listed = agreement(rows), []
    for i in suspect_masks(rows, own)[0]:
        given, looks_like = in_words(rows[i])
        one = {"sample": rows[i]["sample"], "label": "", "given": given, "looks_like": looks_like}
        listed.append(one | {"probability_of_given": float(scores[i])})
    return listed
