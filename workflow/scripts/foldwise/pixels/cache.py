"""Prepared images as memory-mapped arrays of a few hundred each, written whole or not at all."""

import math
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from foldwise.disk import free_bytes, no_space
from foldwise.errors import FoldwiseError
from foldwise.files import replacing
from foldwise.integrity import checksum, read_sealed, write_sealed
from foldwise.pixels.isolation import Died, Limits, run_isolated
from foldwise.pixels.picture import PASSING, REASONS, UnreadableImage
from foldwise.pixels.prepared import Prepared


@dataclass(frozen=True)
class Crew:
    """How many processes decode, and what each of them may take for a picture."""

    workers: int = 1
    limits: Limits = field(default_factory=Limits)


# Share of a shard above which pictures that are too large are none to be left out.
MANY = 0.1
NOTHING = np.empty(0, np.uint8)
Read = Callable[[str], Prepared]


def write_shard(
    read: Read,
    contents: list[str],
    shape: tuple[int, int, int],
    dtype: np.dtype,
    out: tuple[str | Path, str | Path],
    crew: Crew | None = None,
) -> list[dict[str, Any]]:
    """Write `out`: pixels (N, C, H, W) as .npy and {"rows": [...]} as JSON; return the rows.

    A row is {content, status: "ok" or a reason, pixel_digest, facts, checksum}; pixels that could
    not be read stay zero. `read` gives the Prepared image of one content, in child processes.
    Raises FoldwiseError when there is no room, and for a reason of PASSING: nothing is written.
    """
    # OpenCV's threads, had this process any, would leave the forked ones waiting for ever.
    cv2.setNumThreads(1)
    crew = crew or Crew()
    whole = (len(contents), *shape)
    size = math.prod(whole) * np.dtype(dtype).itemsize
    with replacing(out[0], size) as temporary:
        # Whole from the start and filled by row: processes end in any order, rows stay in theirs.
        np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=whole).flush()
        _reserve(temporary)
        work = partial(_fill, read, temporary)
        results = run_isolated(work, list(enumerate(contents)), crew.workers, crew.limits)
        fates = [_fate(result, temporary, size) for result in results]
        if crew.limits.memory is not None:  # this picture's doing, and not the machine's
            fates = ["too_large" if fate == "out_of_memory" else fate for fate in fates]
        _check_passing(fates)
    # Rows that could not be read have a checksum too: damage to them is found like any other.
    black = checksum(bytes(size // max(len(contents), 1)))
    rows = [_row(content, fate, black) for content, fate in zip(contents, fates, strict=True)]
    # After the pixels: a list that is there never speaks of pixels that are not.
    write_sealed(out[1], {"rows": rows, "shape": list(whole), "dtype": np.dtype(dtype).name})
    return rows


def _reserve(path: Path) -> None:
    """Take the file's room on the disk now: a write to a map that finds none is a SIGBUS."""
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)


def _fill(read: Read, path: Path, task: tuple[int, str]) -> Prepared | str:
    """Decode one content into its row of the array at `path`; a reason if it cannot be."""
    row, content = task
    # OpenCV's threads do not survive a fork: 0 does without them, 1 would wait for them forever.
    cv2.setNumThreads(0)
    try:
        prepared = read(content)
    except UnreadableImage as error:
        return error.reason
    except MemoryError:
        return "out_of_memory"
    # Mapped in the child: pixels reach the file without a pipe to the parent.
    shard = np.lib.format.open_memmap(path, mode="r+")
    pixels = np.ascontiguousarray(prepared.pixels, shard.dtype)
    shard[row] = pixels
    # The checksum is of what was decoded, not of what was read back: a fault of the disk shows.
    return replace(prepared, pixels=NOTHING, checksum=checksum(pixels))


def _fate(result: Prepared | str | Died, path: Path, size: int) -> Prepared | str:
    if not isinstance(result, Died):
        return result
    if result.exit_code == -signal.SIGBUS and free_bytes(path.parent) < size:
        raise no_space(path, size)  # a disk on which room cannot be reserved
    if result.exit_code == -signal.SIGKILL:
        raise FoldwiseError(
            "A process that decoded images was killed from outside, as happens when memory runs "
            "out. Raise mem_mb of rule cache_shard or lower its threads, then run the same "
            "command again."
        )
    return "too_slow" if result.exit_code == -signal.SIGPROF else "decoder_crashed"


def _check_passing(fates: list[Prepared | str]) -> None:
    """Raise FoldwiseError for reasons that may be gone on the next run."""
    large = sum(fate == "too_large" for fate in fates if isinstance(fate, str))
    if large > max(1, len(fates) * MANY):
        raise FoldwiseError(
            f"{large} of {len(fates)} images of this cache shard need more memory than their job "
            "has: they are pictures of this study and no odd ones. Raise mem_mb of rule "
            "cache_shard or lower its threads, then run the same command again."
        )
    passing = Counter(fate for fate in fates if isinstance(fate, str) and fate in PASSING)
    if passing:
        reasons = " ".join(
            f"{number} because {REASONS[reason]}. {PASSING[reason]}"
            for reason, number in sorted(passing.items())
        )
        raise FoldwiseError(
            f"{sum(passing.values())} of {len(fates)} images of this cache shard could not be read "
            f"now: {reasons} Then run the same command again."
        )


def _row(content: str, fate: Prepared | str, black: int) -> dict[str, Any]:
    """`black`: checksum of the row of a picture that could not be read."""
    if isinstance(fate, str):
        fate, status = Prepared(NOTHING, "", {}, black), fate
    else:
        status = "ok"
    return {
        "content": content,
        "status": status,
        "pixel_digest": fate.digest,
        "facts": fate.facts,
        "checksum": fate.checksum,
    }


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
        self._folder = Path(folder)
        rows = [row for name in self._names for row in self._rows_of(name)]
        self._checksums = np.array([row["checksum"] for row in rows], np.uint32)
        whole = np.array([0, self.shape[1], 0, self.shape[2]], np.int64)
        self._inside = np.tile(whole, (len(rows), 1))
        for place, row in enumerate(rows):
            # Noted with `fit: native` alone, and of pictures that could be read.
            if "inside" in row["facts"]:
                self._inside[place] = row["facts"]["inside"]
        # Each image is compared with its checksum when it is first taken: it is read then anyway.
        self._is_checked = np.zeros(len(self), bool)

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
        """Copy images into `out` (B, C, H, W), which is returned.

        Raises FoldwiseError for one that is not what was decoded.
        """
        shards = np.searchsorted(self._starts, indices, side="right") - 1
        rows = indices - self._starts[shards]
        for index in indices[~self._is_checked[indices]].tolist():
            self._check(index)
        for target, shard, row in zip(out, shards.tolist(), rows.tolist(), strict=True):
            # Row by row into memory that stays: a new array a batch costs more than the copy.
            target[...] = self._shards[shard][row]
        return out

    def inside(self, indices: np.ndarray) -> np.ndarray:
        """(B, 4) which part of the square each image fills, as top, bottom, left, right."""
        return self._inside[indices].reshape(-1, 4)

    def damaged(self) -> list[tuple[str, int]]:
        """(shard, row) of each image that is not what was decoded."""
        places = []
        for index in range(len(self)):
            shard, row = self._place(index)
            if checksum(self._shards[shard][row]) != self._checksums[index]:
                places.append((self._names[shard], row))
        return places

    def _place(self, index: int) -> tuple[int, int]:
        shard = int(np.searchsorted(self._starts, index, side="right")) - 1
        return shard, index - int(self._starts[shard])

    def _check(self, index: int) -> None:
        shard, row = self._place(index)
        if checksum(self._shards[shard][row]) != self._checksums[index]:
            raise _damage(self._folder / f"{self._names[shard]}.npy", row)
        self._is_checked[index] = True

    def _rows_of(self, name: str) -> list[dict[str, Any]]:
        rows = read_sealed(self._folder / f"{name}.json")["rows"]
        shard = self._shards[self._names.index(name)]
        if len(rows) != len(shard):
            raise _damage(self._folder / f"{name}.npy", min(len(rows), len(shard)))
        return rows


def _damage(path: Path, row: int) -> FoldwiseError:
    """Put a shard aside that is not what was written, so that the next run makes it anew."""
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return FoldwiseError(
        f"{path} is not what was decoded: row {row} (counted from 0) has other pixels, as after a "
        f"fault of the disk or an edit. It was put aside as {aside.name}. Run the same command "
        "again: it is made anew from the archive. If this comes again, check the disk."
    )


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
