"""Records of a run for other tools: Optuna trial records.

Time and commit stand in them and make nothing stale: nothing is made from these files.
"""

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from foldwise.settings.changes import dotted
from foldwise.settings.study import RUN_BRANCHES


def trial_record(
    run: str, params: Mapping[str, Any], name: str, value: float | None
) -> dict[str, Any]:
    """Content of `optuna_trial.json`, for any run, as of now.

    Args:
        run: name of the run.
        params: what was searched, or all settings by dotted path where nothing was.
        name: metric of the objective.
        value: its value, or None where there is none.
    """
    return {
        "trial_id": run,
        "hyperparameters": dict(params),
        "objective_value": value,
        "objective_name": name,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": commit(),
    }


def fold_record(params: Mapping[str, Any], history: Mapping[str, Any]) -> dict[str, Any]:
    """The record of one fold of a run, from its params.json and train_history.json."""
    settings = dotted({branch: params[branch] for branch in RUN_BRANCHES})
    best = history["best"] or {"monitor": params["training"]["monitor"], "score": None}
    record = trial_record(params["run"], settings, best["monitor"], best["score"])
    return record | {"fold": history["fold"]}


def commit(folder: Path = Path(__file__).parent) -> str:
    """The commit of the code in `folder`, with `-dirty` after it where files were changed."""
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        # A limit: git may wait for a lock, or for a disk that is gone, and a run must not.
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"
