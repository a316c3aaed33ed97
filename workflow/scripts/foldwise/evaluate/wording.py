"""How metrics are called in tables and figures, in their order, and how to read each."""

from foldwise.settings.folds import UNITS as ONE

# Metric -> its name, and a few words on how to read it.
METRICS = {
    "accuracy": ("Accuracy", "share of images predicted right"),
    "balanced_accuracy": ("Balanced accuracy", "mean recall over classes"),
    "kappa": ("Quadratic kappa", "agreement beyond chance; distant classes weigh more"),
    "macro_f1": ("Macro F1", "mean F1 over classes"),
    "auc": ("AUC", "one class against the rest, mean over classes"),
    "exact": ("Exact", "share of zones scored as the reader did"),
    "within_one": ("Within one", "share of zones at most one off"),
    "weighted_f1": ("Weighted F1", "mean F1, classes weighted by their number"),
    "zone_mae": ("Zone error", "mean distance of zone scores"),
    "mean_score_mae": ("Mean score error", "mean distance of an image's mean score"),
    "mean_score_rmse": ("Mean score RMSE", "root mean square of that distance"),
    "mean_score_r": ("Mean score r", "Pearson correlation of an image's mean score"),
    "band_accuracy": ("Band accuracy", "share of images in the right severity band"),
    "unknown_precision": ("Unknown, precision", "share of zones called unknown that are"),
    "unknown_recall": ("Unknown, recall", "share of unknown zones that are called so"),
    "unknown_f1": ("Unknown, F1", "harmonic mean of these two"),
    "unknown_auc": ("Unknown, AUC", "unknown zones against those with a score"),
    "coverage": ("Coverage", "share of zones with a score that are given one"),
    "jaccard": ("Jaccard", "mean over images"),
    "dice": ("Dice", "mean over images"),
    "pooled_jaccard": ("Jaccard, pooled", "all images as one"),
    "pooled_dice": ("Dice, pooled", "all images as one"),
    "objects_f1": ("Objects F1", "objects found, matched at half overlap"),
    "objects_mae": ("Object count error", "mean distance of counts"),
    "mean_f1": ("Mean F1", "macro F1, mean over heads"),
    "mean_accuracy": ("Mean accuracy", "mean over heads"),
    "log_loss": ("Log loss", "nats; lower is better"),
    "brier": ("Brier score", "0 to 2; lower is better"),
    "ece": ("Calibration error", "gap between confidence and accuracy; lower is better"),
}
# First words that keep their capital inside a sentence.
NAMES = ("Brier", "Dice", "Jaccard")
# Classical methods, as the table beside them calls them.
BASELINES = {
    "logistic_statistics": "Logistic regression on pixel statistics",
    "second_reader": "Second reader",
    "ridge_pixels": "Ridge regression on small pictures",
    "otsu": "Otsu threshold, best channel",
    "otsu_flat": "Otsu threshold, blurred background taken off",
    "otsu_median": "Otsu threshold, median background taken off",
}
# Details of a metrics file that are tables of parts of an answer: where the parts are named in
# their order, the heading, and that of the table of how well it is found which can be judged.
PARTS = {"per_zone": (("task", "zones"), "Zones", "Zones that cannot be scored")}
DETECTION = ("unknown_precision", "unknown_recall", "unknown_f1", "unknown_auc", "coverage")
# What groups are, by data.group.
UNITS = {group: f"{unit}s" for group, unit in ONE.items()}


# What is told of each label where a sample has several.
OF_LABEL = {name: METRICS[name] for name in ("accuracy", "macro_f1")} | {
    "macro_precision": ("Macro precision", "mean precision over classes"),
    "macro_recall": ("Macro recall", "mean recall over classes"),
    "auc": METRICS["auc"],
}


def called(name: str) -> tuple[str, str]:
    """Name of a metric and how to read it; `<label>_<metric>` where there are several labels."""
    if name in METRICS:
        return METRICS[name]
    head, own = of_label(name)
    if not own:
        return name.replace("_", " ").capitalize(), ""
    title, meaning = OF_LABEL[own]
    return f"{titled(head)}: {title}", meaning


def titled(label: str) -> str:
    """What stands above what is told of one label; nothing of the only one."""
    return label.replace("_", " ").capitalize()


def spoken(name: str) -> str:
    """Name of a metric inside a sentence; an abbreviation or a person's name stays as it is."""
    title = called(name)[0]
    kept = title[:2].isupper() or title.startswith(NAMES)
    return title if kept else title[:1].lower() + title[1:]


def in_words(text: str) -> str:
    """A sentence that starts with the key of a metric, with the metric's name instead."""
    first, space, rest = text.partition(" ")
    return f"{called(first)[0]}{space}{rest}" if "_" in first or first in METRICS else text


def of_label(name: str) -> tuple[str, str]:
    """(label, metric) of `<label>_<metric>`; empty where it is none that is told of a label."""
    own = max(
        (known for known in METRICS | OF_LABEL if name.endswith(f"_{known}")), key=len, default=""
    )
    return (name.removesuffix(f"_{own}"), own) if own in OF_LABEL else ("", "")


# Those that share one axis in a figure: the more the better, one is perfect.
SHARES = (
    "accuracy",
    "balanced_accuracy",
    "kappa",
    "macro_f1",
    "auc",
    "exact",
    "within_one",
    "mean_score_r",
    "band_accuracy",
    "jaccard",
    "dice",
    "pooled_jaccard",
    "pooled_dice",
    "objects_f1",
    "mean_f1",
    "mean_accuracy",
)
