"""The table of metrics: what each is called, means, can be, and may decide. One entry a metric.

Settings, words, figures, limits of intervals and the choice of weights and trials read it. A new
metric is one entry here and one function where its kind of study is measured
(`foldwise.evaluate.metrics`). Standard library only: settings are checked against it before
anything starts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

# What a metric may decide in a kind of study. Weights are chosen by the default monitor where a
# study names none.
DEFAULT, MONITOR = "default", "monitor"
# Trials may be judged by it; weights are not chosen by it, as an early epoch may not have it.
JUDGE = "judge"
# It is measured and shown, and decides nothing: a bias is best at 0, neither high nor low.
SHOWN = "shown"

# How the interval of a pooled value is made (`foldwise.evaluate.metrics.intervals`).
BOOTSTRAP, PROPORTION, BIASED = "bootstrap", "proportion", "biased"
# Ends the key beside a biased metric's under which draws say how far they lie from all samples.
DISTANCE = "_distance"


@dataclass(frozen=True)
class Metric:
    """One entry of the table.

    Args:
        name: its key in result files and settings.
        title: what it is called in tables and figures.
        meaning: a few words on how to read it.
        kinds: kind of study -> what it may decide there; the kind `label` stands for each of
            several labels (heads) of a sample, where the key is `<head>_<name>`.
        undefined: why it may have no value.
        better: "max", "min" or "" (neither).
        low, high: least and greatest value.
        on_axis: drawn on the one axis of figures: the more the better, and one is perfect.
        in_tables: stands in the tables of a report.
        in_labels: stands there for each of several labels.
        ordinal: means something of classes with an order alone.
        detects: says how well it is found which parts of an answer can be judged at all.
        alias: the name that other programs give it.
        interval: how the interval of its pooled value is made.
    """

    name: str
    title: str
    meaning: str
    kinds: Mapping[str, str]
    undefined: str
    better: str = "max"
    low: float = 0.0
    high: float = 1.0
    on_axis: bool = False
    in_tables: bool = True
    in_labels: bool = False
    ordinal: bool = False
    detects: bool = False
    alias: str = ""
    interval: str = BOOTSTRAP

    @property
    def limits(self) -> tuple[float, float]:
        """Least and greatest value."""
        return self.low, self.high

    def of_head(self, head: str) -> "Metric":
        """The same of one of several labels."""
        title = f"{titled(head)}: {self.title}"
        return replace(self, name=f"{head}_{self.name}", title=title, alias="")


CLASSES, ZONES, MASKS = "classification", "zones", "segmentation"
HEADS, LABEL = "distillation", "label"
IN_CLASSES = {CLASSES: MONITOR, LABEL: JUDGE}
OF_ZONES, OF_MASKS = {ZONES: MONITOR}, {MASKS: MONITOR}
JUDGES_ZONES, JUDGES_MASKS = {ZONES: JUDGE}, {MASKS: JUDGE}
NO_SAMPLE, NO_SCORE = "no samples", "no zone has a score"
NO_ZONE = "no sample, or no zone with a score"
NO_PAIR = "no zone has a score on both sides"
EMPTY = "nothing is foreground on either side"
CONSTANT = "truth and prediction are one and the same throughout, or there is nothing to compare"

# In the order of tables and figures.
# fmt: off
TABLE = (
    Metric("accuracy", "Accuracy", "share of images predicted right", IN_CLASSES, NO_SAMPLE,
           on_axis=True, interval=PROPORTION, in_labels=True),
    Metric("balanced_accuracy", "Balanced accuracy", "mean recall over classes", IN_CLASSES,
           NO_SAMPLE, on_axis=True),
    Metric("kappa", "Quadratic kappa", "agreement beyond chance; distant classes weigh more",
           {CLASSES: DEFAULT, ZONES: DEFAULT, LABEL: JUDGE}, CONSTANT, low=-1.0, on_axis=True,
           alias="kappa_quadratic", ordinal=True),
    Metric("macro_f1", "Macro F1", "mean F1 over classes", IN_CLASSES | OF_ZONES, NO_ZONE,
           on_axis=True, in_labels=True),
    Metric("macro_precision", "Macro precision", "mean precision over classes", IN_CLASSES,
           NO_SAMPLE, in_tables=False, in_labels=True),
    Metric("macro_recall", "Macro recall", "mean recall over classes", {LABEL: JUDGE}, NO_SAMPLE,
           in_labels=True),
    Metric("auc", "AUC", "one class against the rest, mean over classes", IN_CLASSES,
           "a class is not there", on_axis=True, alias="auc_ovr", in_labels=True),
    Metric("exact", "Exact", "share of zones scored as the reader did", OF_ZONES, NO_SCORE,
           on_axis=True, interval=PROPORTION),
    Metric("within_one", "Within one", "share of zones at most one off", OF_ZONES, NO_SCORE,
           on_axis=True, interval=PROPORTION),
    Metric("weighted_f1", "Weighted F1", "mean F1, classes weighted by their number",
           IN_CLASSES | OF_ZONES, NO_ZONE),
    Metric("balanced_accuracy_adjusted", "Balanced accuracy, adjusted",
           "balanced accuracy, chance set to 0", IN_CLASSES, "only one class is there", low=-1.0,
           in_tables=False),
    Metric("zone_mae", "Zone error", "mean distance of zone scores", OF_ZONES, NO_PAIR,
           better="min", high=inf),
    Metric("mean_score_mae", "Mean score error", "mean distance of an image's mean score", OF_ZONES,
           NO_PAIR, better="min", high=inf),
    Metric("mean_score_rmse", "Mean score RMSE", "root mean square of that distance", OF_ZONES,
           NO_PAIR, better="min", high=inf),
    Metric("mean_score_bias", "Mean score bias", "mean of predicted less true mean score",
           {ZONES: SHOWN}, NO_PAIR, better="", low=-inf, high=inf, in_tables=False),
    Metric("mean_score_r", "Mean score r", "Pearson correlation of an image's mean score", OF_ZONES,
           "mean scores do not vary", low=-1.0, on_axis=True),
    Metric("band_accuracy", "Band accuracy", "share of images in the right severity band", OF_ZONES,
           NO_PAIR, on_axis=True, interval=PROPORTION),
    Metric("band_kappa", "Band kappa", "quadratic kappa of severity bands", JUDGES_ZONES,
           "all images are in one band", low=-1.0, in_tables=False),
    Metric("unknown_precision", "Unknown, precision", "share of zones called unknown that are",
           JUDGES_ZONES, "no zone is called unknown", detects=True),
    Metric("unknown_recall", "Unknown, recall", "share of unknown zones that are called so",
           JUDGES_ZONES, "no zone is unknown", detects=True),
    Metric("unknown_f1", "Unknown, F1", "harmonic mean of these two", OF_ZONES,
           "no zone is unknown or called so", detects=True),
    Metric("unknown_auc", "Unknown, AUC", "unknown zones against those with a score", JUDGES_ZONES,
           "all zones are unknown, or none is", detects=True),
    Metric("coverage", "Coverage", "share of zones with a score that are given one", JUDGES_ZONES,
           NO_SCORE, detects=True, interval=PROPORTION),
    Metric("jaccard", "Jaccard", "mean over images", {MASKS: DEFAULT}, EMPTY, on_axis=True),
    Metric("dice", "Dice", "mean over images", OF_MASKS, EMPTY, on_axis=True),
    Metric("soft_jaccard", "Jaccard, soft", "of probabilities, mean over images", OF_MASKS, EMPTY,
           in_tables=False),
    Metric("soft_dice", "Dice, soft", "of probabilities, mean over images", OF_MASKS, EMPTY,
           in_tables=False),
    Metric("pooled_jaccard", "Jaccard, pooled", "all images as one", OF_MASKS, EMPTY, on_axis=True),
    Metric("pooled_dice", "Dice, pooled", "all images as one", OF_MASKS, EMPTY, on_axis=True),
    Metric("pooled_soft_jaccard", "Jaccard, pooled, soft", "of probabilities, all images as one",
           JUDGES_MASKS, EMPTY, in_tables=False),
    Metric("pooled_soft_dice", "Dice, pooled, soft", "of probabilities, all images as one",
           JUDGES_MASKS, EMPTY, in_tables=False),
    Metric("precision", "Precision", "share of predicted pixels that are foreground", JUDGES_MASKS,
           "nothing is predicted", in_tables=False),
    Metric("recall", "Recall", "share of foreground pixels that are predicted", JUDGES_MASKS,
           "nothing is foreground", in_tables=False),
    Metric("objects_f1", "Objects F1", "objects found, matched at half overlap", JUDGES_MASKS,
           "no object on either side", on_axis=True),
    Metric("objects_mae", "Object count error", "mean distance of counts", JUDGES_MASKS, NO_SAMPLE,
           better="min", high=inf),
    Metric("objects_bias", "Object count bias", "mean of predicted less true counts",
           {MASKS: SHOWN}, NO_SAMPLE, better="", low=-inf, high=inf, in_tables=False),
    Metric("objects_r", "Object count r", "Pearson correlation of counts", JUDGES_MASKS,
           "numbers of objects do not vary", low=-1.0, in_tables=False),
    Metric("object_size_error", "Object size error", "median relative error of the median size",
           JUDGES_MASKS, "no image has an object on both sides", better="min", high=inf,
           in_tables=False),
    Metric("mean_f1", "Mean F1", "macro F1, mean over heads", {HEADS: DEFAULT}, NO_SAMPLE,
           on_axis=True),
    Metric("mean_accuracy", "Mean accuracy", "mean over heads", {HEADS: MONITOR}, NO_SAMPLE,
           on_axis=True),
    Metric("log_loss", "Log loss", "nats; lower is better",
           IN_CLASSES | JUDGES_ZONES | {HEADS: JUDGE}, NO_SAMPLE, better="min", high=inf),
    Metric("brier", "Brier score", "0 to 2; lower is better", IN_CLASSES, NO_SAMPLE, better="min",
           high=2.0),
    Metric("ece", "Calibration error",
           "gap between confidence and accuracy; lower is better, biased upward in few samples",
           IN_CLASSES, NO_SAMPLE, better="min", interval=BIASED),
)
# fmt: on

BY_NAME = {metric.name: metric for metric in TABLE}


def of_kind(kind: str) -> list[Metric]:
    """All metrics of a kind of study, in the table's order; `label`: of each of several labels."""
    return [metric for metric in TABLE if kind in metric.kinds]


