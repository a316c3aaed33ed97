"""How much better the best value of a search looks than it is: estimated, and measured.

Estimated from the trials of the search itself; measured by nested cross-validation (Varma and Simon
2006, Bias in error estimation when using cross-validation for model selection, BMC Bioinformatics
7:91).
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foldwise.evaluate.wording import spoken

SOURCE = (
    "Tibshirani and Tibshirani (2009), A bias correction for the minimum error rate in "
    "cross-validation, Annals of Applied Statistics 3:822-829"
)


def selection_bias(scores: np.ndarray, chosen: int) -> float:
    """Bias of the chosen trial's mean score, after Tibshirani and Tibshirani (2009), equation 3.

    Args:
        scores: (T, K) score of T trials in K folds, higher is better, K at least 2.
        chosen: row of the trial with the best mean.

    Returns:
        The mean over folds of what the best trial of that fold has above the chosen one, at
        least 0. Taken off the chosen trial's mean it gives the corrected estimate.
    """
    return float(np.mean(scores.max(axis=0) - scores[chosen]))


def measured_against_promised(
    folds: Sequence[Any],
    chosen: Sequence[Mapping[str, Any]],
    objective: str,
    direction: str = "max",
) -> dict[str, Any]:
    """What each inner search promised, and what its outer fold then measured.

    Args:
        folds: the outer folds, with `fold` and `metrics`.
        chosen: content of each inner `best_params.json`, in the same order.
        objective: the metric that was searched.
        direction: "max" or "min", which way it is better.

    Returns:
        `outer`: a row an outer fold; `promised` and `measured`: means over those in which the
        metric is defined; `flattery`: how much better the promise was.
    """
    rows = [
        {
            "outer": fold.fold,
            "promised": best["best_value"],
            "measured": fold.metrics.get(objective),
            "epochs": best["epochs"],
            "params": best["best_params"],
        }
        for fold, best in zip(folds, chosen, strict=True)
    ]
    measured = [row for row in rows if row["measured"] is not None]
    # A fold in which the metric is not defined proves no promise wrong.
    promised = statistics.mean(row["promised"] for row in measured or rows)
    estimate = statistics.mean(row["measured"] for row in measured) if measured else None
    text = f"Outside of the search, {spoken(objective)} is {shown(estimate)} on average over outer "
    text += f"folds; the searches inside promised {promised:.4g}."
    sign = 1 if direction == "max" else -1
    return {
        "objective": objective,
        "outer": rows,
        "promised": promised,
        "measured": estimate,
        "flattery": None if estimate is None else sign * (promised - estimate),
        "text": text,
    }


def shown(value: float | None) -> str:
    """A number for a reader."""
    return "not defined" if value is None else f"{value:.4g}"
