"""A teacher's answers on images that it has not seen, by cross-fitting inside a training part.

A teacher asked about the very images it was trained on answers with their labels, so that its
student learns nothing more. Here the groups of a fold's training part are dealt into parts; a
teacher that was trained on the others answers for each, as out-of-fold predictions are made for
stacking (Wolpert 1992, "Stacked generalization", Neural Networks 5:241-259).
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.contents import public_content
from foldwise.files import replacing
from foldwise.tasks.base import Rows
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.loop import train_fold
from foldwise.train.predict import infer, load_model

PARTS = 2


def teach_crossed(job: FoldJob, out: str | Path) -> None:
    """Write `out` (.npz) as `teach_fold` does: "content" (N,) and what `task.teach` gives.

    The job is the teacher's, on the student's fold: its validation part is seen by none of the
    teachers trained here. Each chooses its epoch on the part that it answers for.
    """
    folder, contents, answers = job.out.parent / "crossed", [], []
    rows = sorted_rows(job.part("train"))
    for number, (train, other) in enumerate(dealt(rows, job.task.label_columns), 1):
        parts, own = {"train": train, "val": other}, folder / str(number) / "results"
        inner = replace(job, params=_fitting(job.params, len(train)), rows=parts, out=own)
        own.mkdir(parents=True, exist_ok=True)
        # One that an earlier job finished is restored from its saved state, which has its digest.
        train_fold(inner)
        kept = load_model(inner, own / "best_model.pt")
        inferred = infer(job.task.teach, kept.model, kept.feed(inner, other), kept.cut(job.params))
        contents += [public_content(row) for row in other]
        answers.append(inferred)
    joined = {name: np.concatenate([one[name] for one in answers]) for name in answers[0]}
    with replacing(out) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, content=np.array(contents), **joined)
    # The models have answered; what a stopped job needed is no longer of use.
    shutil.rmtree(folder)


def _fitting(params: dict[str, Any], images: int) -> dict[str, Any]:
    """The teacher's settings, with a batch that a part of the training part can fill."""
    training = params["training"]
    size = min(training["batch_size"], images)
    return params | {"training": training | {"batch_size": size}}


def dealt(rows: Rows, labels: Sequence[str]) -> Iterator[tuple[Rows, Rows]]:
    """(rows to train on, rows to answer for) of each part; no group is in both, each row once.

    labels: columns whose values each part shall have alike.
    """
    first: dict[str, tuple[str, ...]] = {}
    for row in rows:
        first.setdefault(row["group"], tuple(row[name] for name in labels))
    # By label, so that neighbours are alike, and dealt in turn; a stable sort keeps content order.
    order = sorted(first, key=first.__getitem__)
    part = {group: place % PARTS for place, group in enumerate(order)}
    for number in range(PARTS):
        train = [row for row in rows if part[row["group"]] != number]
        yield train, [row for row in rows if part[row["group"]] == number]
