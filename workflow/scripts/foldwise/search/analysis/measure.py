"""The losses of a study's search on the predictions of its best trial."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foldwise import registry
from foldwise.files import read_json
from foldwise.search.analysis.gradients import MOST_BATCHES, answers, report_of
from foldwise.search.ranking import ranked
from foldwise.search.settings import Search
from foldwise.search.trials import Observation, trial_name
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.precision import InFloat32
from foldwise.train.predict import load_model

# Sides at which a network is asked: its own, and halves of it that it can take.
HALVES = (1, 2, 4)
LEAST_PX = 32


def loss_params(
    search: Search, observations: Sequence[Observation], runs: Path
) -> dict[str, dict[str, Any]]:
    """Loss -> params.json of the best trial that used it, best first."""
    by_loss: dict[str, dict[str, Any]] = {}
    for _, item in ranked(observations, search):
        params = read_json(runs / trial_name(item.suggestion.number) / "params.json")
        by_loss.setdefault(params["loss"]["name"], params)
    return by_loss


def measure(
    job: FoldJob, losses: dict[str, dict[str, Any]], model_path: str | Path
) -> dict[str, Any]:
    """What `gradients.report_of` says, with the run, fold and images that it was measured on.

    Args:
        job: the best trial's, on a fold that judges it.
        losses: params.json that each loss takes its settings from.
        model_path: the best trial's best_model.pt of that fold.
    """
    task, kind = job.task, job.params["kind"]
    targets = task.targets(sorted_rows(job.part("train")))
    kept = load_model(job, model_path)
    criteria = {
        name: InFloat32(task.criterion(params, targets), job.device)
        for name, params in losses.items()
    }
    feed = kept.feed(job, sorted_rows(job.part("val")))
    places = places_of_batches(len(feed), job.params["training"]["batch_size"])
    by_size = {}
    for size in sizes_of(job.params, kept.size):
        # A batch is valid until the next one is made.
        batches = [
            {name: value.clone() for name, value in feed.batch(rows, size).items()}
            for rows in places
        ]
        by_size[size] = list(answers(task, kept.model, batches))
    return report_of(task, kind, criteria, by_size) | {
        "run": job.params["run"],
        "images": int(sum(map(len, places))),
        "settings": {name: params["loss"] for name, params in losses.items()},
    }


def places_of_batches(count: int, batch_size: int) -> list[np.ndarray]:
    """Rows of the first batches, cut as in training, since losses are pooled over a batch."""
    starts = range(0, count, batch_size)
    return [np.arange(s, min(s + batch_size, count)) for s in starts][:MOST_BATCHES]


def sizes_of(params: dict[str, Any], size: int) -> list[int]:
    """The model's own side, and halves of it that its network can take, largest first."""
    model = params["model"]
    name = model["vision"]["name"] if params["kind"] == "distillation" else model["name"]
    if params["kind"] != "segmentation" and name not in registry.NETWORKS:
        # What an encoder from elsewhere can take is not known: it may have one size only.
        return [size]
    needs = registry.sides_of(name)
    step = 2 ** model["levels"] if params["kind"] == "segmentation" else needs["step"]
    least = max(needs["least"], LEAST_PX)
    sides = [size // half for half in HALVES if size % half == 0]
    return [side for side in sides if side == size or (side >= least and side % step == 0)]
