"""Predictions and embeddings of a trained model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import nn

from foldwise.errors import FoldwiseError
from foldwise.files import replacing, write_csv
from foldwise.hashing import stream_seed
from foldwise.train.failure import memory_told
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.machine import make_deterministic
from foldwise.train.precision import forward_in

# Outputs as large as the images: written out batch by batch, never held together.
LARGE = ("map",)


def infer(
    task: Any,
    model: nn.Module,
    feed: Feed,
    *,
    size: int,
    batch_size: int,
    precision: str,
    each: Callable[[], None] | None = None,
    ask: Callable[..., Any] | None = None,
) -> dict[str, np.ndarray]:
    """All rows of the feed in their order, rows first, but for what is large.

    float32 (float64 where the task gives that). `each` is called per batch. What is asked of each
    batch is `ask`, by default `task.predict`.
    """
    parts: dict[str, list[np.ndarray]] = {}
    steps = batches(
        task, model, feed, size=size, batch_size=batch_size, precision=precision, ask=ask
    )
    for _, outputs in steps:
        keep(parts, outputs)
        if each is not None:
            each()
    return joined(parts)


def keep(parts: dict[str, list[np.ndarray]], outputs: dict[str, torch.Tensor]) -> None:
    """Add a batch's outputs to those before, but for what is large."""
    for name, values in outputs.items():
        if name not in LARGE:
            parts.setdefault(name, []).append(on_cpu(values))


def joined(parts: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    """The batches of each output as one array, rows first."""
    return {name: np.concatenate(values) for name, values in parts.items()}


def batches(
    task: Any,
    model: nn.Module,
    feed: Feed,
    *,
    size: int,
    batch_size: int,
    precision: str,
    ask: Callable[..., Any] | None = None,
) -> Iterator[tuple[np.ndarray, dict[str, torch.Tensor]]]:
    """Row numbers (B,) of each batch and what the task predicts for it, on the device.

    The batches are cut the same way each time, since the last bits of a row depend on its batch.
    """
    model.eval()
    for start in range(0, len(feed), batch_size):
        rows = np.arange(start, min(start + batch_size, len(feed)))
        batch = feed.batch(rows, size)
        with torch.inference_mode(), forward_in(precision, feed.device):
            outputs = (ask or task.predict)(model, batch)
        yield rows, outputs


def on_cpu(values: torch.Tensor) -> np.ndarray:
    """As float32, or float64 where it is that already."""
    values = values if values.dtype == torch.float64 else values.float()
    return values.cpu().numpy()


def load_model(
    params: dict, task: Any, path: str | Path, device: torch.device
) -> tuple[nn.Module, dict]:
    """The model of a best_model.pt in eval mode, and the file's facts.

    Facts: "size" (side in pixels at which it was chosen), "mean", "std" (per channel), "epoch",
    "monitor", "score".
    """
    stored = torch.load(path, map_location="cpu", weights_only=True)
    weights = stored.pop("state_dict")
    if not weights:
        raise FoldwiseError(
            f"{path} holds no model, since this fold was not trained to an end: "
            f"{stored['reason']}. Nothing can be predicted with it."
        )
    model = build_model(params, task)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise FoldwiseError(
            f"{path} does not fit model '{params['model']['name']}' of this run. It was made with "
            "other settings or code: delete it and run the same command again."
        ) from error
    return model.to(device, memory_format=torch.channels_last).eval(), stored


def build_model(params: dict, task: Any) -> nn.Module:
    """The model with the initial weights of the run's seed."""
    torch.manual_seed(stream_seed(params["seed"], "weights"))
    return task.build(params, params["image"]["channels"])


def predict_fold(
    params: dict,
    task: Any,
    images: Any,
    rows: list[dict],
    model_path: str | Path,
    out_csv: str | Path,
    out_npy: str | Path,
    out_maps: str | Path | None = None,
    device: str | torch.device = "cpu",
) -> None:
    """Write val_predictions.csv and embeddings_val.npy (N, D) float32, rows in order of content.

    `out_maps` gets what the task predicts for each pixel ("map", 0..1) as (N, S, S) uint8 of
    0..255, S the side at which the model was chosen; (N, 0) where it predicts no such thing.
    """
    device = torch.device(device)
    make_deterministic(device)
    rows = sorted_rows(rows)
    model, facts = load_model(params, task, model_path, device)
    normalise = facts["mean"], facts["std"]
    feed = Feed(task, images, rows, task.targets(rows), normalise, device)
    training, size = params["training"], facts["size"]
    cut = {"size": size, "batch_size": training["batch_size"], "precision": training["precision"]}
    parts: dict[str, list[np.ndarray]] = {}
    with (
        memory_told(training["batch_size"], size, len(facts["mean"]), device),
        maps_file(out_maps, len(rows)) as write,
    ):
        for places, outputs in batches(task, model, feed, **cut):
            write(places, outputs)
            keep(parts, outputs)
    outputs = joined(parts)
    table = task.table(rows, outputs)
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
                values = (outputs["map"] * 255).round().to(torch.uint8).cpu().numpy()
                if not opened:
                    shape = (rows, *values.shape[1:])
                    opened.append(open_memmap(temporary, "w+", np.uint8, shape))
                opened[0][places] = values

        yield write
        if not opened:
            np.save(temporary, np.empty((rows, 0), np.uint8))
        opened.clear()
