"""The files that a run is asked for: of each study and of each part of a search.

Files of each fold are named one by one: lost ones are made again also where `plan/lost.py`, which
sees to all others, meets a Snakemake that it does not know. Standard library, PyYAML and jsonschema
only.
"""

from collections.abc import Iterable, Iterator

from foldwise.plan.state import baseline_runs, fold_numbers
from foldwise.search.plan import Plan
from foldwise.search.trials import trial_name
from foldwise.settings.kinds import has_holdout, has_suspects

OF_FOLD = (
    "best_model.pt",
    "val_predictions.csv",
    "embeddings_val.npy",
    "maps_val.npy",
    "metrics/val_metrics.json",
    "optuna_trial.json",
)
OF_TRIAL = ("best_model.pt", "train_history.json", "outcome.json")
OF_HOLDOUT = (
    "val_predictions.csv",
    "fold_predictions.csv",
    "maps_val.npy",
    "metrics/val_metrics.json",
)
OF_SEARCH = (
    "study.db",
    "study_summary.json",
    "search_results_final.csv",
    "history_trials.csv",
    "histories",
    "plots/history.html",
    "in_short.txt",
    "best_hyperparameters.json",
    "best_config.yaml",
)


def targets(study: dict) -> list[str]:
    """Files of a study that `snakemake` makes, less those of its search."""
    base = f"results/{study['name']}"
    made = [f"{base}/audit/data_manifest.json"]
    if study["validate"]["bundle"]:
        return [*made, f"{base}/external/external_summary.json", f"{base}/report/index.html"]
    made += [f"{base}/audit/text_probe.json"] if study["data"]["columns"]["texts"] else []
    for run in study["runs"]:
        made += [*run_files(study, run), *holdout_files(study, run)]
    for name in baseline_runs(study):
        made += [f"{base}/runs/{name}/cv_summary.json", *_summary_of_holdout(study, name)]
    made += suspect_files(study, study["report"]["run"])
    return [*made, f"{base}/report/index.html"]


def suspect_files(study: dict, run: str) -> list[str]:
    """The list of suspect labels for a reader, of a run that has a page.

    The page reads no names, so that a table in another order makes this list anew and not the page.
    """
    return [f"results/{study['name']}/private/suspects_{run}.csv"] if has_suspects(study) else []


def run_files(study: dict, run: str) -> list[str]:
    """What is made of a run: files of each fold, and the summary."""
    folder = f"results/{study['name']}/runs/{run}"
    return [*fold_files(folder, fold_numbers(study), OF_FOLD), f"{folder}/cv_summary.json"]


def fold_files(folder: str, folds: Iterable[int], names: Iterable[str]) -> Iterator[str]:
    """Files of these names in each fold of a run."""
    of_fold = list(names)
    return (f"{folder}/fold_{fold}/results/{name}" for fold in folds for name in of_fold)


def holdout_files(study: dict, run: str) -> list[str]:
    """What is made of a run's holdout; nothing where the study has none."""
    folder = f"results/{study['name']}/runs/{run}"
    made = [f"{folder}/holdout/results/{name}" for name in OF_HOLDOUT]
    return [*_summary_of_holdout(study, run), *made] if has_holdout(study) else []


def _summary_of_holdout(study: dict, run: str) -> list[str]:
    path = f"results/{study['name']}/runs/{run}/holdout_summary.json"
    return [path] if has_holdout(study) else []


def search_files(study: dict, plan: Plan) -> list[str]:
    """What `snakemake search` makes of a study: its trials, their summary, the best of them."""
    base = f"results/{study['name']}/search"
    made = [*trial_files(study, plan), *(f"{base}/{name}" for name in OF_SEARCH)]
    # Not of the searches inside outer folds: no report shows those.
    analysed = "search" in study["report"]["search"] and "." not in study["name"]
    made += [f"{base}/analysis/ANALYSIS_COMPLETE.md"] if analysed else []
    return [*made, f"{base}/{study['name']}_best_params.json"]


def trial_files(study: dict, plan: Plan) -> list[str]:
    """Files of all folds of all trials."""
    runs, numbers = f"results/{study['name']}/runs", range(plan.search.trials)
    made = (fold_files(f"{runs}/{trial_name(n)}", plan.search.folds, OF_TRIAL) for n in numbers)
    return [path for paths in made for path in paths]


def tuned_files(study: dict, given: bool) -> list[str]:
    """What `snakemake tuned` makes of a study: the compared runs, and the verdict.

    `given`: with parameters of a file, of which no search of the study need know.
    """
    base = f"results/{study['name']}/search"
    made = [f"{base}/comparison.md", *([] if given else [f"{base}/study_summary.json"])]
    seeds = study["search"]["seeds"] if study["search"] else []
    for ending in ("", *(f"_seed{seed}" for seed in seeds)):
        made += [path for run in ("cv", "tuned") for path in run_files(study, f"{run}{ending}")]
    return [*made, *holdout_files(study, "tuned")]


def nested_files(study: dict, plans: dict[str, Plan], inner: dict[int, dict]) -> list[str]:
    """What `snakemake nested` makes of a study: `inner` are the studies in its outer folds."""
    base = f"results/{study['name']}"
    made = [f"{base}/search/nested_summary.json"]
    for outer, within in inner.items():
        made += fold_files(f"{base}/runs/nested_{outer}", [outer], OF_FOLD)
        made += trial_files(within, plans[within["name"]])
    return made
