"""A search from another system's result table: one row a configuration, with its best value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError, nearest
from foldwise.files import read_csv, write_csv, write_json
from foldwise.search.analysis.trials import Searched, Trial, ordered
from foldwise.search.space import Parameter

# Columns that name things of a trial other than its parameters, by the first that is there.
USUAL = {
    "best_epoch": ("best_epoch",),
    "epochs": ("total_epochs", "epochs_trained", "epochs", "n_epochs"),
    "last": ("final_", "last_"),
    "value": ("best_val_", "best_", "objective_value", "value"),
}
# Columns that describe a row and vary nothing.
OTHER = ("checkpoint", "path", "timestamp", "trial", "number", "rank", "state", "seconds", "time")
MINIMISED = ("loss", "error", "mae", "rmse", "brier")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what; `params` are all that are left."""

    value: str
    best_epoch: str | None
    epochs: str | None
    last: str | None
    params: tuple[str, ...]


def columns_of(names: Sequence[str], value: str | None, path: Path) -> Columns:
    """The columns of a table, by their usual names; FoldwiseError where no value is named."""
    taken: dict[str, str | None] = {"value": value}
    for what, starts in USUAL.items():
        # A column that was taken is no other thing too: best_epoch begins with best_ as well.
        left = [name for name in names if name not in taken.values()]
        if taken.get(what) is None:
            taken[what] = next((n for s in starts for n in left if n.startswith(s)), None)
    if taken["value"] not in names:
        hint = nearest(value or "best_val_", names)
        raise FoldwiseError(
            f"{path}: no column {value or 'best_val_<metric>'} with the best value of each "
            f"trial.{hint} Name it by --value; the columns are {', '.join(names)}."
        )
    rest = [n for n in names if n not in taken.values() and not n.startswith(OTHER)]
    return Columns(**taken, params=tuple(n for n in rest if not n.endswith("path")))


def read_search(
    path: str | Path, study: str, value: str | None = None, better: str | None = None
) -> Searched:
    """The trials of a table.

    Args:
        path: a CSV file with a header.
        study: how the search is to be called.
        value: the column of the best values; by default the first named `best_val_...`.
        better: `max` or `min`; by default `min` for losses and errors.
    """
    rows = read_csv(path)
    if not rows:
        raise FoldwiseError(f"{path} has no rows: there is no trial to analyse.")
    names = columns_of([name for name in rows[0] if name], value, Path(path))
    metric = names.value.removeprefix("best_").removeprefix("val_")
    side = better or ("min" if metric.endswith(MINIMISED) else "max")
    sign = 1 if side == "max" else -1
    trials = [_trial(row, names, index, path) for index, row in enumerate(rows)]
    return Searched(
        study=study,
        metric=metric,
        sign=sign,
        trials=ordered(trials, sign),
        space=tuple(_parameter(key, trials) for key in names.params),
        states={"COMPLETE": len(trials), "PRUNED": 0, "FAIL": 0},
    )


def _trial(row: Mapping[str, str], names: Columns, index: int, path: str | Path) -> Trial:
    def number(column: str | None) -> float | None:
        text = row[column].strip() if column else ""
        try:
            return float(text) if text else None
        except ValueError as error:
            raise FoldwiseError(
                f"{path}, row {index + 2}: {column} is '{text}', which is no number. Correct it, "
                "or take the row out."
            ) from error

    value = number(names.value)
    if value is None:
        raise FoldwiseError(
            f"{path}, row {index + 2}: {names.value} is empty. Trials without a value are not "
            "compared: take the row out."
        )
    return Trial(
        name=f"trial_{index:04d}",
        value=value,
        params={key: _typed(row[key]) for key in names.params if row[key].strip()},
        best_epoch=number(names.best_epoch) or 0,
        last=number(names.last),
        epochs=number(names.epochs) or 0,
    )


def _typed(text: str) -> Any:
    # int first: 8 stays 8 in tables, and is found again as the same level.
    for form in (int, float):
        try:
            return form(text)
        except ValueError:
            continue  # Neither kind of number: a name.
    return text.strip()


def _parameter(key: str, trials: Sequence[Trial]) -> Parameter:
    """What was tried of a parameter, as choices: a table does not say what might have been."""
    values = {trial.params[key] for trial in trials if key in trial.params}
    order = sorted(
        values, key=lambda v: (isinstance(v, str), v if not isinstance(v, str) else 0, str(v))
    )
    return Parameter(key, "categorical", choices=tuple(order))


def write_search(folder: str | Path, searched: Searched) -> None:
    """search_results_final.csv, study_summary.json and <study>_best_params.json of the trials."""
    base, best = Path(folder), searched.trials[0]
    keys = [parameter.key for parameter in searched.space]
    columns = ["rank", "trial", "state", searched.metric, *keys, "best_epoch", "epochs_trained"]
    rows = [
        {"rank": rank, "trial": trial.name, "state": "COMPLETE", searched.metric: trial.value}
        | {key: trial.params.get(key, "") for key in keys}
        | {"best_epoch": trial.best_epoch, "epochs_trained": trial.epochs}
        for rank, trial in enumerate(searched.trials, 1)
    ]
    write_csv(base / "search_results_final.csv", columns, rows)
    direction = "maximize" if searched.sign > 0 else "minimize"
    objective = {"metric": searched.metric, "direction": direction}
    write_json(
        base / "study_summary.json",
        {
            "study_name": searched.study,
            "objectives": [objective],
            "n_trials": len(rows),
            "states": dict(searched.states),
            "best": {"trial": best.name, "values": [best.value], "params": dict(best.params)},
        },
    )
    write_json(base / "best_hyperparameters.json", dict(best.params))
    write_json(
        base / f"{searched.study}_best_params.json",
        {
            "study_name": searched.study,
            "best_params": dict(best.params),
            "best_value": best.value,
            "objective": searched.metric,
            "direction": direction,
        },
    )
