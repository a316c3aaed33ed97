"""Calibration and conformal sets of a study, put to images that were in none of its folds.

Several models answer: each one's probabilities are mended by the map, which was fitted to answers
of single models, and then averaged, so that the log loss is at most the mean of theirs (Jensen). A
class is in the set where at least half of the models have it in theirs; such a vote misses the
truth at most twice as often as one model (Gasparin & Ramdas 2024, "Merging uncertainty sets via
majority vote"), and in practice about as often.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foldwise.evaluate.metrics.heads import columns_of
from foldwise.reliability.calibrators import apply
from foldwise.reliability.conformal import KINDS

# Scores of single images, to the last digit, would show whether an image was among them.
DIGITS = 3
NONE = "Studies of kind {} have no probabilities of classes to mend and no conformal sets."


def carried(kind: str, calibration: Any, conformal: Any) -> dict[str, Any]:
    """What a bundle carries of calibration.json and conformal.json; both None of other kinds.

    `parts`: label -> `calibration` (`map`, or `reason` where there is none) and `sets` (`limits`
    and what they did in the study, `expected`, of all classes and by class, or `reason`).
    """
    if calibration is None:
        return {"reason": NONE.format(kind), "error": None, "parts": {}}
    method, error = calibration["method"], conformal["error"]
    parts = {
        one["name"]: {"calibration": _map(one, method), "sets": _sets(two)}
        for one, two in zip(calibration["parts"], conformal["parts"], strict=True)
    }
    return {"reason": "", "error": error, "parts": parts}


def _map(part: Mapping[str, Any], method: str) -> dict[str, Any]:
    if method not in part["maps"]:
        return {"reason": part["few"][method]}
    fitted = part["maps"][method]["all"]
    if "steps" in fitted:
        steps = [
            {end: np.round(knots, DIGITS).tolist() for end, knots in step.items()}
            for step in fitted["steps"]
        ]
        fitted = fitted | {"steps": steps}
    return {"map": fitted}


def _sets(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["few"]:
        return {"reason": part["few"]}
    return {kind: _limits(part["sets"][kind]) for kind in KINDS}


def _limits(of_kind: Mapping[str, Any]) -> dict[str, Any]:
    # Upwards: a set may grow by it, and never lose the truth.
    rounded = {
        name: None if value is None else float(np.ceil(value * 10**DIGITS) / 10**DIGITS)
        for name, value in of_kind["limits"].items()
    }
    expected = {name: of_kind[name] for name in ("coverage", "size", "by_class")}
    return {"limits": rounded, "expected": expected}


def mended(fitted: Mapping[str, Any], probabilities_mnk: np.ndarray) -> np.ndarray:
    """(N, K) probabilities of all models together, from those of each (M, N, K)."""
    return np.mean([apply(fitted, one) for one in probabilities_mnk], axis=0)


def sets(limits: Mapping[str, float | None], probabilities_mnk: np.ndarray) -> np.ndarray:
    """(N, K) which classes are in the set, from the probabilities of each model (M, N, K)."""
    highest = np.array([np.inf if value is None else value for value in limits.values()])
    inside = 1 - probabilities_mnk <= highest
    # Half, and not more than half: of two models either keeps a class in.
    return inside.mean(axis=0) >= 0.5


def of_models(
    samples: Sequence[str], rows: Sequence[Mapping[str, str]], part: str, classes: Sequence[str]
) -> np.ndarray:
    """(M, N, K) probabilities of each model, of tables that name samples and folds."""
    _, prefix = columns_of(part)
    by_fold: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        own = [float(row[prefix + name]) for name in classes]
        by_fold.setdefault(row["fold"], {})[row["sample"]] = own
    return np.array([[table[sample] for sample in samples] for table in by_fold.values()])
