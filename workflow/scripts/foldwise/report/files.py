"""The files that a report reads: of each kind the rule that makes it, and where it is.

Standard library only: the rule files read this.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from foldwise.settings.kinds import baselines_of

_RUN = "results/{study}/runs/{run}"
_FOLD = _RUN + "/fold_{fold}/results"
_ANALYSIS = "results/{study}/search/analysis"
# Figures of the analysis of a search, in their order; the page shows some and links to all.
ANALYSIS_FIGURES = {
    "fig1_top5_configurations": "The five best configurations",
    "fig2_parameter_effects": "Effect of each parameter",
    "fig3_training_curves": "Curves of the best and the worst",
    "fig4_loss_distributions": "Values by category",
    "fig5_convergence_efficiency": "Convergence and efficiency",
    "fig6_loss_shapes": "Shapes of the losses",
    "fig7_pixel_gradient_analysis": "What the losses weigh",
}
ANALYSIS_SHOWN = tuple(list(ANALYSIS_FIGURES)[place] for place in (0, 1, 6))
# Its documents, and what is in each.
ANALYSIS_DOCUMENTS = {
    "REPORT": "what the search came to",
    "HYPERPARAMETER_TUNING_SUMMARY": "space, defaults against best, patterns, ranges",
    "MATHEMATICAL_ANALYSIS_SUMMARY": "equations and measured weights of the losses",
    "ANALYSIS_COMPLETE": "what was made",
}

# Kind of file -> the rule that makes it, and its path. Those with {fold} are as many as the folds;
# {pages} is the folder of the report, or of a run's pack (`folder_of`).
_MADE = {
    "manifest": ("audit", "results/{study}/audit/data_manifest.json"),
    "checks": ("audit", "results/{study}/audit/data_audit.csv"),
    "cohort": ("cohort", "results/{study}/cohort.csv"),
    "folds": ("fold", "results/{study}/folds/fold_{fold}.csv"),
    "params": ("run_params", f"{_RUN}/params.json"),
    "summary": ("cv_summary", f"{_RUN}/cv_summary.json"),
    "histories": ("train_fold", f"{_FOLD}/train_history.json"),
    "predictions": ("predict_fold", f"{_FOLD}/val_predictions.csv"),
    "metrics": ("evaluate_fold", f"{_FOLD}/metrics/val_metrics.json"),
    "calibration": ("calibrate", f"{_RUN}/calibration.json"),
    "subgroups": ("subgroups", f"{_RUN}/subgroups.json"),
    "suspects": ("label_suspects", f"{_RUN}/suspects.json"),
    "conformal": ("conformal", f"{_RUN}/conformal.json"),
    "gradcam": ("gradcam_fold", f"{_FOLD}/gradcam/gradcam.json"),
    "examples": ("examples", f"{_RUN}/examples/examples.json"),
    "cases": ("cases", f"{_RUN}/cases.json"),
    "operating_points": ("operating_points", f"{_RUN}/operating_points.json"),
    "projections": ("projections", f"{_RUN}/projections.json"),
    "probe": ("text_probe", "results/{study}/audit/text_probe.json"),
    "comparisons": ("compare_reported", "{pages}/comparisons.json"),
    "cost": ("run_cost", f"{_RUN}/cost.json"),
    "seeds": ("seed_variance", f"{_RUN}/seed_variance.json"),
    "learning_curve": ("fit_learning_curve", f"{_RUN}/learning_curve.json"),
    "search": ("collect_search", "results/{study}/search/study_summary.json"),
    "trials": ("collect_search", "results/{study}/search/search_results_final.csv"),
    "curves": ("collect_search", "results/{study}/search/history_trials.csv"),
    "analysis": ("search_analysis", f"{_ANALYSIS}/REPORT.md"),
    **{
        f"analysis_{name}": ("search_analysis", f"{_ANALYSIS}/{name}.png")
        for name in ANALYSIS_SHOWN
    },
    "tuned": ("compare_runs", "results/{study}/search/comparison.json"),
    "nested": ("nested_summary", "results/{study}/search/nested_summary.json"),
    "holdout": ("evaluate_holdout", f"{_RUN}/holdout_summary.json"),
    "holdout_of_methods": ("evaluate_holdout", f"{_RUN}/holdout_summary.json"),
    "holdout_predictions": ("predict_holdout", f"{_RUN}/holdout/results/val_predictions.csv"),
    "across": ("compare_studies", "results/{study}/article/across.json"),
    "balance": ("folds", "results/{study}/folds/balance.json"),
    "record": ("report_pack", "{pages}/record.json"),
}
RULES = {kind: rule for kind, (rule, _) in _MADE.items()}
FILES = {kind: path for kind, (_, path) in _MADE.items()}
# What any section may read. The holdout is there where the study has one; the record is written
# by the job that makes the page, before it.
ALWAYS = ("manifest", "params", "summary")
SHARED = (*ALWAYS, "holdout", "record")
# Those that are read of each run that the reported one is compared with, too.
OF_COMPARED = ("cost",)
# Those that are read of the classical methods, and of no other run.
OF_METHODS = ("holdout_of_methods",)


def folder_of(study: Mapping[str, Any]) -> str:
    """Where the report of a study is written; of one of its runs as its pack, see `packed`."""
    base, report = f"results/{study['name']}", study["report"]
    return f"{base}/packs/{report['run']}" if report.get("packed") else f"{base}/report"


def packed(study: Mapping[str, Any], run: str) -> dict[str, Any]:
    """Settings of the study whose report tells of this run alone, in a folder of its own.

    What sets runs beside each other, and repeats of the reported run, are left to the study's
    report. A trial has no holdout: no file
    of one may be seen before a search has chosen.
    """
    own_report = {"run": run, "packed": True, "compare": [], "baselines": [], "search": []}
    none = {"seeds": [], "learning_curve": None}
    settings = {**study, **none, "report": {**study["report"], **own_report}}
    if not run.startswith("trial_"):
        return settings
    return settings | {"folds": {**study["folds"], "holdout": 0, "preset": None}}


def paths_of(
    kinds: Iterable[str], study: Mapping[str, Any], folds: Iterable[int]
) -> dict[str, list[str]]:
    """Kind of file -> its path for the study's reported run, or its paths over folds."""
    name, report, numbers = study["name"], study["report"], list(folds)
    paths = {}
    for kind in kinds:
        runs = [report["run"], *(report["compare"] if kind in OF_COMPARED else ())]
        if kind in OF_METHODS:
            runs = [f"baseline_{name}" for name in baselines_of(study)]
        places = {
            FILES[kind].format(study=name, run=run, fold=fold, pages=folder_of(study))
            for run in runs
            for fold in numbers
        }
        # fold_2 before fold_10
        paths[kind] = sorted(places, key=lambda path: (len(path), path))
    return paths
