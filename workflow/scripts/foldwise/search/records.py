"""Records of one trial for other tools: Optuna trial records and Ray Tune's results."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from foldwise.files import write_json, write_text
from foldwise.search.trials import Result, Suggestion, trial_name


def trial_record(
    run: str,
    params: Mapping[str, Any],
    name: str,
    value: float | None,
    commit: str,
    timestamp: str,
) -> dict[str, Any]:
    """Content of `optuna_trial.json`, for any run: a trial or not.

    Args:
        run: name of the run.
        params: what was searched, or the whole settings by dotted path where nothing was.
        name: metric of the objective.
        value: its value, or None where there is none.
        commit: commit of the code; it makes nothing stale.
        timestamp: ISO 8601.
    """
    return {
        "trial_id": run,
        "hyperparameters": dict(params),
        "objective_value": value,
        "objective_name": name,
        "timestamp": timestamp,
        "git_commit": commit,
    }


def record_of(
    suggestion: Suggestion, result: Result, fold: int, metric: str, commit: str
) -> dict[str, Any]:
    """The record of one fold of a trial; the value is that of the fold."""
    outcome = next(part for part in result.folds if part.fold == fold)
    return trial_record(
        trial_name(suggestion.number),
        suggestion.params,
        metric,
        outcome.metrics.get(metric) if outcome.state == "COMPLETE" else None,
        commit,
        outcome.started,
    ) | {"state": outcome.state, "reason": outcome.reason, "fold": fold}


def lay_out_for_ray(folder: str | Path, runs: Iterable[tuple[str, Mapping, str]]) -> None:
    """Lay runs out as a Ray Tune experiment: `<folder>/<run>/result.json` and `params.json`.

    `runs` are (name, settings, text of `ray_<run>.jsonl`). Ray's own `ExperimentAnalysis` reads
    the folder.
    """
    for name, settings, text in runs:
        write_text(Path(folder) / name / "result.json", text)
        write_json(Path(folder) / name / "params.json", dict(settings))
