"""Training that ended by its own doing: a result for a search, an error for a single run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from foldwise.errors import FoldwiseError


class TrainingFailed(FoldwiseError):
    """`reason` is "non_finite" or "out_of_memory"; epoch, step and batch count from 1."""

    def __init__(self, reason: str, message: str, **place: int | list[int]) -> None:
        super().__init__(message)
        self.reason = reason
        self.place = place


def non_finite(what: str, value: float, epoch: int, step: int, batch: list[int]) -> TrainingFailed:
    """The failure of one step; `batch` holds row numbers of the training part."""
    return TrainingFailed(
        "non_finite",
        f"Training stopped: {what} is {value} in epoch {epoch}, step {step} (rows {batch} of the "
        "training part, sorted by content). Lower training.lr, set training.clip_norm, or train "
        "with training.precision: float32.",
        epoch=epoch,
        step=step,
        batch=batch,
    )


@contextmanager
def memory_told(batch_size: int, size: int, channels: int, device: torch.device) -> Iterator[None]:
    """Turn a failed allocation in the body into TrainingFailed with sizes and a next step."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_memory(error):
            raise
        raise TrainingFailed(
            "out_of_memory",
            f"Out of memory on {device.type} with batches of {batch_size} images of "
            f"{channels} x {size} x {size}. Lower training.batch_size (training.accumulate keeps "
            "the effective size) or image.size, or set training.precision: bf16 on a GPU.",
            batch_size=batch_size,
            size=size,
            channels=channels,
        ) from error


def _is_memory(error: Exception) -> bool:
    known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return known or "can't allocate memory" in str(error) or "out of memory" in str(error)
