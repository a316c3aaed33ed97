"""What a trained model costs to keep and to ask: parameters, megabytes, milliseconds a sample."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.evaluate.cost import costs
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.predict import KeptModel, load_model

# Samples of the batch by which costs are measured.
SAMPLES = 8


def measured_costs(job: FoldJob, kept: KeptModel, wanted: Sequence[str]) -> dict[str, float]:
    """Costs by name, of one batch of the first validation rows by content."""
    rows = sorted_rows(job.part("val"))[:SAMPLES]
    batch = kept.feed(job, rows).batch(np.arange(len(rows)), kept.size)
    return costs(wanted, kept.model, job.task.predict, batch)


def model_cost(job: FoldJob, model_path: str | Path) -> dict[str, Any]:
    """{"parameters", "megabytes" of weights, "milliseconds" a sample, "samples", "device", ...}."""
    kept = load_model(job, model_path)
    measured = measured_costs(job, kept, ("parameters", "milliseconds"))
    # With buffers: running means of normalisation layers are stored and loaded as well.
    weights = [*kept.model.parameters(), *kept.model.buffers()]
    return {
        "run": job.params["run"],
        "parameters": int(measured["parameters"]),
        "megabytes": sum(values.numel() * values.element_size() for values in weights) / 1e6,
        "milliseconds": measured["milliseconds"],
        "samples": min(SAMPLES, len(job.part("val"))),
        "device": job.device.type,
        "threads": torch.get_num_threads(),
    }
