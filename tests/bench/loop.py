"""What the training loop costs: `python tests/bench/loop.py [--size 96] [--images 256]`.

The whole of training a fold (draws, batches, losses, validation, history, saved states) beside a
plain PyTorch loop of the same network, batches and optimiser: once over a DataLoader, once over
batches that lie ready in memory as floats, which have no cost of data at all. Each time in a
process of its own, forked once all is loaded, so that none runs under what another has set. CPU
time, one thread, one run, in rounds of all three; images of the training part a second.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]

from foldwise.train.machine import keep_freed_memory, set_threads  # noqa: E402

set_threads(1)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402

from foldwise.tasks.classification import Classification  # noqa: E402
from foldwise.train import loop  # noqa: E402
from training import CLASSES, NO_AUGMENT, Memory, make_job, make_params, make_rows  # noqa: E402

BATCH, EPOCHS, ROUNDS, MEAN, STD = 16, 8, 5, 0.5, 0.25


class Pictures(Dataset):
    """uint8 pictures as normalised floats, one at a time, as such data sets are mostly written."""

    def __init__(self, pixels: np.ndarray, labels: list[int]) -> None:
        self.pixels, self.labels = torch.from_numpy(pixels), labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return (self.pixels[index].float() / 255 - MEAN) / STD, self.labels[index]


def plain(model: torch.nn.Module, train: Iterable, val: Iterable) -> None:
    """A tutorial's loop, tuned: channels last, a fused optimiser, no gradient to judge."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    for _ in range(EPOCHS):
        model.train()
        for image, label in train:
            optimizer.zero_grad(set_to_none=True)
            image = image.contiguous(memory_format=torch.channels_last)
            torch.nn.functional.cross_entropy(model(image), label).backward()
            optimizer.step()
        model.eval()
        with torch.inference_mode():
            for image, _ in val:
                model(image.contiguous(memory_format=torch.channels_last)).softmax(1).numpy()


def seconds(ways: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """CPU seconds of each way, in rounds of all of them."""
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            rounds[name].append(in_child(work))
    return rounds


def in_child(work: Callable[[], object]) -> float:
    """CPU seconds of one call in a forked process."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime


def ways(size: int, number: int, network: str) -> dict[str, Callable[[], object]]:
    """Ways of training on so many pictures of noise, three quarters of them to learn from."""
    rows, cut = make_rows(number), number * 3 // 4
    pixels = np.random.default_rng(0).integers(0, 256, (number, 1, size, size), dtype=np.uint8)
    params = make_params(
        size,
        training__epochs=EPOCHS,
        training__batch_size=BATCH,
        training__optimizer="adamw",
        training__clip_norm=None,
        training__early_stopping={"patience": None, "min_delta": 0.0},
        model__normalisation=[MEAN, STD],
        model__name=network,
        augment=NO_AUGMENT,
    )
    task = Classification(params["task"])
    labels = [CLASSES.index(row["label"]) for row in rows]
    images = Memory(pixels, [row["content"] for row in rows])

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            loop.train_fold(
                make_job(Path(folder) / "o", params, images, (rows[:cut], rows[cut:]), task)
            )

    def model() -> torch.nn.Module:
        return task.build(params, 1).to(memory_format=torch.channels_last)

    parts = [Pictures(pixels[:cut], labels[:cut]), Pictures(pixels[cut:], labels[cut:])]
    loaders = [DataLoader(part, BATCH, shuffle=part is parts[0]) for part in parts]
    ready = [list(loader) for loader in loaders]

    def kept() -> None:
        keep_freed_memory()
        plain(model(), *ready)

    return {
        "foldwise": ours,
        "DataLoader": lambda: plain(model(), *loaders),
        "no data": lambda: plain(model(), *ready),
        "no data, memory kept": kept,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--network", default="small_cnn")
    chosen = parser.parse_args()
    # Small ones first, here: what they import late is no part of what is measured.
    with patch.object(loop, "keep_freed_memory"):
        for work in list(ways(32, 2 * BATCH, "small_cnn").values())[:-1]:
            work()
    times = seconds(ways(chosen.size, chosen.images, chosen.network))
    for name, spent in times.items():
        # Each against the one of its own round: a busy machine is as busy for both.
        pairs = [other / own for other, own in zip(spent, times["foldwise"], strict=True)]
        speed, ratio = EPOCHS * chosen.images * 3 // 4 / min(spent), statistics.median(pairs)
        print(f"loop  {name:20} {speed:8.0f} images/s, foldwise is {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
