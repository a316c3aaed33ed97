"""A teacher's answers on a fold's training part: computed once, read by every student."""

from pathlib import Path

import numpy as np

from foldwise.contents import public_content
from foldwise.errors import FoldwiseError
from foldwise.files import replacing
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.machine import make_deterministic
from foldwise.train.predict import infer, load_model

PREFIX = "teacher_"
# Above the one and below the other a teacher's answers are the labels once more. Measured: .996-1
# and .003 nats of teachers asked about images that they were trained on.
BY_HEART, SURE = 0.98, 0.05


def teach_fold(job: FoldJob, model_path: str | Path, out: str | Path) -> None:
    """Write `out` (.npz): "content" (N,) and what `task.teach` gives, (N, ...) float32.

    The job is the teacher's; asked are the images of the training part, on which it was trained
    itself, as they are: not augmented.
    """
    make_deterministic(job.device)
    rows = sorted_rows(job.part("train"))
    kept = load_model(job, model_path)
    feed = kept.feed(job, rows)
    answers = infer(job.task.teach, kept.model, feed, kept.cut(job.params))
    # A stream, since `savez` adds .npz to a name that lacks it, and the rename would miss the file.
    with replacing(out) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, content=np.array([public_content(row) for row in rows]), **answers)


def teacher_targets(
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
    # A teacher that was trained on them would pass on the answers by which the student is judged.
    seen = sum(public_content(row) in place for row in val_rows)
    if lacking or seen:
        raise FoldwiseError(
            f"{path} is of a teacher of other folds: it lacks {lacking} of {len(train_rows)} "
            f"training images and was trained on {seen} of {len(val_rows)} that judge this "
            "student. Delete it and run again: teacher and student share one folds file."
        )
    order = np.array([place[public_content(row)] for row in train_rows])
    return {PREFIX + name: values[order] for name, values in arrays.items()}


def by_heart(facts: dict[str, float]) -> str:
    """A warning where what a teacher answers adds nothing to the labels, else ""."""
    if not facts or facts["right"] < BY_HEART or facts["entropy"] > SURE:
        return ""
    return (
        f"The teacher knows its training part by heart ({facts['right']:.1%} right, mean entropy "
        f"{facts['entropy']:.3f} nats): what it answers there is what the labels say already, and "
        "its student has little to learn from it. Set training.answers to cross_fitted, or "
        "train the teacher for fewer epochs, or with more weight decay and dropout."
    )
