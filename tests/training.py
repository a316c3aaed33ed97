"""A made-up study of a second or two: images in memory, a tiny network, settings complete."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from foldwise.files import read_json
from foldwise.models.network import Network
from foldwise.settings.changes import override
from foldwise.settings.schema import check
from foldwise.tasks.classification import Classification
from foldwise.train.job import FoldJob
from foldwise.train.loop import train_fold
from foldwise.train.process.stop import Stop

CLASSES = ["A", "B", "C"]


class Memory:
    """Images in memory, as the cache gives them."""

    def __init__(
        self, pixels: np.ndarray, contents: list[str], parts: np.ndarray | None = None
    ) -> None:
        whole = np.tile([0, pixels.shape[2], 0, pixels.shape[3]], (len(pixels), 1))
        self.parts = whole if parts is None else parts
        self.pixels, self.shape, self.dtype = pixels, pixels.shape[1:], pixels.dtype
        self.where = {content: index for index, content in enumerate(contents)}

    def places(self, rows: list[dict]) -> np.ndarray:
        return np.array([self.where[row["content"]] for row in rows], dtype=np.int64)

    def inside(self, indices: np.ndarray) -> np.ndarray:
        return self.parts[indices]

    def take(self, indices: np.ndarray, out: np.ndarray) -> None:
        np.take(self.pixels, indices, axis=0, out=out, mode="clip")


class Tiny(Network):
    """Two blocks with batch normalisation and a head with dropout."""

    def __init__(self, channels: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.one = self.block(channels, 4)
        self.two = self.block(4, 8)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(8, outputs))

    @staticmethod
    def block(channels: int, width: int) -> nn.Sequential:
        layers = nn.Conv2d(channels, width, 3, stride=2), nn.BatchNorm2d(width), nn.ReLU()
        return nn.Sequential(*layers)

    def blocks(self) -> list[nn.Module]:
        return [self.one, self.two]

    def embed(self, image: torch.Tensor) -> torch.Tensor:
        return self.two(self.one(image)).mean(dim=(2, 3))

    def classify(self, features: torch.Tensor, joined: None = None) -> torch.Tensor:
        return self.head(features)

    def forward(self, image: torch.Tensor, joined: None = None) -> torch.Tensor:
        return self.classify(self.embed(image))


class TinyTask(Classification):
    """Classification with the tiny network whatever the settings name."""

    def build(self, params: dict[str, Any], channels: int) -> nn.Module:
        return Tiny(channels, len(self.classes), params["model"]["dropout"])


def make_rows(number: int, start: int = 0) -> list[dict]:
    """Rows of the cohort: three classes in turn, two images a patient."""
    rows = []
    for n in range(start, start + number):
        content = hashlib.sha256(str(n).encode()).hexdigest()[:32]
        names = {"sample": f"s{n:03}", "group": f"g{n // 2:03}", "exam": f"e{n // 2:03}"}
        rows.append(names | {"content": content, "label": CLASSES[n % 3], "fold": 1})
    return rows


def make_images(rows: list[dict], size: int = 16, channels: int = 1, bits: int = 8) -> Memory:
    """Noise about a grey level that tells the class."""
    random = np.random.default_rng(7)
    top, dtype = 2**bits - 1, np.uint8 if bits == 8 else np.uint16
    level = np.array([0.3 + 0.2 * CLASSES.index(row["label"]) for row in rows])
    noise = random.normal(0, 0.15, (len(rows), channels, size, size))
    pixels = np.clip((level[:, None, None, None] + noise) * top, 0, top).astype(dtype)
    return Memory(pixels, [row["content"] for row in rows])


def make_params(size: int = 16, **changes: Any) -> dict[str, Any]:
    """A run's params with all defaults; `changes` by dotted path with `__` for the dot."""
    params: dict[str, Any] = {"run": "cv", "seed": 3, "kind": "classification"}
    for branch in ("model", "loss", "training", "augment"):
        params[branch] = check(branch, {}, "test")
    params["image"] = check("image", {"size": size}, "test")
    params["task"] = {"classes": CLASSES}
    params["training"] |= {"epochs": 3, "batch_size": 8, "lr": 0.01, "stop_after": None}
    dotted = {path.replace("__", "."): value for path, value in changes.items()}
    inner = {path: value for path, value in dotted.items() if "." in path}
    return override(params | {key: dotted[key] for key in dotted.keys() - inner}, inner, "test")


def make_job(
    out: Path, params: dict, images: Any, rows: tuple[list, list], task: Any = None, **means: Any
) -> FoldJob:
    """The job of a fold that writes into `out`; `rows` are its training and validation part."""
    task = task or TinyTask(params["task"])
    parts = dict(zip(("train", "val"), rows, strict=True))
    return FoldJob(params, task, parts, images, means.pop("fold", 1), out, **means)


def train(folder: Path, params: dict[str, Any] | None = None, **named: Any) -> Path:
    """Train a fold of 24 + 12 images into `folder`; returns the folder of results."""
    params = params or make_params()
    rows = named.pop("rows", None) or make_rows(36)
    images = named.pop("images", None) or make_images(rows, params["image"]["size"])
    task = named.pop("task", None) or TinyTask(params["task"])
    on_epoch = named.pop("on_epoch", None)
    job = make_job(folder / "results", params, images, (rows[:24], rows[24:]), task, **named)
    train_fold(job, on_epoch)
    return job.out


class StopAt(Stop):
    """Asks to stop at the n-th time it is asked."""

    def __init__(self, count: int) -> None:
        self.left = count

    @property
    def requested(self) -> str | None:
        self.left -= 1
        return "SIGTERM" if self.left <= 0 else None


NO_AUGMENT = dict.fromkeys(make_params()["augment"], 0)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The kept weights of a training that wrote into `folder`."""
    return torch.load(folder / "best_model.pt", weights_only=True)["state_dict"]


def history(folder: Path) -> dict:
    return read_json(folder / "train_history.json")
