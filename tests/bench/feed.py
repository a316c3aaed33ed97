"""What feeding costs: `python tests/bench/feed.py [--size 512] [--images 64]`.

Prints, in CPU time of one run: data's share of a training step; the feed against MONAI's
PersistentDataset, bare and augmented; two one-thread jobs side by side against one alone.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]

from foldwise.train.machine import set_threads  # noqa: E402

set_threads(1)

import numpy as np  # noqa: E402
import torch  # noqa: E402

from foldwise.tasks.classification import Classification  # noqa: E402
from foldwise.train.feed.augment import Augmentation  # noqa: E402
from foldwise.train.feed.feed import Feed  # noqa: E402
from foldwise.train.feed.pixels import Preparation  # noqa: E402
from training import Memory, make_params, make_rows  # noqa: E402

BATCH = 16
NETWORKS = ("small_cnn", "efficientnet_b0")


def seconds(work: Callable[[], object], times: int) -> float:
    """CPU seconds of one call, the least of three rounds after a first call."""
    work()
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - start) / times)
    return min(rounds)


def make_feed(size: int, count: int, augmented: bool) -> tuple[Feed, Classification, dict]:
    """A feed over noise in memory, with the default augmentation or none."""
    params, rows = make_params(size), make_rows(count)
    pixels = np.random.default_rng(0).integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    images, task = Memory(pixels, [row["content"] for row in rows]), Classification(params["task"])
    strengths = Augmentation(**params["augment"]) if augmented else None
    normalise, cpu = ([0.5], [0.25]), torch.device("cpu")
    feed = Feed(task, images, rows, task.targets(rows), Preparation(normalise, cpu, strengths, 1))
    return feed, task, params


def data_share(name: str, size: int) -> tuple[float, float]:
    """CPU milliseconds an image of a step with `name`, and of its data alone (augmented)."""
    feed, task, params = make_feed(size, BATCH, augmented=True)
    params["model"]["name"] = name
    model = task.build(params, 1).to(memory_format=torch.channels_last).train()
    criterion = task.criterion(params, {"label": feed.targets["label"].numpy()})
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    rows = np.arange(BATCH)

    def step() -> None:
        batch = feed.batch(rows, size, epoch=1)
        optimizer.zero_grad()
        task.loss(model, criterion, batch)["loss"].backward()
        optimizer.step()

    whole = seconds(step, times=2)
    data = seconds(lambda: feed.batch(rows, size, epoch=1), times=20)
    return 1000 * whole / BATCH, 1000 * data / BATCH


def monai_loader(folder: Path, size: int, count: int, augmented: bool) -> Iterator:
    """MONAI's PersistentDataset of the same images as float32, behind torch's loader."""
    from monai import transforms
    from monai.data import DataLoader, PersistentDataset

    random = np.random.default_rng(0)
    sources = [folder / f"{number}.npy" for number in range(count)]
    for path in sources:
        np.save(path, random.integers(0, 256, (1, size, size), dtype=np.uint8))
    chain = [transforms.Lambda(lambda path: torch.from_numpy(np.load(path) / np.float32(255)))]
    if augmented:
        moved = {"prob": 1, "mode": "bilinear", "padding_mode": "zeros"}
        turn, zoom, shift = np.deg2rad(10), 0.1, 0.05 * size
        chain += [
            transforms.RandFlip(prob=0.5, spatial_axis=1),
            transforms.RandAffine(
                rotate_range=turn, scale_range=(zoom, zoom), translate_range=(shift, shift), **moved
            ),
            transforms.RandScaleIntensity(factors=0.1, prob=1),
            transforms.RandShiftIntensity(offsets=0.1, prob=1),
        ]
    chain.append(transforms.NormalizeIntensity(subtrahend=0.5, divisor=0.25))
    data = PersistentDataset(sources, transforms.Compose(chain), cache_dir=folder / "cache")
    return DataLoader(data, batch_size=BATCH, shuffle=True, num_workers=0)


def feed_speed(size: int, count: int, augmented: bool) -> float:
    """Images a CPU second, normalised float32 in the model's layout."""
    feed, _, _ = make_feed(size, count, augmented)
    parts = np.split(np.random.default_rng(0).permutation(count), count // BATCH)
    epoch = 1 if augmented else None
    return count / seconds(lambda: [feed.batch(rows, size, epoch) for rows in parts], times=5)


def gather_speed(size: int, count: int) -> float:
    """Images a CPU second of what a job with a GPU does on its CPU: integers into one buffer."""
    images = make_feed(size, count, augmented=False)[0].pixels.images
    parts = np.split(np.random.default_rng(0).permutation(count), count // BATCH)
    buffer = np.empty((BATCH, *images.shape), images.dtype)
    return count / seconds(lambda: [images.take(rows, buffer) for rows in parts], times=20)


def monai_speed(size: int, count: int, augmented: bool) -> float:
    """Images a CPU second of MONAI, from a warm cache."""
    with tempfile.TemporaryDirectory() as folder:
        loader = monai_loader(Path(folder), size, count, augmented)
        return count / seconds(lambda: [len(batch) for batch in loader], times=1)


def side_by_side(size: int) -> float:
    """Speed of each of two one-thread jobs at once, as a share of one alone."""
    command = [sys.executable, __file__, "--size", str(size), "--job"]

    def wall(jobs: int) -> float:
        started = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(jobs)
        ]
        return max(float(job.communicate()[0]) for job in started)

    return min(wall(1) for _ in range(2)) / min(wall(2) for _ in range(2))


def job(size: int) -> None:
    """Some steps of training; prints their wall seconds, without the imports."""
    torch.manual_seed(0)
    start = time.monotonic()
    for _ in range(3):
        data_share("small_cnn", size)
    print(time.monotonic() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--job", action="store_true", help="one job of the last measurement")
    arguments = parser.parse_args()
    if arguments.job:
        job(arguments.size)
        return
    for size in (256, arguments.size):
        for name in NETWORKS:
            whole, data = data_share(name, size)
            print(
                f"step  {name:16} {size:4}  {whole:8.2f} ms an image, data {data:.3f} ms,"
                f" share {data / whole:.2%}"
            )
    count = arguments.images // BATCH * BATCH
    bare, augmented = (monai_speed(arguments.size, count, kind) for kind in (False, True))
    for told, ours, theirs in (
        ("gathered", gather_speed(arguments.size, count), bare),
        ("bare", feed_speed(arguments.size, count, augmented=False), bare),
        ("augmented", feed_speed(arguments.size, count, augmented=True), augmented),
    ):
        print(f"feed  {told:9} {ours:8.0f} images/s, MONAI {theirs:6.0f}, {ours / theirs:.1f} x")
    print(f"jobs  two at once run at {side_by_side(256):.2f} of the speed of one alone")


if __name__ == "__main__":
    main()
