"""Which figures a kind of study has, and which files each of them reads.

Standard library only: the rule files read this.
"""

from collections.abc import Iterable

from foldwise.errors import choose
from foldwise.report.entries import FIGURES
from foldwise.settings.kinds import baselines_of, held_out

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
    "holdout": f"{_RUN}/holdout_summary.json",
    "held": f"{_RUN}/holdout/results/val_predictions.csv",
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
    "holdout": "evaluate_holdout",
    "held": "predict_holdout",
}
# What the text of a report reads, beside the figures.
PACK = ("manifest", "checks", "cohort", "params", "summary", "histories", "folds")
# Part of a search -> the kinds of files that the text about it reads.
OF_SEARCH = {"search": ("search", "trials"), "tuned": ("tuned",), "nested": ("nested",)}
# Asset -> the figure that it is, of the best fold alone; and what these figures read.
ASSETS = {"train": "training", "confusion": "confusion", "gradcam": "gradcam"}
ASSET_FILES = ("params", "summary", "histories", "predictions", "gradcam")

OF_CLASSES = (
    "cohort_flow",
    "fold_composition",
    "metrics",
    "confusion",
    "roc",
    "precision_recall",
    "calibration",
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
# Of the holdout alone, beside the figure `holdout`: what stands under the answers of the folds.
OF_HOLDOUT = {
    "classification": ("holdout_confusion",),
    "zones": ("holdout_zone_confusion",),
    "segmentation": ("holdout_objects",),
    "distillation": ("holdout_confusion",),
}
# Those that say something of any kind of study.
OF_ALL = ("cohort_flow", "metrics", "training")


def asked_for(study: dict) -> tuple[str, ...]:
    """Kinds of files of the study that the text reads since its settings ask for them."""
    probe = ("probe",) if study["data"]["columns"]["texts"] else ()
    compared = study["report"]["compare"] or baselines_of(study)
    held = ("holdout",) if held_out(study) else ()
    searched = [kind for part in study["report"]["search"] for kind in OF_SEARCH[part]]
    return probe + (("comparisons",) if compared else ()) + held + tuple(searched)


def figures_of(kind: str, gradcam: bool = True, holdout: bool = False) -> list[str]:
    """Names of the figures of a kind of study, in the order of the report."""
    names = [name for name in OF_KIND.get(kind, OF_ALL) if gradcam or name != "gradcam"]
    return [*names, "holdout", *OF_HOLDOUT.get(kind, ())] if holdout else names


def figures_of_study(study: dict) -> list[str]:
    """Names of the figures that a study's report has."""
    return figures_of(study["kind"], study["report"]["gradcam_per_class"] > 0, held_out(study))


def figure_inputs(name: str, study: str, run: str, folds: Iterable[int]) -> dict[str, list[str]]:
    """Kind of file -> paths that figure `name` reads. FoldwiseError for an unknown figure."""
    entry = FIGURES[choose(name, FIGURES, "figure", "results/<study>/report")]
    found = files(entry.needs, study, run, folds)
    # What is drawn of the folds' predictions is drawn of the holdout's in the same way.
    return found | {"predictions": found.pop("held")} if "held" in found else found


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
