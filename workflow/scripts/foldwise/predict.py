"""Predictions and embeddings of a trained model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from foldwise.errors import FoldwiseError
from foldwise.files import replacing, write_csv
from foldwise.hashing import stream_seed
from foldwise.train.failure import memory_told
from foldwise.train.feed import Feed
from foldwise.train.machine import make_deterministic
from foldwise.train.precision import forward_in
from foldwise.train.rows import sorted_rows


def infer(
    task: Any,
    model: nn.Module,
    feed: Feed,
    *,
    size: int,
    batch_size: int,
    precision: str,
    each: Callable[[], None] | None = None,
) -> dict[str, np.ndarray]:
    """All rows of the feed in their order: float32 arrays, rows first. `each` is called per batch.

    The batches are cut the same way each time, since the last bits of a row depend on its batch.
    """
    model.eval()
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(feed), batch_size):
        rows = np.arange(start, min(start + batch_size, len(feed)))
        batch = feed.batch(rows, size)
        with torch.inference_mode(), forward_in(precision, feed.device):
            outputs = task.predict(model, batch)
        for name, values in outputs.items():
            parts.setdefault(name, []).append(values.float().cpu().numpy())
        if each is not None:
            each()
    return {name: np.concatenate(values) for name, values in parts.items()}


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
    device: str | torch.device = "cpu",
) -> None:
    """Write val_predictions.csv and embeddings_val.npy (N, D) float32, rows in order of content."""
    device = torch.device(device)
    make_deterministic(device)
    rows = sorted_rows(rows)
    model, facts = load_model(params, task, model_path, device)
    feed = Feed(
        task,
        images,
        rows,
        task.targets(rows),
        (facts["mean"], facts["std"]),
        device,
    )
    training = params["training"]
    with memory_told(training["batch_size"], facts["size"], len(facts["mean"]), device):
        outputs = infer(
            task,
            model,
            feed,
            size=facts["size"],
            batch_size=training["batch_size"],
            precision=training["precision"],
        )
    table = task.table(rows, outputs)
    write_csv(out_csv, list(table[0]), table)
    with replacing(out_npy) as temporary:
        np.save(temporary, outputs["embedding"].astype(np.float32))
