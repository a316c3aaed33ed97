"""A classical method on a fold of a study: what a network has to beat.

A baseline is a function `(params, task, images, train_rows, val_rows) -> outputs`: what the task's
`predict` gives for all validation rows, (N, ...) each, but for the embedding. From then on it is a
run like any other: evaluated and summed up by the same rules.
"""

from pathlib import Path
from typing import Any

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.files import write_csv
from foldwise.registry import load
from foldwise.tasks.base import IDENTITY, Rows
from foldwise.train.feed.images import Images
from foldwise.train.feed.rows import places_of, sorted_rows
from foldwise.train.job import FoldJob

# Columns of a table without rows.
WHOLE = "all"  # in the column `fold` of what one model of the whole training part predicts


def run_baseline(name: str, job: FoldJob, out_csv: str | Path) -> None:
    """Fit the baseline `name` on the training part; write its val_predictions.csv."""
    train_rows, val_rows = (sorted_rows(job.part(part)) for part in ("train", "val"))
    for part, rows in (("training", train_rows), ("validation", val_rows)):
        if not rows:
            raise FoldwiseError(f"The {part} part of this fold is empty. Lower folds.n or holdout.")
    _write(name, job, train_rows, val_rows, out_csv)


def run_on_holdout(name: str, job: FoldJob, out_csv: str | Path, out_folds: str | Path) -> None:
    """Fit the baseline `name` once on all folds; write its predictions of the holdout.

    `out_folds` has no rows: no fold has a model of its own. Where the study's data name no holdout
    neither has `out_csv`.
    """
    # Of any fold the training and the validation part together are what is not the holdout.
    train_rows = sorted_rows([*job.part("train"), *job.part("val")])
    held_out = [row | {"fold": WHOLE} for row in sorted_rows(job.part("holdout"))]
    write_csv(out_folds, list(IDENTITY), [])
    if held_out:
        _write(name, job, train_rows, held_out, out_csv)
    else:
        write_csv(out_csv, list(IDENTITY), [])


def _write(name: str, job: FoldJob, fitted: Rows, judged: Rows, out_csv: str | Path) -> None:
    outputs = load("BASELINES", name)(job.params, job.task, job.images, fitted, judged)
    table = job.task.table(judged, outputs)
    write_csv(out_csv, list(table[0]), table)


def planes_of(images: Images, rows: list[dict]) -> Any:
    """The planes (C, H, W) of each row's image in turn, in memory that the next one takes.

    Of a picture that fills a part of its square alone, that part.
    """
    buffer = np.empty((1, *images.shape), images.dtype)
    for place in places_of(images, rows):
        images.take(np.array([place]), buffer)
        ((a, b, c, d),) = images.inside(np.array([place]))
        yield buffer[0, :, a:b, c:d]
