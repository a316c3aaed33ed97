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
from torch import nn

from foldwise.files import write_csv
from foldwise.tasks.base import Batch, Rows
from foldwise.train.failure import memory_told
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.machine import make_deterministic
from foldwise.train.predict import batches, joined, keep, load_model, maps_file

TOGETHER = "ensemble"  # in the column `fold` of what all models predict together
COLUMNS = ["sample", "group", "exam", "fold"]  # of a table without rows


@dataclass(frozen=True)
class Member:
    """One fold's model, the holdout as it is fed to it, and the side at which it was chosen."""

    fold: int
    model: nn.Module
    feed: Feed
    size: int


def predict_holdout(
    params: dict,
    task: Any,
    images: Any,
    rows: Rows,
    models: Mapping[int, str | Path],
    out_csv: str | Path,
    out_folds: str | Path,
    out_maps: str | Path,
    device: str | torch.device = "cpu",
) -> None:
    """Write the predictions of the models together, and of each alone; rows in order of content.

    models: fold -> best_model.pt. `out_csv` has a row a sample, fold "ensemble", by
    `task.ensemble`; `out_folds` a row a sample and fold; `out_maps` is as of `predict_fold`, of
    the models together. Tables of a study whose data name no holdout have no rows.
    """
    device, rows = torch.device(device), sorted_rows(rows)
    make_deterministic(device)
    alone: dict[int, dict[str, list[np.ndarray]]] = {fold: {} for fold in models}
    together: dict[str, list[np.ndarray]] = {}
    with ExitStack() as stack:
        write = stack.enter_context(maps_file(out_maps, len(rows)))
        members = [
            _member(params, task, images, rows, fold, path, device)
            for fold, path in (models.items() if rows else ())
        ]
        for places, answers, joint in _answers(params, task, members, device):
            write(places, joint)
            keep(together, joint)
            for member, answer in zip(members, answers, strict=True):
                keep(alone[member.fold], answer)
    _write(out_csv, task, rows, {TOGETHER: together})
    _write(out_folds, task, rows, alone)


def _member(
    params: dict, task: Any, images: Any, rows: Rows, fold: int, path: str | Path, device: Any
) -> Member:
    model, facts = load_model(params, task, path, device)
    normalise = facts["mean"], facts["std"]
    feed = Feed(task, images, rows, task.targets(rows), normalise, device)
    return Member(fold, model, feed, facts["size"])


def _answers(
    params: dict, task: Any, members: list[Member], device: torch.device
) -> Iterator[tuple[np.ndarray, tuple[Batch, ...], Batch]]:
    """Row numbers of each batch, what each model predicts for it, and what all do together."""
    if not members:
        return
    cut = {
        "batch_size": params["training"]["batch_size"],
        "precision": params["training"]["precision"],
    }
    largest = max(members, key=lambda member: member.size)
    steps = [batches(task, one.model, one.feed, size=one.size, **cut) for one in members]
    told = cut["batch_size"], largest.size, params["image"]["channels"], device
    with memory_told(*told), torch.inference_mode():
        for found in zip(*steps, strict=True):
            places, answers = found[0][0], tuple(outputs for _, outputs in found)
            batch = largest.feed.batch(places, largest.size)
            yield places, answers, task.ensemble(list(answers), batch)


def _write(
    path: str | Path, task: Any, rows: Rows, parts: Mapping[Any, dict[str, list[np.ndarray]]]
) -> None:
    table = [
        row
        for fold, outputs in parts.items()
        if outputs
        for row in task.table([row | {"fold": fold} for row in rows], joined(outputs))
    ]
    write_csv(path, list(table[0]) if table else COLUMNS, table)
