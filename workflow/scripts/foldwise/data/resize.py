"""Resampling by the exact mean over each output pixel's area, as two small sparse products."""

from functools import lru_cache

import numpy as np
import scipy.sparse


@lru_cache(maxsize=64)
def area_weights(length: int, out: int, start: float, stop: float) -> scipy.sparse.csr_matrix:
    """Weights (out, length) float32 that map `length` samples onto `out` cells of [start, stop].

    Sample k covers [k, k + 1]. A cell's value is the mean over its interval; where a cell is
    narrower than a sample, linear interpolation between sample centres. Rows sum to 1; what lies
    outside the samples counts as the nearest one.
    """
    edges = np.linspace(start, stop, out + 1)
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
    columns = np.clip(samples, 0, length - 1)
    shape = (len(first), length)
    return scipy.sparse.csr_matrix((values, (rows, columns)), shape, dtype=np.float32)


def resample(
    values: np.ndarray, box: tuple[float, float, float, float], rows: int, columns: int
) -> np.ndarray:
    """The part `box` = (top, bottom, left, right) of (H, W[, C]) values as (rows, columns[, C])."""
    top, bottom, left, right = box
    down = area_weights(values.shape[0], rows, top, bottom)
    across = area_weights(values.shape[1], columns, left, right)
    if values.ndim == 3:
        planes = [resample(values[..., c], box, rows, columns) for c in range(values.shape[2])]
        return np.stack(planes, -1)
    tall = down @ values
    return np.ascontiguousarray((across @ np.ascontiguousarray(tall.T)).T)
