"""The holdout measured: all folds' models together with intervals, each alone with their spread."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.evaluate.fold import Measured, Row, measure_levels, plain, write_metrics
from foldwise.evaluate.metrics.intervals import BOOTSTRAP
from foldwise.evaluate.summary import Bootstrap, levels_with_intervals
from foldwise.files import read_csv, write_json
from foldwise.hashing import stream_seed
from foldwise.settings.folds import UNITS

ENSEMBLE = "mean of what the models of all folds predict for a sample"
SPREAD = "sample standard deviation over the models of the folds (n - 1), on the same samples"


def evaluate_holdout(
    predictions_csv: str | Path,
    folds_csv: str | Path,
    task: Measured,
    seed: int,
    out_dir: str | Path,
    out_summary: str | Path,
    group_by: str = "patient",
) -> None:
    """Write the ensemble's val_metrics.{json,yaml,txt} into `out_dir`, and holdout_summary.json.

    Both tables are those of `predict_holdout`; without rows (a study whose data name no holdout)
    the metrics are empty and the summary says n = 0.
    """
    rows = read_csv(predictions_csv)
    write_metrics(measure_levels(rows, task, group_by), out_dir)
    alone = read_csv(folds_csv)
    write_json(out_summary, summarise_holdout(rows, alone, task, seed, group_by=group_by))


def summarise_holdout(
    together: Sequence[Row],
    alone: Sequence[Row],
    task: Measured,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
    method: str = "BCa",
    group_by: str = "patient",
) -> dict[str, Any]:
    """The content of holdout_summary.json; no time of day in it.

    `ensemble`: level -> n, metrics (value, interval over groups), details, of the samples as
    all models together predict them; `<metric>`: mean, std (n - 1), n_folds, over the models of
    the folds, each judged on the whole holdout; `folds`: one flat entry a model; `n`, `groups`.
    """
    of_fold: dict[int, list[Row]] = {}
    for row in alone:
        of_fold.setdefault(int(row["fold"]), []).append(row)
    entries = [{"fold": fold} | task.score(rows) for fold, rows in sorted(of_fold.items())]
    entries = plain(entries)
    names = sorted({name for entry in entries for name in entry} - {"fold"})
    settings = Bootstrap(stream_seed(seed, "bootstrap"), resamples, level, method, group_by)
    return plain(
        {
            **{name: _spread([entry[name] for entry in entries]) for name in names},
            "n": len(together),
            "groups": len({row["group"] for row in together}),
            "folds": entries,
            "ensemble": levels_with_intervals(together, task, settings),
            "methods": {
                "level": level,
                "ensemble": ENSEMBLE,
                "interval": BOOTSTRAP.format(unit=UNITS[group_by], method=method),
                "resamples": resamples,
                "std": SPREAD,
            },
        }
    )


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    known = np.array([value for value in values if value is not None], np.float64)
    return {
        "mean": float(known.mean()) if len(known) else None,
        "std": float(known.std(ddof=1)) if len(known) > 1 else None,
        "n_folds": len(known),
    }
