"""Sets of classes that hold the truth at a stated rate, and who can be decided without a reader.

Cross-conformal prediction (Vovk 2015, "Cross-conformal predictors", Annals of Mathematics and
Artificial Intelligence 74:9-28) with the score 1 - p(class) (Sadinle, Lei & Wasserman 2019, JASA
114:223-234). A class is in the set of a sample where its p-value is above the stated error:

    p = (1 + weight of the calibration scores that are at least the class's) / (1 + weight of all)

Calibration scores of a sample are those of the other folds, which its group is not in. Each group
weighs one, shared by its samples, since groups are what is exchangeable (Lee, Barber & Willett
2023, "Distribution-free inference with hierarchical data"); with one sample a group this is the
textbook's. `by_class` takes the scores of the class asked about alone (Vovk 2012, "Conditional
validity of inductive conformal predictors"), so that rare classes are covered too.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from foldwise.evaluate.fold import plain
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.numbers import Weights, mean_defined
from foldwise.reliability.parts import Part, Row, crossed, few, parts_of
from foldwise.reliability.triage import of_confidence, with_intervals

KINDS = ("all", "by_class")


def conformal(
    rows: Sequence[Row], task: Mapping[str, Any], error: float, bootstrap: Bootstrap
) -> dict[str, Any]:
    """The content of conformal.json. rows: val_predictions.csv of all folds; error: 0 to 1."""
    parts = [_of_part(part, error, bootstrap) for part in parts_of(rows, task)]
    return plain({"error": error, "parts": parts, "level": bootstrap.level})


def p_values(scores: np.ndarray, weights: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """(M, K) p-values of `judged` (M, K) by calibration scores (N,) with weights (N,).

    Without smoothing; crepes and MAPIE have the same for equal weights of 1.
    """
    order = np.argsort(scores, kind="stable")
    # Weight of all scores from a place on: ties count as at least the score asked about.
    after = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    place = np.searchsorted(scores[order], judged, side="left")
    return (1 + after[place]) / (1 + weights.sum())


def crossed_p_values(part: Part, by_class: bool) -> np.ndarray:
    """(N, K) p-values of all classes, each sample calibrated on the other folds."""
    # 1 keeps a class in the set: where nothing was calibrated, nothing is ruled out.
    p_nk = np.ones_like(part.probabilities)
    for fitted, judged in crossed(part):
        for k in range(len(part.classes)):
            used = fitted & (part.labels == k) if by_class else fitted
            own = 1 - part.probabilities[used, part.labels[used]]
            weights = _shares(part.group[used])
            p_nk[judged, k] = p_values(own, weights, 1 - part.probabilities[judged, k])
    return p_nk


def covered(rows: Sequence[Row], task: Mapping[str, Any], error: float) -> dict[str, np.ndarray]:
    """Label -> (N,) whether a sample's set holds the truth, of labels that have sets."""
    by_part = {}
    for part in parts_of(rows, task):
        if not few(part, least_groups(error)):
            sets = crossed_p_values(part, by_class=False) > error
            by_part[part.name] = sets[np.arange(len(sets)), part.labels]
    return by_part


def _shares(group: np.ndarray) -> np.ndarray:
    """(N,) weights: one a group, shared by its samples."""
    _, member, counts = np.unique(group, return_inverse=True, return_counts=True)
    return 1 / counts[member]


def least_groups(error: float) -> int:
    """Groups below which no p-value falls under `error`, so that every set holds every class."""
    return int(np.ceil(1 / error)) - 1


def _of_part(part: Part, error: float, bootstrap: Bootstrap) -> dict[str, Any]:
    facts = {"name": part.name, "classes": part.classes, "n": len(part.labels)}
    facts |= {"groups": part.groups, "few": few(part, least_groups(error)), "sets": {}}
    if facts["few"]:
        return facts
    for kind in KINDS:
        sets = crossed_p_values(part, kind == "by_class") > error
        facts["sets"][kind] = coverage(part, sets, bootstrap)
        facts["sets"][kind]["limits"] = limits(part, error, kind == "by_class")
        facts["sets"][kind]["rare"] = list(_rare(part, error)) if kind == "by_class" else []
    return facts | {"triage": of_confidence(part, error, bootstrap)}


def _rare(part: Part, error: float) -> Iterator[str]:
    """Classes of too few groups for a set to leave them out."""
    for k, name in enumerate(part.classes):
        sizes = [len(np.unique(part.group[f & (part.labels == k)])) for f, _ in crossed(part)]
        if min(sizes) < least_groups(error):
            yield name


def limits(part: Part, error: float, by_class: bool) -> dict[str, float | None]:
    """Class -> largest score with which it is in the set of a new sample; None: with any score.

    By the scores of all folds, which no new sample has a part in.
    """
    limit_of = {}
    for k, name in enumerate(part.classes):
        used = part.labels == k if by_class else np.ones(len(part.labels), bool)
        own = 1 - part.probabilities[used, part.labels[used]]
        weights = _shares(part.group[used])
        inside = own[p_values(own, weights, own) > error] if len(own) else own
        # Too few: not even a score beyond all of them would be rare enough to rule a class out.
        free = 1 / (1 + weights.sum()) > error
        limit_of[name] = None if free else float(inside.max())
    return limit_of


def coverage(part: Part, sets: np.ndarray, bootstrap: Bootstrap) -> dict[str, Any]:
    """Coverage in all and by class, sizes, and sets of one class: their share, and its errors."""
    size, rows = sets.sum(axis=1), np.arange(len(sets))
    covered, single = sets[rows, part.labels], size == 1

    def statistic(weights: Weights) -> dict[str, Any]:
        # By this name the table of metrics gives a share Wilson's interval.
        values = {"accuracy": mean_defined(covered, weights), "size": mean_defined(size, weights)}
        for k in range(len(part.classes)):
            of_class = np.where(part.labels == k, covered, np.nan)
            values[f"class_{k}"] = mean_defined(of_class, weights)
        values["single"] = mean_defined(single, weights)
        values["single_error"] = mean_defined(np.where(single, ~covered, np.nan), weights)
        return values

    measured = with_intervals(statistic, part, bootstrap)
    by_class = {name: measured.pop(f"class_{k}") for k, name in enumerate(part.classes)}
    sizes = {str(n): int((size == n).sum()) for n in range(sets.shape[1] + 1)}
    return {"coverage": measured.pop("accuracy"), **measured, "by_class": by_class, "sizes": sizes}
