"""Predictions and embeddings of a trained model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import nn

from foldwise.errors import FoldwiseError
from foldwise.files import replacing, write_csv
from foldwise.hashing import stream_seed
from foldwise.tasks.base import Batch, Rows
from foldwise.train.failure import memory_explained
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.normalise import by_picture
from foldwise.train.feed.pixels import Normalisation, Preparation
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.machine import keep_freed_memory, make_deterministic
from foldwise.train.precision import forward_in
from foldwise.train.sealed import load_sealed

# Outputs as large as the images: written out batch by batch, never held together.
LARGE = ("map",)


# What is asked of a model about a batch: rows first, like `Task.predict`.
Ask = Callable[[nn.Module, Batch], Batch]


@dataclass(frozen=True)
class Cut:
    """How rows are cut into batches and computed. The last bits of a row depend on all three."""

    size: int  # side in pixels
    batch_size: int
    precision: str


@dataclass(frozen=True)
class KeptModel:
    """A best_model.pt in eval mode on its device, and what its training chose."""

    model: nn.Module
    normalise: Normalisation
    size: int  # side in pixels at which its weights were chosen
    epoch: int

    def feed(self, job: FoldJob, rows: Rows) -> Feed:
        """Batches of `rows` as the model is used to them."""
        own = by_picture(job.params)
        prepare = Preparation(self.normalise, job.device, by_picture=own)
        return Feed(job.task, job.images, rows, job.task.targets(rows), prepare)

    def cut(self, params: dict[str, Any]) -> Cut:
        """Batches like those of its training."""
        training = params["training"]
        return Cut(self.size, training["batch_size"], training["precision"])


def infer(
    ask: Ask, model: nn.Module, feed: Feed, cut: Cut, each: Callable[[], None] | None = None
) -> dict[str, np.ndarray]:
    """All rows of the feed in their order, rows first, but for what is large.

    float32 (float64 where the task gives that). `each` is called per batch.
    """
    parts: dict[str, list[np.ndarray]] = {}
    for _, outputs in batches(ask, model, feed, cut):
        keep(parts, outputs)
        if each is not None:
            each()
    return joined(parts)


def keep(parts: dict[str, list[np.ndarray]], outputs: dict[str, torch.Tensor]) -> None:
    """Add a batch's outputs to those before, but for what is large."""
    for name, values in outputs.items():
        if name not in LARGE:
            # Off the device at once: all rows' outputs would pile up there beside the network.
            parts.setdefault(name, []).append(on_cpu(values))


def joined(parts: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    """The batches of each output as one array, rows first."""
    return {name: np.concatenate(values) for name, values in parts.items()}


def batches(ask: Ask, model: nn.Module, feed: Feed, cut: Cut) -> Iterator[tuple[np.ndarray, Batch]]:
    """Row numbers (B,) of each batch and what the model is asked about it, on the device.

    The batches are cut the same way each time, since the last bits of a row depend on its batch.
    """
    model.eval()
    for start in range(0, len(feed), cut.batch_size):
        rows = np.arange(start, min(start + cut.batch_size, len(feed)))
        batch = feed.batch(rows, cut.size)
        with torch.inference_mode(), forward_in(cut.precision, feed.device):
            outputs = ask(model, batch)
        yield rows, outputs


def on_cpu(values: torch.Tensor) -> np.ndarray:
    """As float32, or float64 where it is that already."""
    values = values if values.dtype == torch.float64 else values.float()
    return values.cpu().numpy()


def load_model(job: FoldJob, path: str | Path) -> KeptModel:
    """The model of a best_model.pt on the job's device."""
    stored = load_sealed(path)
    if not stored["state_dict"]:
        raise FoldwiseError(
            f"{path} holds no model, since this fold was not trained to an end: "
            f"{stored['reason']}. Nothing can be predicted with it."
        )
    again = "It was made with other settings or code: delete it and run the same command again."
    return kept_model(job, stored, f"{path} does not fit {{}}. {again}")


def kept_model(job: FoldJob, stored: dict[str, Any], misfit: str) -> KeptModel:
    """The model of stored weights ("state_dict", mean, std, size, epoch) on the job's device.

    `misfit`: what to say where they are of another network; `{}` is this run's.
    """
    model = build_model(job)
    try:
        model.load_state_dict(stored["state_dict"])
    except RuntimeError as error:
        own = f"model '{job.params['model']['name']}' of this run"
        raise FoldwiseError(misfit.replace("{}", own)) from error
    # Before the weights go to the device: what only training needs takes no room there.
    model.leave_training()
    model = model.to(job.device, memory_format=torch.channels_last).eval()
    return KeptModel(model, (stored["mean"], stored["std"]), stored["size"], stored["epoch"])


def build_model(job: FoldJob) -> nn.Module:
    """The model with the initial weights of the run's seed."""
    # Of the run's seed and not of the fold's: folds differ by their data alone.
    torch.manual_seed(stream_seed(job.params["seed"], "weights"))
    return job.task.build(job.params, job.params["image"]["channels"])


def predict_fold(
    job: FoldJob,
    model_path: str | Path,
    out_csv: str | Path,
    out_npy: str | Path,
    out_maps: str | Path | None = None,
) -> None:
    """Write val_predictions.csv and embeddings_val.npy (N, D) float32, rows in order of content.

    `out_maps` gets what the task predicts for each pixel ("map", 0..1) as (N, S, S) uint8 of
    0..255, S the side at which the model was chosen; (N, 0) where it predicts no such thing.
    """
    make_deterministic(job.device)
    keep_freed_memory()
    # In order of content, so that a cohort listed otherwise is cut into the same batches.
    rows = sorted_rows(job.part("val"))
    kept = load_model(job, model_path)
    feed, cut = kept.feed(job, rows), kept.cut(job.params)
    parts: dict[str, list[np.ndarray]] = {}
    with memory_explained(job, cut.size), maps_file(out_maps, len(rows)) as write:
        for places, outputs in batches(job.task.predict, kept.model, feed, cut):
            write(places, outputs)
            keep(parts, outputs)
    outputs = joined(parts)
    table = job.task.table(rows, outputs)
    write_csv(out_csv, list(table[0]), table)
    with replacing(out_npy) as temporary:
        np.save(temporary, outputs["embedding"].astype(np.float32))


@contextmanager
def maps_file(path: str | Path | None, rows: int) -> Iterator[Callable[..., None]]:
    """A function that puts the maps of a batch into the rows of a .npy file, whole at the end."""
    if path is None:
        yield lambda places, outputs: None
        return
    with replacing(path) as temporary:
        opened: list[np.ndarray] = []

        def write(places: np.ndarray, outputs: dict[str, torch.Tensor]) -> None:
            if "map" in outputs:
                # Steps of 1/255 are fine enough to draw, at a quarter of float32's bytes.
                values = (outputs["map"] * 255).round().to(torch.uint8).cpu().numpy()
                if not opened:
                    shape = (rows, *values.shape[1:])
                    # Mapped, not gathered: the maps of a whole part may not fit into memory.
                    opened.append(open_memmap(temporary, "w+", np.uint8, shape))
                opened[0][places] = values

        yield write
        if not opened:
            np.save(temporary, np.empty((rows, 0), np.uint8))
        # The mapping ends before `replacing` gives the file its name.
        opened.clear()
