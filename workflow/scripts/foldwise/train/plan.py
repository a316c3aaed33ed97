"""All that stays the same while a fold is trained, made from its job."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.settings.rules import batch_too_large
from foldwise.settings.training import Settings
from foldwise.tasks.base import Rows
from foldwise.train.checkpoint import Checkpoint, run_digest
from foldwise.train.feed.augment import Augmentation
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.normalise import by_picture, normalisation
from foldwise.train.feed.pixels import Normalisation, Preparation
from foldwise.train.feed.rows import places_of, sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.precision import InFloat32
from foldwise.train.progress import Progress
from foldwise.train.teaching.teach import by_heart, teacher_targets

logger = logging.getLogger("foldwise")

# Given the history, one entry an epoch; True ends the training.
OnEpoch = Callable[[list[dict[str, Any]]], bool]


@dataclass(frozen=True)
class Plan:
    """What the loop reads and never changes."""

    job: FoldJob
    settings: Settings
    criterion: InFloat32
    train: Feed
    val: Feed
    val_rows: Rows
    sampling: np.ndarray | None  # (N,) weights of the weighted sampler
    monitor: str
    sign: float  # 1 if a larger monitored metric is better, else -1
    normalise: Normalisation
    warnings: list[dict[str, str]]  # kind, text: what a reader of the results has to know
    checkpoint: Checkpoint
    progress: Progress
    on_epoch: OnEpoch | None


def make_plan(job: FoldJob, settings: Settings, on_epoch: OnEpoch | None) -> Plan:
    """Gather what training the job's fold needs."""
    task, params = job.task, job.params
    rows = {part: _rows(job, part) for part in ("train", "val")}
    if reason := batch_too_large(settings.batch_size, settings.crops, len(rows["train"])):
        raise FoldwiseError(f"training.batch_size of run {params['run']}: {reason}.")
    targets = {part: task.targets(members) for part, members in rows.items()}
    warnings = []
    if job.teacher_answers is not None:
        answers = teacher_targets(job.teacher_answers, rows["train"], rows["val"])
        targets["train"] |= task.student_targets(answers)
        warnings = _warnings(job, task.teacher_facts(targets["train"]))
    normalise = normalisation(
        params["model"]["normalisation"],
        job.images,
        # Of the training part alone: the validation part must shape nothing that it judges.
        places_of(job.images, rows["train"]),
        params["image"]["channels"],
    )
    plain = Preparation(normalise, job.device, by_picture=by_picture(params))
    strengths = Augmentation(**params["augment"])
    augmented = replace(plain, augmentation=strengths, seed=settings.seed, tile=settings.tile)
    monitor, direction = task.monitor(settings.monitor)
    weighted = settings.sampler == "weighted"
    return Plan(
        job=job,
        settings=settings,
        criterion=InFloat32(task.criterion(params, targets["train"]), job.device),
        train=Feed(task, job.images, rows["train"], targets["train"], augmented),
        val=Feed(task, job.images, rows["val"], targets["val"], plain),
        val_rows=rows["val"],
        sampling=task.sampling_weights(targets["train"]) if weighted else None,
        monitor=monitor,
        sign=1.0 if direction == "max" else -1.0,
        normalise=normalise,
        warnings=warnings,
        checkpoint=Checkpoint(job.state, run_digest(params, job.code, rows, targets), job.stop),
        progress=Progress(job, settings.epochs, monitor),
        on_epoch=on_epoch,
    )


def _rows(job: FoldJob, part: str) -> Rows:
    if not job.part(part):
        name = {"train": "training", "val": "validation"}[part]
        raise FoldwiseError(f"The {name} part of this fold is empty. Lower folds.n or holdout.")
    return sorted_rows(job.part(part))


def _warnings(job: FoldJob, facts: dict[str, float]) -> list[dict[str, str]]:
    text = by_heart(facts)
    if not text:
        return []
    logger.warning(text)
    return [{"kind": "by_heart", "text": f"Fold {job.fold}: {text}"}]
