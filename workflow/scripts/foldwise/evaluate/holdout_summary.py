"""The holdout measured: all folds' models together with intervals, each alone with their spread."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.evaluate.fold import Measured, Row, measure_levels, plain, write_metrics
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.pooled import levels_with_intervals
from foldwise.files import read_csv, write_json

ENSEMBLE = "mean of what the models of all folds predict for a sample"
# Of a classical method, which is fitted once and has no model a fold.
ONE_MODEL = "one model, fitted to the training and validation parts of all folds together"
SPREAD = "sample standard deviation over the models of the folds (n - 1), on the same samples"


def evaluate_holdout(
    predictions_csv: str | Path,
    folds_csv: str | Path,
    task: Measured,
    bootstrap: Bootstrap,
    out_dir: str | Path,
    out_summary: str | Path,
) -> None:
    """Write the ensemble's val_metrics.{json,yaml,txt} into `out_dir`, and holdout_summary.json.

    Both tables are those of `predict_holdout`; without rows (a study whose data name no holdout)
    the metrics are empty and the summary says n = 0. A method that is fitted once has no rows by
    fold alone.
    """
    rows = read_csv(predictions_csv)
    write_metrics(measure_levels(rows, task, bootstrap.group_by), out_dir)
    write_json(out_summary, summarise_holdout(rows, read_csv(folds_csv), task, bootstrap))


def summarise_holdout(
    together: Sequence[Row],
    by_fold: Sequence[Row],
    task: Measured,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """The content of holdout_summary.json; no time of day in it.

    `ensemble`: level -> n, metrics (value, interval over groups), details, of the samples as
    all models together predict them; `<metric>`: mean, std (n - 1), n_folds, over the models of
    the folds, each judged on the whole holdout; `folds`: one flat entry a model; `n`, `groups`.
    """
    of_fold: dict[int, list[Row]] = {}
    for row in by_fold:
        of_fold.setdefault(int(row["fold"]), []).append(row)
    # By number: read as text, fold 10 would come before 2.
    entries = [{"fold": fold} | task.score(rows) for fold, rows in sorted(of_fold.items())]
    entries = plain(entries)
    names = sorted({name for entry in entries for name in entry} - {"fold"})
    return plain(
        {
            **{name: _spread([entry[name] for entry in entries]) for name in names},
            "n": len(together),
            "groups": len({row["group"] for row in together}),
            "folds": entries,
            "ensemble": levels_with_intervals(together, task, bootstrap),
            "methods": {
                "level": bootstrap.level,
                "ensemble": ONE_MODEL if together and not by_fold else ENSEMBLE,
                "interval": bootstrap.described,
                "resamples": bootstrap.resamples,
                "std": SPREAD,
            },
        }
    )


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    defined = np.array([value for value in values if value is not None], np.float64)
    return {
        "mean": float(defined.mean()) if len(defined) else None,
        "std": float(defined.std(ddof=1)) if len(defined) > 1 else None,
        "n_folds": len(defined),
    }
