"""What a model is expected to do: the numbers of its own study, in the form that a site gives."""

from collections.abc import Mapping
from typing import Any

CROSS_VALIDATED = (
    "validation predictions of all folds as one set, each by the one model of its fold"
)
HELD_OUT = "the holdout, which no fold has seen, by the mean of all models"


def expected(summary: Mapping[str, Any], holdout: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metrics with intervals of a run, by level, and what they are of.

    `summary` is cv_summary.json, `holdout` holdout_summary.json of a study that has one: that is
    then what is expected, since all models answer there as they do elsewhere.
    """
    has_holdout = bool(holdout and holdout["n"])
    # Pooled, not the mean over folds: a site too gives one set of predictions.
    levels = holdout["ensemble"] if has_holdout else summary["pooled"]
    return {
        "of": HELD_OUT if has_holdout else CROSS_VALIDATED,
        "level": summary["methods"]["level"],
        "monitor": summary["best_fold"]["metric"],
        "levels": {
            name: {"n": level["n"], "metrics": level["metrics"]} for name, level in levels.items()
        },
        "folds": {
            name: {key: value[key] for key in ("mean", "std", "interval", "n_folds")}
            for name, value in summary.items()
            if isinstance(value, dict) and "n_folds" in value and "interval" in value
        },
    }
