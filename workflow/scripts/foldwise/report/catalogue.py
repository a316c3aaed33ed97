"""Which figures a kind of study has, and which files each of them reads.

Standard library only: the rule files read this.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from foldwise.errors import choose
from foldwise.kinds import baselines_of

_RUN = "results/{study}/runs/{run}"
_FOLD = _RUN + "/fold_{fold}/results"

# Kind of file -> where it is. Those with {fold} are as many as there are folds.
FILES = {
    "manifest": "results/{study}/audit/data_manifest.json",
    "checks": "results/{study}/audit/data_audit.csv",
    "cohort": "results/{study}/cohort.csv",
    "folds": "results/{study}/folds/fold_{fold}.csv",
    "params": f"{_RUN}/params.json",
    "summary": f"{_RUN}/cv_summary.json",
    "histories": f"{_FOLD}/train_history.json",
    "predictions": f"{_FOLD}/val_predictions.csv",
    "metrics": f"{_FOLD}/metrics/val_metrics.json",
    "gradcam": f"{_FOLD}/gradcam/gradcam.json",
    "examples": f"{_RUN}/examples/examples.json",
    "probe": "results/{study}/audit/text_probe.json",
    "comparisons": "results/{study}/report/comparisons.json",
    "cost": f"{_RUN}/cost.json",
    "search": "results/{study}/search/study_summary.json",
    "trials": "results/{study}/search/search_results_final.csv",
    "tuned": "results/{study}/search/comparison.json",
    "nested": "results/{study}/search/nested_summary.json",
}
# Kind of file -> the rule that makes it.
RULES = {
    "manifest": "audit",
    "checks": "audit",
    "cohort": "audit",
    "folds": "fold",
    "params": "run_params",
    "summary": "cv_summary",
    "histories": "train_fold",
    "predictions": "predict_fold",
    "metrics": "evaluate_fold",
    "gradcam": "gradcam_fold",
    "examples": "examples",
    "probe": "text_probe",
    "comparisons": "compare_reported",
    "cost": "run_cost",
    "search": "collect_search",
    "trials": "collect_search",
    "tuned": "compare_runs",
    "nested": "nested_summary",
}
# What the text of a report reads, beside the figures.
PACK = ("manifest", "checks", "cohort", "params", "summary", "histories", "folds")
# Part of a search -> the kinds of files that the text about it reads.
OF_SEARCH = {"search": ("search", "trials"), "tuned": ("tuned",), "nested": ("nested",)}
# Asset -> the figure that it is, of the best fold alone; and what these figures read.
ASSETS = {"train": "training", "confusion": "confusion", "gradcam": "gradcam"}
ASSET_FILES = ("params", "summary", "histories", "predictions", "gradcam")


@dataclass(frozen=True)
class Entry:
    """A figure: its heading, the caption under it, and the kinds of files it reads."""

    title: str
    caption: str
    needs: tuple[str, ...]
    section: str = ""  # of the report, where it does not stand by its name


FIGURES = {
    "cohort_flow": Entry(
        "Cohort flow",
        "From the archive to the analysed set. Beside each arrow: what does not go on, and why.",
        ("manifest",),
    ),
    "fold_composition": Entry(
        "Composition of the folds",
        "Images of each class in the part that each fold is judged on. All images of a group are "
        "in one fold.",
        ("params", "cohort", "folds", "manifest"),
        "folds",
    ),
    "zone_composition": Entry(
        "Composition of the folds",
        "Zones of each score in the part that each fold is judged on. All images of a group are in "
        "one fold.",
        ("params", "cohort", "folds", "manifest"),
        "folds",
    ),
    "mask_composition": Entry(
        "Composition of the folds",
        "Images by their share of foreground, cut in five parts of equal size over all images, in "
        "the part that each fold is judged on. All images of a group are in one fold.",
        ("cohort", "folds", "manifest"),
        "folds",
    ),
    "training": Entry(
        "Training curves",
        "Each fold in colour, the other folds behind it in grey. The dotted line marks the epoch "
        "whose weights were kept.",
        ("histories",),
    ),
    "metrics": Entry(
        "Metrics over folds",
        "Single folds, their mean with the interval corrected for overlapping training sets, and "
        "the metric of all validation predictions as one set with its interval over patients.",
        ("summary", "manifest"),
    ),
    "confusion": Entry(
        "Confusion matrix",
        "All validation predictions, each image judged once by the fold that had not seen its "
        "group. Large: counts; small and shade: share of the true class.",
        ("params", "predictions"),
        "answers",
    ),
    "zone_confusion": Entry(
        "Confusion of each zone",
        "All validation predictions, each image judged once by the fold that had not seen its "
        "group, each zone where it lies in the picture; ? is unknown. Numbers: counts; shade: "
        "share of the true score. Kappa, with quadratic weights, is of zones that both scored.",
        ("params", "predictions"),
        "answers",
    ),
    "score_agreement": Entry(
        "Mean score, predicted and read",
        "A dot an image, of the zones with a score. Left: on the line, both agree; dotted, the "
        "severity bands. Right: the difference against the mean of both, with its mean (bias) and "
        "the limits between which 95 % of differences lie, if they are normally distributed.",
        ("params", "predictions"),
        "answers",
    ),
    "overlays": Entry(
        "Best, median and worst",
        "Validation images of all folds, by their Jaccard. Of each: the image, what was found, "
        "missed and added at the threshold, and the predicted probability, dark 0 to light 1.",
        ("examples", "params"),
        "answers",
    ),
    "objects": Entry(
        "Objects counted and sized",
        "A dot a validation image. Above: number of objects against the truth, and the difference "
        "against the mean of both, with its mean (bias) and the limits between which 95 % of "
        "differences lie, if they are normally distributed. Below: size of an image's median "
        "object, and the overlap of images by how much foreground there is.",
        ("predictions",),
        "answers",
    ),
    "roc": Entry(
        "ROC curves",
        "Each class against the rest. AUC of all folds together, and its range over folds.",
        ("params", "predictions"),
    ),
    "precision_recall": Entry(
        "Precision-recall curves",
        "Each class against the rest. AP: average precision of all folds together, and its range "
        "over folds. Chance is the share of the class.",
        ("params", "predictions"),
    ),
    "calibration": Entry(
        "Calibration",
        "Left: how often a prediction of given confidence is right, with 95 % Wilson intervals, "
        "and how many there are. Right: share of the class among fifths of the images, ordered by "
        "its probability. On the dotted line, probabilities mean what they say.",
        ("params", "predictions"),
    ),
    "gradcam": Entry(
        "Grad-CAM",
        "Validation films of the best fold, from best to worst by the probability of the truth. "
        "Beside each film: the places that speak for the predicted class; the line is half of the "
        "maximum.",
        ("gradcam", "summary"),
    ),
}

OF_KIND = {
    "classification": (
        "cohort_flow",
        "fold_composition",
        "metrics",
        "confusion",
        "roc",
        "precision_recall",
        "calibration",
        "training",
        "gradcam",
    ),
    "zones": (
        "cohort_flow",
        "zone_composition",
        "metrics",
        "zone_confusion",
        "score_agreement",
        "training",
        "gradcam",
    ),
    "distillation": (
        "cohort_flow",
        "fold_composition",
        "metrics",
        "confusion",
        "roc",
        "precision_recall",
        "calibration",
        "training",
    ),
    "segmentation": (
        "cohort_flow",
        "mask_composition",
        "metrics",
        "overlays",
        "objects",
        "training",
    ),
}
# Those that say something of any kind of study.
OF_ALL = ("cohort_flow", "metrics", "training")


def asked_for(study: dict) -> tuple[str, ...]:
    """Kinds of files of the study that the text reads since its settings ask for them."""
    probe = ("probe",) if study["data"]["columns"]["texts"] else ()
    compared = study["report"]["compare"] or baselines_of(study)
    searched = [kind for part in study["report"]["search"] for kind in OF_SEARCH[part]]
    return probe + (("comparisons",) if compared else ()) + tuple(searched)


def figures_of(kind: str, gradcam: bool = True) -> list[str]:
    """Names of the figures of a kind of study, in the order of the report."""
    names = OF_KIND.get(kind, OF_ALL)
    return [name for name in names if gradcam or name != "gradcam"]


def figure_inputs(name: str, study: str, run: str, folds: Iterable[int]) -> dict[str, list[str]]:
    """Kind of file -> paths that figure `name` reads. FoldwiseError for an unknown figure."""
    entry = FIGURES[choose(name, FIGURES, "figure", "results/<study>/report")]
    return files(entry.needs, study, run, folds)


def files(kinds: Iterable[str], study: str, run: str, folds: Iterable[int]) -> dict[str, list[str]]:
    """Kind of file -> its path, or its paths over folds."""
    numbers = list(folds)
    return {
        kind: sorted(
            {FILES[kind].format(study=study, run=run, fold=fold) for fold in numbers},
            key=lambda path: (len(path), path),
        )
        for kind in kinds
    }
