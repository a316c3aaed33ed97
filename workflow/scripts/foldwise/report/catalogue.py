"""Which figures a kind of study has, and which files each of them reads.

Standard library only: the rule files read this.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from foldwise.errors import choose
from foldwise.report.entries import FIGURES
from foldwise.report.files import paths_of
from foldwise.settings.kinds import has_holdout

# Asset -> the figure that it is, of the best fold alone; and what these figures read.
ASSETS = {"train": "training", "confusion": "confusion", "gradcam": "gradcam"}
ASSET_FILES = ("params", "summary", "histories", "predictions")

OF_CLASSES = (
    "cohort_flow",
    "fold_composition",
    "metrics",
    "confusion",
    "roc",
    "precision_recall",
    "calibration",
    "mended",
    "decision",
    "triage",
)
OF_KIND = {
    "classification": (*OF_CLASSES, "training", "gradcam"),
    "zones": (
        "cohort_flow",
        "zone_composition",
        "metrics",
        "zone_confusion",
        "score_agreement",
        "training",
        "gradcam",
    ),
    "distillation": (*OF_CLASSES, "training"),
    "segmentation": (
        "cohort_flow",
        "mask_composition",
        "metrics",
        "overlays",
        "objects",
        "training",
    ),
}
# Of the holdout, after the figure `holdout`: what stands under the answers of the folds.
OF_HOLDOUT = {
    "classification": ("holdout_confusion",),
    "zones": ("holdout_zone_confusion",),
    "segmentation": ("holdout_objects",),
    "distillation": ("holdout_confusion",),
}
# Those that say something of any kind of study.
OF_ALL = ("cohort_flow", "metrics", "training")


def figures_of(kind: str, gradcam: bool = True, holdout: bool = False) -> list[str]:
    """Names of the figures of a kind of study, in the order of the report."""
    names = [name for name in OF_KIND.get(kind, OF_ALL) if gradcam or name != "gradcam"]
    return [*names, "holdout", *OF_HOLDOUT.get(kind, ())] if holdout else names


def figures_of_study(study: Mapping[str, Any]) -> list[str]:
    """Names of the figures that a study's report has."""
    names = figures_of(study["kind"], study["report"]["gradcam_per_class"] > 0, has_holdout(study))
    names += ["subgroups"] if study["data"]["columns"]["subgroups"] else []
    return [*names, "learning_curve"] if study["learning_curve"] else names


def asset_files(study: Mapping[str, Any]) -> tuple[str, ...]:
    """Kinds of files that the figures of the best fold read."""
    return (*ASSET_FILES, *(["gradcam"] if "gradcam" in figures_of_study(study) else []))


def figure_inputs(
    name: str, study: Mapping[str, Any], folds: Iterable[int]
) -> dict[str, list[str]]:
    """Kind of file -> paths that figure `name` reads. FoldwiseError for an unknown figure."""
    entry = FIGURES[choose(name, FIGURES, "figure", "results/<study>/report")]
    inputs = paths_of(entry.needs, study, folds)
    # What is drawn of the folds' predictions is drawn of the holdout's in the same way.
    if "holdout_predictions" in inputs:
        return inputs | {"predictions": inputs.pop("holdout_predictions")}
    return inputs
