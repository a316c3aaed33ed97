"""Small sums that say NaN where a number does not exist, once or for many draws at once.

`weights` (R, N) says how often each of N samples counts in each of R draws, and the result has
shape (R,); None counts each once, and the result is one number. So a bootstrap is a few matrix
products, and a metric is written once for both.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from scipy.sparse import csr_matrix

from foldwise.metrics import metric_of

Weights = np.ndarray | None
Function = Callable[..., "np.ndarray | float"]


Table = TypeVar("Table")


class ReadOnce(Generic[Table]):
    """Reads rows, and reads the same ones again only after others.

    Value, details and draws of one table of predictions are asked for one after another.
    """

    def __init__(self, read: Callable[[Sequence[dict[str, str]]], Table]) -> None:
        self.read = read
        self.last: tuple[Sequence[dict[str, str]], Table] | None = None

    def __call__(self, rows: Sequence[dict[str, str]]) -> Table:
        if self.last is None or self.last[0] is not rows:
            self.last = rows, self.read(rows)
        return self.last[1]


class Measured(dict[str, Function]):
    """Metrics of one kind of study by their names in the table: a function each."""

    def metric(self, name: str) -> Callable[[Function], Function]:
        """Decorator: the function below gives the metric `name`."""

        def keep(function: Function) -> Function:
            self[name] = function
            return function

        return keep

    def of(self, *given: object) -> dict[str, "np.ndarray | float"]:
        """Every metric of what its functions take."""
        return {name: function(*given) for name, function in self.items()}


def plain(measured: Mapping[str, "np.ndarray | float"]) -> dict[str, Any]:
    """Floats of one set of samples; arrays (R,) of draws stay."""
    return {name: float(v) if np.ndim(v) == 0 else v for name, v in measured.items()}


def ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    """part / whole in float64, NaN where whole is 0, without a warning. Any shape."""
    whole = np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)


def total(values: np.ndarray, weights: Weights = None) -> np.ndarray:
    """Sum over samples of values (N,) or (N, F): () or (F,), and (R,) or (R, F) with weights."""
    return values.sum(axis=0) if weights is None else weights @ values


def cell_sums(
    cells: np.ndarray,
    n_cells: int,
    weights: np.ndarray,
    member: np.ndarray | None = None,
    values: np.ndarray | None = None,
) -> np.ndarray:
    """(n_cells, R) sums of weights, times `values` (N,) where given, over the samples of each cell.

    cells: (N,) integers; member: (N,) column of `weights` that weighs each sample, None: its own.
    """
    member = np.arange(len(cells)) if member is None else member
    # A sparse product reads each row of draws once; a dense one would multiply by zeros mostly.
    values = np.ones(len(cells), weights.dtype) if values is None else values
    table = csr_matrix((values, (cells, member)), shape=(n_cells, weights.shape[1]))
    return table @ np.ascontiguousarray(weights.T)


def mean_defined(values: np.ndarray, weights: Weights = None) -> "np.ndarray | float":
    """Mean over (N,) samples of those that are not NaN; NaN if there is none."""
    values = np.asarray(values, dtype=np.float64)
    there = ~np.isnan(values)
    if weights is not None:
        return ratio(weights @ np.where(there, values, 0), weights @ there)
    defined = values[there]
    return float(defined.mean()) if len(defined) else float("nan")


def mean_over(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis, such as classes, of those that are not NaN; NaN if there is none."""
    return ratio(np.nansum(values, axis=-1), (~np.isnan(values)).sum(axis=-1))


def median_defined(values: np.ndarray, weights: Weights = None) -> "np.ndarray | float":
    """Median over (N,) samples of those that are not NaN; NaN if there is none."""
    there = np.flatnonzero(~np.isnan(values))
    if not len(there):
        return float("nan") if weights is None else np.full(len(weights), np.nan)
    if weights is None:
        return float(np.median(values[there]))
    # Stable, so that equal values are met in one order on any processor.
    order = there[np.argsort(values[there], kind="stable")]
    # Rows of all draws of a sample lie together in memory, and are summed so.
    return _median_of_draws(values[order], weights.T[order])


def _median_of_draws(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Mean of the two middle ones of the drawn values, which are one where their number is odd.

    values: (N,) in order; rows: (N, R) weights.
    """
    # By sums of blocks, then within one: running sums of all would take several times as long.
    size = max(1, math.isqrt(len(rows)))
    blocks = np.add.reduceat(rows, np.arange(0, len(rows), size), axis=0)
    n = blocks.sum(axis=0)
    low, high = (
        values[_first_beyond(rows, blocks, size, place)] for place in ((n - 1) // 2, n // 2)
    )
    return np.where(n > 0, (low + high) / 2, np.nan)


def _first_beyond(rows: np.ndarray, blocks: np.ndarray, size: int, place: np.ndarray) -> np.ndarray:
    """(R,) first of N `rows` (N, R) by which their running sum is above `place` (R,); 0 if never.

    blocks: sums of `size` rows each.
    """
    upto = np.cumsum(blocks, axis=0)
    block, draw = (upto > place).argmax(axis=0), np.arange(rows.shape[1])
    # A last block that is shorter repeats its last row: what is first is met before.
    within = np.minimum(block * size + np.arange(size)[:, None], len(rows) - 1)
    left = place - (upto - blocks)[block, draw]
    return block * size + (np.cumsum(rows[within, draw], axis=0) > left).argmax(axis=0)


def undefined(measured: Mapping[str, float]) -> dict[str, str]:
    """Metric -> why it has no value, of those that are NaN, as the table of metrics says."""
    return {
        name: metric.undefined if (metric := metric_of(name)) else "not given"
        for name, value in measured.items()
        if np.isnan(value)
    }


def pearson(first: np.ndarray, second: np.ndarray, weights: Weights = None) -> "np.ndarray | float":
    """Pearson's r of two (N,) arrays where neither is NaN; NaN if one of them does not vary."""
    there = np.flatnonzero(~np.isnan(first) & ~np.isnan(second))
    if weights is not None:
        return _pearson_of_draws(first[there], second[there], weights, there)
    first, second = first[there], second[there]
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _pearson_of_draws(
    first: np.ndarray, second: np.ndarray, weights: np.ndarray, member: np.ndarray
) -> np.ndarray:
    if not len(first):
        return np.full(len(weights), np.nan)
    # Around the mean of all samples: sums of squares of far values would lose digits.
    x, y = first - first.mean(), second - second.mean()
    # Zeros for samples that are left out: to choose columns would copy the weights of all draws.
    terms = np.zeros((weights.shape[1], 6))
    terms[member] = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    n, *sums = (weights @ terms).T
    mx, my = ratio(sums[0], n), ratio(sums[1], n)
    xx, yy, xy = sums[2] - n * mx**2, sums[3] - n * my**2, sums[4] - n * mx * my
    varies = _varies(first, weights, member) & _varies(second, weights, member)
    return np.where(varies, ratio(xy, np.sqrt(np.maximum(xx * yy, 0))), np.nan)


def _varies(values: np.ndarray, weights: np.ndarray, member: np.ndarray) -> np.ndarray:
    """(R,) whether the samples of a draw have more than one value: exact, unlike a variance."""
    _, kind = np.unique(values, return_inverse=True)
    drawn = cell_sums(kind, int(kind.max()) + 1, weights, member)
    return drawn.max(axis=0) < drawn.sum(axis=0)
