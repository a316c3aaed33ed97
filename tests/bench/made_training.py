"""What the benches of training share: made-up pictures to learn from, and a clock of epochs."""

import argparse
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil
import torch
from torch.utils.data import Dataset
from torchvision.transforms import v2

from foldwise.tasks.base import Task
from foldwise.tasks.classification import Classification
from foldwise.tasks.segmentation import Segmentation
from made_masks import mask_images, mask_params
from training import CLASSES, Memory, make_params, make_rows

MEAN, STD = 0.5, 0.25
TURN, SHIFT, ZOOM = 10, 0.05, 0.1  # degrees, share of the side, share: foldwise's own defaults
STRENGTHS = {"flip_horizontal": 0.5, "rotate_deg": TURN, "shift": SHIFT, "zoom": ZOOM}
STRENGTHS |= {"flip_vertical": 0, "brightness": 0, "contrast": 0, "quarter_turn": 0, "invert": 0}


@dataclass
class Clock:
    """When epochs ended, and the first that reached a kappa."""

    kappa: float
    cuda: bool
    start: float = field(default_factory=time.monotonic)
    ends: list[tuple[float, float]] = field(default_factory=list)  # wall and CPU seconds
    reached: float | None = None
    busy: list[float] = field(default_factory=list)
    watch: subprocess.Popen | None = None

    def epoch(self, kappa: float) -> None:
        """Note that an epoch has ended, with its kappa."""
        if self.cuda:
            torch.cuda.synchronize()
        self.ends.append((time.monotonic(), cpu_seconds()))
        if self.reached is None and kappa >= self.kappa:
            self.reached = self.ends[-1][0] - self.start
        if self.cuda and self.watch is None:
            query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
            self.watch = subprocess.Popen([*query, "-lms", "100"], stdout=subprocess.PIPE)

    def result(self, images: int, steps: int) -> dict[str, Any]:
        """What was seen; `images` and `steps` of an epoch."""
        (first, cpu_before), (last, cpu_after) = self.ends[0], self.ends[-1]
        epochs, wall, cpu = len(self.ends) - 1, last - first, cpu_after - cpu_before
        busy = None
        if self.watch is not None:
            self.watch.terminate()
            busy = float(np.mean([float(line) for line in self.watch.communicate()[0].split()]))
        return {
            "speed": epochs * images / wall,
            "step_ms": 1000 * wall / (epochs * steps),
            "cpu": 1000 * cpu / (epochs * images),
            "cores": cpu / wall,
            "busy": busy,
            "reached": self.reached,
        }


def cpu_seconds() -> float:
    """Of this process and of its workers."""
    used = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # A worker may end between the two looks.
            times = process.cpu_times()
            used += times.user + times.system
    return used


@dataclass(frozen=True)
class Study:
    """Pictures of noise with a disc, whose radius tells the class; for a U-Net the discs' masks."""

    images: Memory
    rows: list[dict]
    cut: int  # the training part's images come first
    chosen: argparse.Namespace

    @property
    def labels(self) -> list[int]:
        return [CLASSES.index(row["label"]) for row in self.rows]

    @property
    def device(self) -> torch.device:
        return torch.device(self.chosen.device)

    @property
    def masks(self) -> bool:
        return self.chosen.network == "unet"

    @property
    def score(self) -> str:
        """The metric that is waited for."""
        return "jaccard" if self.masks else "kappa"

    def params(self) -> dict[str, Any]:
        """What foldwise trains by; the other ways take network, batch and rate from the same."""
        chosen = self.chosen
        settings = {
            "training__epochs": chosen.epochs,
            "training__batch_size": chosen.batch,
            "training__optimizer": "adamw",
            "training__precision": chosen.precision,
            "training__compile": chosen.compile,
            "training__clip_norm": None,
            "training__early_stopping": {"patience": None, "min_delta": 0.0},
            "model__normalisation": [MEAN, STD],
        }
        if self.masks:
            params = mask_params(chosen.size, model__width=32, **settings)
        else:
            params = make_params(chosen.size, model__name=chosen.network, **settings)
        params["augment"] |= STRENGTHS
        return params

    def task(self) -> Task:
        return (Segmentation if self.masks else Classification)(self.params()["task"])

    def model(self) -> torch.nn.Module:
        model = self.task().build(self.params(), 1)
        return model.to(self.device, memory_format=torch.channels_last)


def make_study(chosen: argparse.Namespace) -> Study:
    """The study that a bench's arguments ask for; the same one for each way."""
    rows = make_rows(chosen.images)
    make = mask_images if chosen.network == "unet" else discs
    return Study(make(rows, chosen.size), rows, chosen.images * 3 // 4, chosen)


def discs(rows: list[dict], side: int) -> Memory:
    random, grid = np.random.default_rng(0), np.arange(side)
    pixels = np.empty((len(rows), 1, side, side), np.uint8)
    for image, row in zip(pixels, rows, strict=True):
        radius = side * (0.08 + 0.05 * CLASSES.index(row["label"]))
        y, x = random.uniform(0.3 * side, 0.7 * side, 2)
        disc = (grid[:, None] - y) ** 2 + (grid - x) ** 2 < radius**2
        image[0] = (random.normal(100, 25, (side, side)) + 60 * disc).clip(0, 255)
    return Memory(pixels, [row["content"] for row in rows])


class Pictures(Dataset):
    """uint8 pictures as augmented, normalised floats, one at a time."""

    def __init__(self, study: Study, part: slice, augmented: bool) -> None:
        self.pixels = torch.from_numpy(study.images.pixels[part])
        self.labels = study.labels[part]
        move = v2.RandomAffine(TURN, (SHIFT, SHIFT), (1 - ZOOM, 1 + ZOOM), interpolation=2)
        steps = [v2.RandomHorizontalFlip(0.5), move] if augmented else []
        steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize([MEAN], [STD])]
        self.prepare = v2.Compose(steps)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.prepare(self.pixels[index]), self.labels[index]
