"""A teacher's answers on a fold's training part: computed once, read by every student."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.contents import public_content
from foldwise.errors import FoldwiseError
from foldwise.files import replacing
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.machine import make_deterministic
from foldwise.train.predict import infer, load_model

PREFIX = "teacher_"


def teach_fold(
    params: dict[str, Any],
    task: Any,
    images: Any,
    rows: list[dict],
    model_path: str | Path,
    out: str | Path,
    device: str | torch.device,
) -> None:
    """Write `out` (.npz): "content" (N,) and what `task.teach` gives, (N, ...) float32.

    `params` are the teacher's; `rows` the training part, on which it was trained itself. The
    images are not augmented.
    """
    device = torch.device(device)
    make_deterministic(device)
    rows = sorted_rows(rows)
    model, facts = load_model(params, task, model_path, device)
    feed = Feed(task, images, rows, task.targets(rows), (facts["mean"], facts["std"]), device)
    answers = infer(
        task,
        model,
        feed,
        size=facts["size"],
        batch_size=params["training"]["batch_size"],
        precision=params["training"]["precision"],
        ask=task.teach,
    )
    with replacing(out) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, content=np.array([public_content(row) for row in rows]), **answers)


def taught_targets(
    path: str | Path, train_rows: list[dict], val_rows: list[dict]
) -> dict[str, np.ndarray]:
    """The answers on `train_rows`, in their order, as targets "teacher_<name>" (N, ...).

    Raises FoldwiseError for a file that is not there, that lacks a training image, or that holds
    an image of the validation part: then the teacher is of another fold.
    """
    path = Path(path)
    if not path.is_file():
        raise FoldwiseError(
            f"No answers of a teacher at {path}. Train the run that training.teacher names, on the "
            "same folds, or set training.teacher to null."
        )
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    place = {content: number for number, content in enumerate(arrays.pop("content").tolist())}
    lacking = sum(public_content(row) not in place for row in train_rows)
    seen = sum(public_content(row) in place for row in val_rows)
    if lacking or seen:
        raise FoldwiseError(
            f"{path} is of a teacher of other folds: it lacks {lacking} of {len(train_rows)} "
            f"training images and was trained on {seen} of {len(val_rows)} that judge this "
            "student. Delete it and run again: teacher and student share one folds file."
        )
    order = np.array([place[public_content(row)] for row in train_rows])
    return {PREFIX + name: values[order] for name, values in arrays.items()}
