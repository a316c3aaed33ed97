"""Nested cross-validation: the estimate of a tuned model that its selection has not flattered.

Varma and Simon (2006), Bias in error estimation when using cross-validation for model selection,
BMC Bioinformatics 7:91. Standard library only.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.evaluate.wording import spoken


def inside(
    cohort: Sequence[dict[str, str]], fold: Sequence[dict[str, str]]
) -> list[dict[str, str]]:
    """Rows of the cohort in the outer fold's training part.

    Raises FoldwiseError if a group is on both sides, which the folds' audit should have refused.
    """
    part_of = {row["sample"]: row["part"] for row in fold}
    kept = [row for row in cohort if part_of.get(row["sample"]) == "train"]
    judging = {row["group"] for row in cohort if part_of.get(row["sample"]) != "train"}
    both = judging & {row["group"] for row in kept}
    if both:
        raise FoldwiseError(
            f"The outer fold has {len(both)} groups on both sides. Delete the study's folder "
            "`folds` and run the same command again."
        )
    return kept


def measured_against_promised(
    folds: Sequence[Any],
    chosen: Sequence[Mapping[str, Any]],
    objective: str,
    direction: str = "max",
) -> dict[str, Any]:
    """What each inner search promised, and what its outer fold then found.

    Args:
        folds: the outer folds, with `fold` and `metrics`.
        chosen: content of each inner `best_params.json`, in the same order.
        objective: the metric that was searched.
        direction: "max" or "min", which way it is better.

    Returns:
        `outer`: a row an outer fold; `promised` and `found`: means over those in which the metric
        was found; `flattery`: how much better the promise was.
    """
    rows = [
        {
            "outer": fold.fold,
            "promised": best["best_value"],
            "found": fold.metrics.get(objective),
            "epochs": best["epochs"],
            "params": best["best_params"],
        }
        for fold, best in zip(folds, chosen, strict=True)
    ]
    known = [row for row in rows if row["found"] is not None]
    # A fold in which the metric is not defined proves no promise wrong.
    promised = statistics.mean(row["promised"] for row in known or rows)
    found = statistics.mean(row["found"] for row in known) if known else None
    text = f"Outside of the search, {spoken(objective)} is {shown(found)} on average over outer "
    text += f"folds; the searches inside promised {promised:.4g}."
    sign = 1 if direction == "max" else -1
    return {
        "objective": objective,
        "outer": rows,
        "promised": promised,
        "found": found,
        "flattery": None if found is None else sign * (promised - found),
        "text": text,
    }


def shown(value: float | None) -> str:
    """A number for a reader."""
    return "not defined" if value is None else f"{value:.4g}"
