"""Resampling by the exact mean over each output pixel's area, as small sparse products."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import scipy.sparse

from foldwise.pixels.window import Tone, shades

Box = tuple[float, float, float, float]
# Output rows at a time: their input rows stay in the processor's cache.
BLOCK = 16


# Films of one archive have few sizes: their weights are made once.
@lru_cache(maxsize=64)
def area_weights(length: int, out: int, start: float, stop: float) -> scipy.sparse.csr_matrix:
    """Weights (out, length) float32 that map `length` samples onto `out` cells of [start, stop].

    Sample k covers [k, k + 1]. A cell's value is the mean over its interval; where a cell is
    narrower than a sample, linear interpolation between sample centres. Rows sum to 1; what lies
    outside the samples counts as the nearest one.
    """
    edges = np.linspace(start, stop, out + 1)
    # Enlarging: cells that are narrower than a sample have no mean of their own.
    if stop - start >= out:
        return _mean_weights(length, edges)
    centres = np.clip((edges[:-1] + edges[1:]) / 2 - 0.5, 0, length - 1)
    left = np.minimum(centres.astype(int), max(length - 2, 0))
    right = np.minimum(left + 1, length - 1)
    share = (centres - left).astype(np.float32)
    rows = np.repeat(np.arange(out), 2)
    columns = np.stack([left, right], 1).ravel()
    values = np.stack([1 - share, share], 1).ravel()
    return scipy.sparse.csr_matrix((values, (rows, columns)), (out, length), dtype=np.float32)


def _mean_weights(length: int, edges: np.ndarray) -> scipy.sparse.csr_matrix:
    first = np.floor(edges[:-1]).astype(int)
    count = np.ceil(edges[1:]).astype(int) - first
    rows = np.repeat(np.arange(len(first)), count)
    ramp = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    samples = first[rows] + ramp
    overlap = np.minimum(edges[rows + 1], samples + 1) - np.maximum(edges[rows], samples)
    values = overlap / (edges[1] - edges[0])
    # A box of a lower level may reach past the samples by less than one.
    columns = np.clip(samples, 0, length - 1)
    shape = (len(first), length)
    return scipy.sparse.csr_matrix((values, (rows, columns)), shape, dtype=np.float32)


@lru_cache(maxsize=16)
def _blocks(length: int, out: int, start: float, stop: float) -> list[tuple]:
    """The weights cut into blocks: (output rows, input rows, weights of these)."""
    whole, blocks = area_weights(length, out, start, stop), []
    for begin in range(0, out, BLOCK):
        end = min(out, begin + BLOCK)
        part = slice(whole.indptr[begin], whole.indptr[end])
        used = whole.indices[part]
        first, last = int(used.min()), int(used.max()) + 1
        pointers = whole.indptr[begin : end + 1] - whole.indptr[begin]
        data = whole.data[part], used - first, pointers
        weights = scipy.sparse.csr_matrix(data, (end - begin, last - first))
        blocks.append((slice(begin, end), slice(first, last), weights))
    return blocks


def area_mean(
    stored: np.ndarray,
    tone: Tone,
    box: Box,
    rows: int,
    columns: int,
    padding: np.ndarray | None = None,
) -> np.ndarray:
    """Mean grey in 0..1 of each of (rows, columns) cells of `box` (top, bottom, left, right).

    Stored pixels (H, W[, C]) give (rows, columns[, C]) float64. The window's clipping comes
    before the mean: the other order would smear what is clipped. `padding` (H, W) bool is black.
    """
    if stored.ndim == 3:
        planes = [area_mean(plane, tone, box, rows, columns) for plane in _planes(stored)]
        return np.stack(planes, axis=-1)
    across = area_weights(stored.shape[1], columns, *box[2:])
    used = slice(int(across.indices.min()), int(across.indices.max()) + 1)
    across = across[:, used] if used != slice(0, stored.shape[1]) else across
    small = np.empty((columns, rows), np.float32)
    blocks = _blocks(stored.shape[0], rows, *box[:2])
    height = max(down.shape[1] for _, _, down in blocks)
    buffer = np.empty((height, across.shape[1]), np.float32)
    for out_rows, in_rows, down in blocks:
        part = stored[in_rows, used]
        outside = None if padding is None else padding[in_rows, used]
        # Into one buffer: fresh memory for each block costs more than the arithmetic.
        values = shades(part, tone, outside, buffer[: len(part)])
        # Rows first: what is left to be turned for the second product is small then.
        small[:, out_rows] = across @ np.ascontiguousarray((down @ values).T)
    mean = np.ascontiguousarray(small.T, dtype=np.float64)
    # A ramp may follow the mean, as clipping came before it: once a cell and not once a pixel.
    return mean * tone.scale + tone.offset if tone.is_plain(stored) else mean


def _planes(stored: np.ndarray) -> Iterator[np.ndarray]:
    return (stored[..., channel] for channel in range(stored.shape[-1]))
