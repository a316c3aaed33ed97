"""Training that ended by its own doing: a result for a search, an error for a single run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from foldwise.errors import FoldwiseError
from foldwise.train.job import FoldJob

SHOWN = 8  # row numbers in a message


class TrainingFailed(FoldwiseError):
    """`reason` is "non_finite" or "out_of_memory"; epoch and step count from 1, rows from 0."""

    def __init__(self, reason: str, message: str, **place: int | list[int]) -> None:
        super().__init__(message)
        self.reason = reason
        self.place = place


def non_finite(
    what: str, value: float, epoch: int, batch: list[int], step: int | None = None
) -> TrainingFailed:
    """The failure of one step, or of predicting after an epoch (`step` None).

    `batch` holds row numbers of the part, the training part's for a step, else the validation's.
    """
    when = f"after epoch {epoch}" if step is None else f"in epoch {epoch}, step {step}"
    part = "validation" if step is None else "training"
    rows = ", ".join(map(str, batch[:SHOWN]))
    more = f" and {len(batch) - SHOWN} more" if len(batch) > SHOWN else ""
    return TrainingFailed(
        "non_finite",
        f"Training stopped: {what} is {value} {when} (rows {rows}{more} of the {part} part, sorted "
        "by content). Lower training.lr, set training.clip_norm, or train with "
        "training.precision: float32.",
        **{"epoch": epoch, "batch": batch} | ({} if step is None else {"step": step}),
    )


@contextmanager
def memory_explained(job: FoldJob, size: int) -> Iterator[None]:
    """Turn a failed allocation in the body into TrainingFailed with sizes and a next step."""
    batch_size, channels = job.params["training"]["batch_size"], job.params["image"]["channels"]
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_memory(error):
            raise
        raise TrainingFailed(
            "out_of_memory",
            f"Out of memory on {job.device.type} with batches of {batch_size} images of "
            f"{channels} x {size} x {size}. Lower training.batch_size (training.accumulate keeps "
            "the effective size) or image.size, or set training.precision: bf16 on a GPU.",
            batch_size=batch_size,
            size=size,
            channels=channels,
        ) from error


def _is_memory(error: Exception) -> bool:
    typed = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    # PyTorch's CPU allocator raises a plain RuntimeError: only its words tell it from a bug.
    return typed or "can't allocate memory" in str(error) or "out of memory" in str(error)