def monitors(kind: str) -> dict[str, str]:
    """Metrics by which weights may be chosen -> "max" or "min"; the first is the default."""
    return _that_may(kind, (DEFAULT,)) | _that_may(kind, (MONITOR,))


def judging(kind: str, task: Mapping[str, Any]) -> dict[str, str]:
    """All metrics by which a trial may be judged; `task` is params["task"]."""
    heads = task["heads"] if kind == HEADS else ()
    of_heads = {
        f"{head}_{name}": better
        for head in heads
        for name, better in _that_may(LABEL, (JUDGE,)).items()
        if head in ordered_labels(task) or not BY_NAME[name].ordinal
    }
    return monitors(kind) | _that_may(kind, (JUDGE,)) | of_heads


def ordered_labels(task: Mapping[str, Any]) -> set[str]:
    """Labels of a sample whose classes go from lowest to highest; `task` is params["task"]."""
    # Bundles made before labels had this setting say nothing of an order.
    by_label = task.get("ordered", {})
    return {label for label, ordered in by_label.items() if ordered}


def _that_may(kind: str, roles: Iterable[str]) -> dict[str, str]:
    return {metric.name: metric.better for metric in of_kind(kind) if metric.kinds[kind] in roles}


def metric_of(name: str) -> Metric | None:
    """The entry of a key of a result file; None where it is no metric's."""
    head, own = head_of(name)
    return BY_NAME[own].of_head(head) if own else BY_NAME.get(name)


def head_of(name: str) -> tuple[str, str]:
    """(label, metric) of a key `<label>_<metric>`; empty where it is not of one of several labels.

    Keys are put together by `foldwise.evaluate.metrics.heads`; of two readings of a key the longer
    metric is meant (`site_balanced_accuracy` is of `site`).
    """
    # A metric's own name goes first: `balanced_accuracy` is no accuracy of a label `balanced`.
    if name in BY_NAME:
        return "", ""
    fits = [metric.name for metric in of_kind(LABEL) if name.endswith(f"_{metric.name}")]
    own = max(fits, key=len, default="")
    return (name.removesuffix(f"_{own}"), own) if own else ("", "")


def titled(label: str) -> str:
    """What stands above what is told of one label; nothing of the only one."""
    return label.replace("_", " ").capitalize()
