"""The trials of a search as the page links them: settings, objectives, curves.

Standard library only: the rule files read the sections, which read this.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.evaluate.wording import called, setting_name

Rows = Sequence[Mapping[str, str]]


def explored(
    trials: Rows,
    curves: Rows,
    objectives: Sequence[Mapping[str, Any]],
    settings: Sequence[str],
    space: Mapping[str, Any],
) -> dict[str, Any]:
    """What the page's script is given. `trials`: rows of search_results_final.csv, best first;
    `curves`: rows of history_trials.csv, of which the mean over folds is taken at each epoch;
    `settings`: columns of `trials` that were searched; `space`: where one says `log`, its axis is.
    """
    metrics = [one["metric"] for one in objectives]
    drawn = _means(curves, metrics[0])
    return {
        "objectives": [
            {"name": called(one["metric"])[0], "direction": one["direction"]} for one in objectives
        ],
        "params": [
            {"name": key, "short": setting_name(key), "log": _is_log(space.get(key))}
            for key in settings
        ],
        "trials": [
            {
                "trial": row["trial"],
                "state": row["state"],
                "epochs": _number(row.get("epochs_trained")),
                "values": [_number(row.get(name)) for name in metrics],
                "params": [_number(row[key]) for key in settings],
                "curve": drawn.get(row["trial"], []),
            }
            for row in trials
        ],
    }


def _is_log(searched: Any) -> bool:
    return isinstance(searched, Mapping) and bool(searched.get("log"))


def _number(text: str | None) -> Any:
    """A cell: a number where it is a finite one, None where it is empty or in no column."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    # JSON in a page has no word for these.
    return number if math.isfinite(number) else text


def _means(curves: Rows, metric: str) -> dict[str, list[list[float]]]:
    """Trial -> [epoch, mean over the folds that have a value there], in order of the epochs."""
    values: dict[str, dict[int, list[float]]] = {}
    for row in curves:
        if row[metric] != "":
            at = values.setdefault(row["trial"], {}).setdefault(int(row["epoch"]), [])
            at.append(float(row[metric]))
    return {
        trial: [[epoch, round(sum(at) / len(at), 5)] for epoch, at in sorted(epochs.items())]
        for trial, epochs in values.items()
    }
