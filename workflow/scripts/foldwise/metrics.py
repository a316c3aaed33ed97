"""Metrics of each kind of study by which weights, trials and runs may be chosen.

"max" or "min" says which way is better; the first is the default. Standard library only: a study's
settings are checked against this before anything starts.
"""

from typing import Any

CLASSIFICATION = {
    "kappa": "max",
    "accuracy": "max",
    "macro_f1": "max",
    "weighted_f1": "max",
    "auc": "max",
    "balanced_accuracy": "max",
    "balanced_accuracy_adjusted": "max",
    "macro_precision": "max",
    "log_loss": "min",
    "brier": "min",
    "ece": "min",
}
ZONES = {
    "kappa": "max",
    "exact": "max",
    "within_one": "max",
    "macro_f1": "max",
    "weighted_f1": "max",
    "unknown_f1": "max",
    "mean_score_r": "max",
    "band_accuracy": "max",
    "zone_mae": "min",
    "mean_score_mae": "min",
    "mean_score_rmse": "min",
}
SEGMENTATION = {
    "jaccard": "max",
    "dice": "max",
    "soft_jaccard": "max",
    "soft_dice": "max",
    "pooled_jaccard": "max",
    "pooled_dice": "max",
}
DISTILLATION = {"mean_f1": "max", "mean_accuracy": "max"}

MONITORS = {
    "classification": CLASSIFICATION,
    "zones": ZONES,
    "segmentation": SEGMENTATION,
    "distillation": DISTILLATION,
}

# Metrics by which trials may be judged as well; weights are not chosen by them, since they may be
# undefined after an early epoch.
FURTHER = {
    "zones": {
        "log_loss": "min",
        "coverage": "max",
        "unknown_precision": "max",
        "unknown_recall": "max",
        "unknown_auc": "max",
        "band_kappa": "max",
    },
    "segmentation": {
        "pooled_soft_jaccard": "max",
        "pooled_soft_dice": "max",
        "precision": "max",
        "recall": "max",
        "objects_f1": "max",
        "objects_mae": "min",
        "objects_r": "max",
        "object_size_error": "min",
    },
}


def judging(kind: str, task: dict[str, Any]) -> dict[str, str]:
    """All metrics by which a trial may be judged; `task` is params["task"]."""
    of_label = CLASSIFICATION | {"macro_recall": "max"}
    heads = {
        f"{head}_{name}": side for head in task.get("heads", ()) for name, side in of_label.items()
    }
    return MONITORS[kind] | FURTHER.get(kind, {}) | heads
