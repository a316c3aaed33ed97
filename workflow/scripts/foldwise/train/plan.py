"""All that stays the same while a fold is trained, made from params, rows and images."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.errors import FoldwiseError
from foldwise.settings.rules import batch_too_large
from foldwise.settings.training import Settings
from foldwise.train.checkpoint import Checkpoint, run_digest
from foldwise.train.feed.augment import Augmentation
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.normalise import normalisation
from foldwise.train.feed.rows import places_of, sorted_rows
from foldwise.train.precision import InFloat32
from foldwise.train.progress import Progress
from foldwise.train.stop import Stop
from foldwise.train.teach import taught_targets

Report = Callable[[list[dict[str, Any]]], bool]


@dataclass(frozen=True)
class Plan:
    """What the loop reads and never changes."""

    settings: Settings
    task: Any
    device: torch.device
    criterion: InFloat32
    train: Feed
    val: Feed
    val_rows: list[dict]
    sampling: np.ndarray | None  # (N,) weights of the weighted sampler
    monitor: str
    sign: float  # 1 if a larger monitored metric is better, else -1
    normalise: tuple[list[float], list[float]]
    checkpoint: Checkpoint
    progress: Progress
    report: Report | None


def make_plan(
    params: dict[str, Any],
    settings: Settings,
    task: Any,
    images: Any,
    train_rows: list[dict],
    val_rows: list[dict],
    device: torch.device,
    *,
    out: Path,
    state: Path,
    code: str,
    stop: Stop,
    report: Report | None,
    taught: str | Path | None = None,
) -> Plan:
    """Gather what a fold needs; arguments as for `train_fold`."""
    train_rows, val_rows = sorted_rows(train_rows), sorted_rows(val_rows)
    for part, rows in (("training", train_rows), ("validation", val_rows)):
        if not rows:
            raise FoldwiseError(f"The {part} part of this fold is empty. Lower folds.n or holdout.")
    if reason := batch_too_large(settings.batch_size, settings.crops, len(train_rows)):
        raise FoldwiseError(f"training.batch_size of run {params['run']}: {reason}.")
    targets = {"train": task.targets(train_rows), "val": task.targets(val_rows)}
    if taught is not None:
        targets["train"] |= taught_targets(taught, train_rows, val_rows)
    places = places_of(images, train_rows)
    normalise = normalisation(
        params["model"]["normalisation"], images, places, params["image"]["channels"]
    )
    monitor, direction = task.monitor(settings.monitor)
    contents = {"train": train_rows, "val": val_rows}
    weighted = settings.sampler == "weighted"
    return Plan(
        settings=settings,
        task=task,
        device=device,
        criterion=InFloat32(task.criterion(params, targets["train"]), device),
        train=Feed(
            task,
            images,
            train_rows,
            targets["train"],
            normalise,
            device,
            Augmentation(**params["augment"]),
            settings.seed,
            settings.tile,
        ),
        val=Feed(task, images, val_rows, targets["val"], normalise, device),
        val_rows=val_rows,
        sampling=task.sampling_weights(targets["train"]) if weighted else None,
        monitor=monitor,
        sign=1.0 if direction == "max" else -1.0,
        normalise=normalise,
        checkpoint=Checkpoint(state, run_digest(params, code, contents, targets), stop),
        progress=Progress(params, train_rows[0]["fold"], settings.epochs, monitor, out),
        report=report,
    )
