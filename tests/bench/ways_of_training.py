"""One way of training, for `train.py` and `gpu.py`: `python tests/bench/ways_of_training.py WAY`.

Prints one line of JSON: speed (images of the training part a wall second, after the first epoch),
step_ms, cpu (seconds for 1,000 images, with those of worker processes), cores, busy (percent of a
GPU), reached (seconds from the start to the stated kappa, or null).
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]

from foldwise.train.machine import keep_freed_memory, set_threads  # noqa: E402

set_threads(1)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from made_training import (  # noqa: E402
    MEAN,
    SHIFT,
    STD,
    TURN,
    ZOOM,
    Clock,
    Pictures,
    Study,
    make_study,
)
from sklearn.metrics import cohen_kappa_score  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402

from foldwise.train import loop  # noqa: E402
from training import make_job  # noqa: E402


def loaders(study: Study) -> list[Iterable]:
    """Of the training and the validation part."""
    parts = (slice(None, study.cut), slice(study.cut, None))
    return [
        loader(Pictures(study, part, augmented=not number), study.chosen, shuffle=not number)
        for number, part in enumerate(parts)
    ]


def loader(data: Dataset, chosen: argparse.Namespace, shuffle: bool, kind: Any = DataLoader) -> Any:
    workers = {"num_workers": chosen.workers, "persistent_workers": chosen.workers > 0}
    return kind(
        data,
        batch_size=chosen.batch,
        shuffle=shuffle,
        pin_memory=chosen.device == "cuda",
        **workers,
    )


def plain(study: Study, train: Iterable, val: Iterable, clock: Clock) -> None:
    """A tutorial's loop, tuned: channels last, a fused optimiser, no wait for a loss."""
    model = study.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    for _ in range(study.chosen.epochs):
        model.train()
        for image, label in train:
            step(study, model, optimizer, image, label)
        clock.epoch(judged(study, model, val))


def step(study: Study, model: Any, optimizer: Any, image: Any, label: Any) -> None:
    """One step of the optimiser on a batch, wherever that lies."""
    image, label = (part.to(study.device, non_blocking=True) for part in (image, label))
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(study.device.type, torch.bfloat16, study.chosen.precision == "bf16"):
        logits = model(image.contiguous(memory_format=torch.channels_last))
    functional.cross_entropy(logits.float(), label).backward()
    optimizer.step()


def judged(study: Study, model: torch.nn.Module, val: Iterable) -> float:
    """Kappa of the validation part."""
    model.eval()
    answers, truth = [], []
    with torch.inference_mode():
        for image, label in val:
            image = image.to(study.device, non_blocking=True)
            with torch.autocast(
                study.device.type, torch.bfloat16, study.chosen.precision == "bf16"
            ):
                answers.append(model(image.contiguous(memory_format=torch.channels_last)).argmax(1))
            truth.append(label)
    return cohen_kappa_score(torch.cat(truth).cpu(), torch.cat(answers).cpu(), weights="quadratic")


def foldwise(study: Study, clock: Clock) -> None:
    rows = (study.rows[: study.cut], study.rows[study.cut :])

    def on_epoch(history: list[dict]) -> bool:
        clock.epoch(history[-1][study.score])
        return False

    free = patch.object(loop, "make_deterministic") if study.chosen.free else nullcontext()
    with tempfile.TemporaryDirectory() as folder, free:
        job = make_job(
            Path(folder) / "o",
            study.params(),
            study.images,
            rows,
            study.task(),
            device=study.device,
        )
        loop.train_fold(job, on_epoch)


def ready(study: Study, clock: Clock) -> None:
    """The first batches of both parts, as often as an epoch has batches."""
    keep_freed_memory()
    parts = []
    for batches in loaders(study):
        image, label = next(iter(batches))
        on_device = image.to(study.device), label.to(study.device)
        parts.append([on_device] * len(batches))
    plain(study, *parts, clock)


def loader_way(study: Study, clock: Clock) -> None:
    plain(study, *loaders(study), clock)


def monai(study: Study, clock: Clock) -> None:
    """MONAI's CacheDataset of prepared floats; what is drawn anew comes after the cache."""
    from monai import transforms
    from monai.data import CacheDataset
    from monai.data import DataLoader as MonaiLoader

    plain_ones = [
        transforms.ScaleIntensityRange(0, 255, 0, 1),
        transforms.NormalizeIntensity(subtrahend=MEAN, divisor=STD),
    ]
    shift = SHIFT * study.chosen.size
    moved = [
        transforms.RandFlip(prob=0.5, spatial_axis=1),
        transforms.RandAffine(
            prob=1,
            rotate_range=np.deg2rad(TURN),
            scale_range=(ZOOM, ZOOM),
            translate_range=(shift, shift),
            mode="bilinear",
            padding_mode="zeros",
        ),
    ]
    pictures = torch.from_numpy(study.images.pixels).float()
    parts = []
    for number, part in enumerate((slice(None, study.cut), slice(study.cut, None))):
        chain = transforms.Compose(plain_ones if number else [*plain_ones, *moved])
        cached = CacheDataset(list(pictures[part]), chain, progress=False)
        labels = torch.tensor(study.labels[part])
        parts.append(
            loader(Labelled(cached, labels), study.chosen, shuffle=not number, kind=MonaiLoader)
        )
    plain(study, *parts, clock)


class Labelled(Dataset):
    """A data set's items, each with its label."""

    def __init__(self, data: Dataset, labels: torch.Tensor) -> None:
        self.data, self.labels = data, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.as_tensor(self.data[index]), self.labels[index]


def timm(study: Study, clock: Clock) -> None:
    """timm's train.py: AdamW without decay on biases, cosine with warm-up, averaged weights."""
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2
    from timm.scheduler import create_scheduler_v2
    from timm.utils import ModelEmaV3

    chosen, model = study.chosen, study.model()
    train, val = loaders(study)
    optimizer = create_optimizer_v2(model, opt="adamw", lr=1e-3, weight_decay=0.05)
    scheduler, _ = create_scheduler_v2(optimizer, num_epochs=chosen.epochs, warmup_epochs=1)
    average, criterion = ModelEmaV3(model, decay=0.9), LabelSmoothingCrossEntropy(0.1)
    for epoch in range(chosen.epochs):
        model.train()
        for image, label in train:
            image = image.to(study.device, non_blocking=True)
            optimizer.zero_grad()
            with torch.autocast(study.device.type, torch.bfloat16, chosen.precision == "bf16"):
                logits = model(image.contiguous(memory_format=torch.channels_last))
            criterion(logits.float(), label.to(study.device, non_blocking=True)).backward()
            optimizer.step()
            average.update(model)
        scheduler.step(epoch + 1)
        clock.epoch(judged(study, average.module, val))


WAYS: dict[str, Callable[[Study, Clock], None]] = {
    "foldwise": foldwise,
    "ready": ready,
    "loader": loader_way,
    "monai": monai,
    "timm": timm,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("way", choices=list(WAYS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--network", default="small_cnn")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--kappa", type=float, default=0.8)
    for name, value in (("size", 96), ("images", 256), ("batch", 16), ("epochs", 8)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--free", action="store_true", help="algorithms may hang on timing")
    chosen = parser.parse_args()
    study = make_study(chosen)
    torch.manual_seed(0)
    clock = Clock(chosen.kappa, chosen.device == "cuda")
    WAYS[chosen.way](study, clock)
    print(json.dumps(clock.result(study.cut, -(-study.cut // chosen.batch))))


if __name__ == "__main__":
    main()
