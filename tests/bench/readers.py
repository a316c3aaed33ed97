"""The second reading: images of the cache against pictures that MONAI has kept."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from foldwise.pixels.cache import Images, write_shard
from foldwise.pixels.prepared import Prepared

BATCH = 32


def rate(work: Callable[[], int], repeats: int) -> float:
    """Images a CPU second, best of several."""
    best = 0.0
    for _ in range(repeats):
        start = time.process_time()
        count = work()
        best = max(best, count / max(time.process_time() - start, 1e-9))
    return best


def made(content: str, side: int) -> Prepared:
    pixels = np.random.default_rng(int(content)).integers(0, 256, (1, side, side), dtype=np.uint8)
    return Prepared(pixels, content)


def shards_of(folder: Path, side: int, images: int) -> Images:
    """Shards of 256 images each."""
    names = []
    for start in range(0, images, 256):
        contents = [str(number) for number in range(start, min(images, start + 256))]
        names.append(f"{start:06}")
        outs = folder / f"{names[-1]}.npy", folder / f"{names[-1]}.json"
        write_shard(lambda name: made(name, side), contents, (1, side, side), np.uint8, outs)
    return Images(folder, names)


def feed(images: Images, order: np.ndarray, out: np.ndarray) -> int:
    for start in range(0, len(order) - len(out) + 1, len(out)):
        images.take(order[start : start + len(out)], out)
    return len(order) // len(out) * len(out)


def copy(source: np.ndarray, order: np.ndarray, out: np.ndarray) -> int:
    """The same from plain memory: numpy's gather of rows."""
    for start in range(0, len(order) - len(out) + 1, len(out)):
        np.take(source, order[start : start + len(out)], axis=0, out=out, mode="clip")
    return len(order) // len(out) * len(out)


def persistent(folder: Path, side: int, images: int, repeats: int) -> float:
    """MONAI's PersistentDataset, warm: a float32 tensor file a picture, batches collated."""
    import torch
    from monai.data import DataLoader, PersistentDataset

    torch.set_num_threads(1)

    def load(number: int) -> torch.Tensor:
        return torch.from_numpy(made(str(number), side).pixels).float() / 255

    data = PersistentDataset(list(range(images)), load, cache_dir=folder / "monai")
    loader = DataLoader(data, batch_size=BATCH, shuffle=False, num_workers=0)

    def once() -> int:
        return sum(len(batch) for batch in loader)

    once()
    return rate(once, max(2, repeats // 2))


def cold(folder: Path, order: np.ndarray) -> tuple[float, float]:
    """MB/s of wall time from the disk: all images in their order, and the bare files.

    Best of five each, in turn: disks are shared.
    """
    paths = sorted(folder.glob("*.npy"))
    runs = [(mapped_once(paths, order), bare_once(paths)) for _ in range(5)]
    return max(mapped for mapped, _ in runs), max(bare for _, bare in runs)


def mapped_once(paths: list[Path], order: np.ndarray) -> float:
    drop(paths)
    cache = Images(paths[0].parent, [path.stem for path in paths])
    out = np.empty((BATCH, *cache.shape), cache.dtype)
    start = time.perf_counter()
    count = feed(cache, np.sort(order), out)
    return count * out[0].nbytes / (time.perf_counter() - start) / 1e6


def bare_once(paths: list[Path]) -> float:
    drop(paths)
    start = time.perf_counter()
    for path in paths:
        with open(path, "rb", buffering=0) as stream:
            while stream.read(1 << 22):
                pass
    return sum(path.stat().st_size for path in paths) / (time.perf_counter() - start) / 1e6


def drop(paths: list[Path]) -> None:
    """Ask the system to forget the files' pages; pages that are mapped stay."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def compare_readers(folder: Path, side: int, images: int, repeats: int) -> None:
    """Print images a second of shuffled batches, and the cold read."""
    order = np.random.default_rng(0).permutation(images)
    ours, memory = warm(shards_of(folder / "cache", side, images), order, repeats)
    first = first_reading(folder / "cache", order)
    kept = persistent(folder, side, min(images, 256), repeats)
    print(f"Second reading, {side} x {side} uint8, shuffled batches of {BATCH}: images a CPU s")
    print(f"cache {ours:9.0f}   memory copy {memory:9.0f}   PersistentDataset {kept:9.0f}")
    print(f"first reading, compared with checksums: {first:.0f}, {ours / first:.1f} times less")
    print(f"cache / memory copy {ours / memory:.2f} (>= .65)")
    print(f"cache / PersistentDataset {ours / kept:.0f} (>= 40)")
    mapped, bare = cold(folder / "cache", order)
    print(
        f"cold, in order: {mapped:.0f} of the disk's {bare:.0f} MB/s: {mapped / bare:.2f} (>= .8)"
    )


def first_reading(folder: Path, order: np.ndarray) -> float:
    """Images a CPU second of the epoch in which each is compared with its checksum, warm."""
    cache = Images(folder, [path.stem for path in sorted(folder.glob("*.npy"))])
    out = np.empty((BATCH, *cache.shape), cache.dtype)
    return rate(lambda: feed(cache, order, out), 1)


def warm(cache: Images, order: np.ndarray, repeats: int) -> tuple[float, float]:
    """Images a CPU second from the cache, and from one array in memory."""
    out = np.empty((BATCH, *cache.shape), cache.dtype)
    source = np.empty((len(order), *cache.shape), cache.dtype)
    cache.take(np.arange(len(order)), source)
    ours = rate(lambda: feed(cache, order, out), repeats)
    return ours, rate(lambda: copy(source, order, out), repeats)
