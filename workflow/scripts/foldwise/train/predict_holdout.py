"""The holdout: what the models of all folds say, each alone and all together.

Nothing here chooses or trains anything. The holdout's images are in no fold, neither to train on
nor to validate, so that no weights, no epoch and no setting depends on them.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.files import write_csv
from foldwise.tasks.base import IDENTITY, Batch, Rows, Task
from foldwise.train.failure import memory_explained
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.machine import keep_freed_memory, make_deterministic
from foldwise.train.predict import KeptModel, batches, joined, keep, load_model, maps_file

ENSEMBLE = "ensemble"  # in the column `fold` of what all models predict together


@dataclass(frozen=True)
class Member:
    """One fold's model, and the holdout as it is fed to it."""

    fold: int
    kept: KeptModel
    feed: Feed


def predict_holdout(
    job: FoldJob,
    models: Mapping[int, str | Path],
    out_csv: str | Path,
    out_folds: str | Path,
    out_maps: str | Path,
) -> None:
    """Write the predictions of the models together, and of each; rows in order of content.

    models: fold -> best_model.pt. `out_csv` has a row a sample, fold "ensemble", by
    `task.ensemble`; `out_folds` a row a sample and fold; `out_maps` is as of `predict_fold`, of
    the models together. Tables of a study whose data name no holdout have no rows.
    """
    rows = job.part("holdout")
    kept = {fold: load_model(job, path) for fold, path in models.items() if rows}
    predict_together(job, kept, out_csv, out_folds, out_maps)


def predict_together(
    job: FoldJob,
    models: Mapping[int, KeptModel],
    out_csv: str | Path,
    out_folds: str | Path,
    out_maps: str | Path,
) -> dict[int, np.ndarray]:
    """What `predict_holdout` writes, with models that are there already.

    Returns fold -> features (N, D) of the rows in order of content, as that model sees them.
    """
    rows = sorted_rows(job.part("holdout"))
    make_deterministic(job.device)
    keep_freed_memory()
    by_fold: dict[int, dict[str, list[np.ndarray]]] = {fold: {} for fold in models}
    ensemble: dict[str, list[np.ndarray]] = {}
    with ExitStack() as stack:
        write = stack.enter_context(maps_file(out_maps, len(rows)))
        members = _members(job, rows, models)
        for places, answers, joint in _answers(job, members):
            write(places, joint)
            keep(ensemble, joint)
            for member, answer in zip(members, answers, strict=True):
                keep(by_fold[member.fold], answer)
    _write(out_csv, job.task, rows, {ENSEMBLE: ensemble})
    _write(out_folds, job.task, rows, by_fold)
    return {fold: joined(parts)["embedding"] for fold, parts in by_fold.items() if parts}


def _members(job: FoldJob, rows: Rows, models: Mapping[int, KeptModel]) -> list[Member]:
    """Models that normalise alike share a feed: with `image` each picture is measured once, and a
    GPU keeps the pictures once."""
    feeds: dict[str, Feed] = {}
    for kept in models.values():
        alike = str(kept.normalise)
        if alike not in feeds:
            feeds[alike] = kept.feed(job, rows)
    return [Member(fold, kept, feeds[str(kept.normalise)]) for fold, kept in models.items()]


def _answers(
    job: FoldJob, members: list[Member]
) -> Iterator[tuple[np.ndarray, tuple[Batch, ...], Batch]]:
    """Row numbers of each batch, what each model predicts for it, and what all do together."""
    if not members:
        return
    # What joins the answers sees pictures at the finest size that any of the models was kept at.
    largest = max(members, key=lambda member: member.kept.size)
    steps = [
        batches(job.task.predict, one.kept.model, one.feed, one.kept.cut(job.params))
        for one in members
    ]
    with memory_explained(job, largest.kept.size), torch.inference_mode():
        # Batch by batch through all models: only one batch of maps a model is in memory.
        for step in zip(*steps, strict=True):
            places, answers = step[0][0], tuple(outputs for _, outputs in step)
            batch = largest.feed.batch(places, largest.kept.size)
            yield places, answers, job.task.ensemble(list(answers), batch)


def _write(
    path: str | Path, task: Task, rows: Rows, parts: Mapping[Any, dict[str, list[np.ndarray]]]
) -> None:
    table = [
        row
        for fold, outputs in parts.items()
        if outputs
        for row in task.table([row | {"fold": fold} for row in rows], joined(outputs))
    ]
    write_csv(path, list(table[0] if table else IDENTITY), table)
