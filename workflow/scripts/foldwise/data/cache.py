"""Prepared images as memory-mapped arrays of a few hundred each, written whole or not at all."""

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.data.picture import UnreadableImage
from foldwise.data.prepared import Prepared
from foldwise.errors import FoldwiseError
from foldwise.files import replacing, write_json

Read = Callable[[str], Prepared]


def write_shard(
    read: Read,
    contents: list[str],
    shape: tuple[int, int, int],
    dtype: np.dtype,
    out_npy: str | Path,
    out_json: str | Path,
    workers: int = 1,
) -> list[dict[str, Any]]:
    """Write `out_npy` (N, C, H, W) and `out_json` {"rows": [...]}; return the rows.

    A row is {content, status: "ok" or a reason, pixel_digest, facts}; pixels that could not be
    read stay zero. `read` gives the Prepared image of one content; it must be picklable where
    processes are not forked.
    """
    with replacing(out_npy) as temporary:
        shape = (len(contents), *shape)
        np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape).flush()
        tasks = [(read, temporary, row, content) for row, content in enumerate(contents)]
        rows = _fill_all(tasks, workers)
    write_json(out_json, {"rows": rows, "shape": list(shape), "dtype": np.dtype(dtype).name})
    return rows


def _fill_all(tasks: list[tuple], workers: int) -> list[dict[str, Any]]:
    if workers <= 1:
        return [_fill(*task) for task in tasks]
    rows: list[dict[str, Any] | None] = [None] * len(tasks)
    try:
        with _pool(min(workers, len(tasks) or 1)) as pool:
            for row, future in enumerate([pool.submit(_fill, *task) for task in tasks]):
                rows[row] = future.result()
    except BrokenProcessPool:
        # A decoder has ended its process: find out which picture it was, one by one.
        for row, task in enumerate(tasks):
            rows[row] = rows[row] or _fill_alone(task)
    return rows


def _fill_alone(task: tuple) -> dict[str, Any]:
    try:
        with _pool(1) as pool:
            return pool.submit(_fill, *task).result()
    except BrokenProcessPool:
        return _row(task[3], "decoder_crashed")


def _pool(workers: int) -> ProcessPoolExecutor:
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in methods else "spawn")
    return ProcessPoolExecutor(workers, mp_context=context)


def _fill(read: Read, path: Path, row: int, content: str) -> dict[str, Any]:
    """Decode one content into its row of the array at `path`."""
    try:
        found = read(content)
    except UnreadableImage as error:
        return _row(content, error.reason)
    except MemoryError:
        return _row(content, "out_of_memory")
    np.lib.format.open_memmap(path, mode="r+")[row] = found.pixels
    return _row(content, "ok", found.digest, found.facts)


def _row(content: str, status: str, digest: str = "", facts: dict | None = None) -> dict[str, Any]:
    return {"content": content, "status": status, "pixel_digest": digest, "facts": facts or {}}


class Images:
    """The images of memory-mapped shards, numbered through; no worker processes are needed."""

    def __init__(self, folder: str | Path, shards: Iterable[str]) -> None:
        """Open `<folder>/<shard>.npy` of each shard. Raises FoldwiseError for a missing one."""
        self._names = sorted(set(shards))
        self._shards = [_open(Path(folder, f"{name}.npy")) for name in self._names]
        kinds = {(shard.shape[1:], shard.dtype) for shard in self._shards}
        if len(kinds) != 1:
            raise FoldwiseError(
                f"{folder} holds {len(kinds)} kinds of images where one is expected. Delete the "
                "folder and run the same command again: it is made anew."
            )
        self.shape, self.dtype = kinds.pop()
        self._starts = np.cumsum([0, *(len(shard) for shard in self._shards)])

    @classmethod
    def of(cls, rows: Iterable[dict], folder: str | Path) -> "Images":
        """The shards that cohort rows name in their column `shard`."""
        return cls(folder, {row["shard"] for row in rows})

    def __len__(self) -> int:
        return int(self._starts[-1])

    def places(self, rows: Iterable[dict]) -> np.ndarray:
        """(B,) int64: what to give to `take` for cohort rows (columns shard, row)."""
        starts = dict(zip(self._names, self._starts, strict=False))
        return np.array([starts[row["shard"]] + int(row["row"]) for row in rows], dtype=np.int64)

    def take(self, indices: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Copy images into `out` (B, C, H, W), which is returned."""
        shards = np.searchsorted(self._starts, indices, side="right") - 1
        rows = indices - self._starts[shards]
        for target, shard, row in zip(out, shards.tolist(), rows.tolist(), strict=True):
            target[...] = self._shards[shard][row]
        return out


def _open(path: Path) -> np.ndarray:
    try:
        # A plain array on the map: views of np.memmap cost microseconds each.
        return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    except FileNotFoundError:
        raise FoldwiseError(
            f"{path} is missing: it was deleted after the images were decoded. Run `snakemake` "
            "again: it makes the shard anew."
        ) from None
    except (ValueError, EOFError) as error:
        raise FoldwiseError(
            f"{path} is no cache shard ({error}). Delete it and run `snakemake` again."
        ) from error
