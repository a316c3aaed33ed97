"""Metrics of each kind of study by which weights, trials and runs may be chosen.

"max" or "min" says which way is better; the first is the default. Standard library only: a study's
settings are checked against this before anything starts.
"""

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
