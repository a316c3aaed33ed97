"""What a trained model costs to keep and to ask: parameters, megabytes, milliseconds a sample."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.evaluate.cost import costs
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.predict import load_model

SAMPLES = 8


def model_cost(
    params: dict[str, Any],
    task: Any,
    images: Any,
    rows: list[dict],
    model_path: str | Path,
    device: str | torch.device,
) -> dict[str, Any]:
    """{"parameters", "megabytes" of weights, "milliseconds" a sample, "samples", "device", ...}.

    Measured on the first rows by content, in one batch, without reading images.
    """
    device, rows = torch.device(device), sorted_rows(rows)[:SAMPLES]
    model, facts = load_model(params, task, model_path, device)
    feed = Feed(task, images, rows, task.targets(rows), (facts["mean"], facts["std"]), device)
    batch = feed.batch(np.arange(len(rows)), facts["size"])
    found = costs(("parameters", "milliseconds"), model, task.predict, batch)
    held = [*model.parameters(), *model.buffers()]
    return {
        "run": params["run"],
        "parameters": int(found["parameters"]),
        "megabytes": sum(values.numel() * values.element_size() for values in held) / 1e6,
        "milliseconds": found["milliseconds"],
        "samples": len(rows),
        "device": device.type,
        "threads": torch.get_num_threads(),
    }
