"""Draws from a space that look at no value: uniform, quasi-random, and what is left of it."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.search.space import Space, active, combination_at, rank_of, size

# Combinations that a grid's order may hold in memory.
LISTED = 1_000_000


def draw(space: Space, units: Sequence[float]) -> dict[str, Any]:
    """Parameters at `units` (D,) in [0, 1), one for each of the D parameters of the space.

    A parameter that is off leaves its place unused.
    """
    chosen: dict[str, Any] = {}
    for parameter, unit in zip(space, units, strict=True):
        if active(parameter, chosen):
            chosen[parameter.key] = parameter.from_unit(float(unit))
    return chosen


def draw_sequence(space: Space, sequence: str, index: int, seed: int) -> dict[str, Any]:
    """Point `index` of a scrambled Sobol or Halton sequence, by scipy.stats.qmc."""
    from scipy.stats import qmc

    engine = {"sobol": qmc.Sobol, "halton": qmc.Halton}[sequence]
    # Scrambled by a seed: without it every study would begin in the same corner of its space.
    points = engine(len(space), scramble=True, rng=np.random.default_rng(seed))
    if index:
        points.fast_forward(index)
    return draw(space, points.random(1)[0])


def untried(space: Space, tried: list[dict[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    """A combination that was not tried, drawn evenly from what is left of a finite space."""
    every = size(space)
    # A continuous space is never used up: any draw is as good as new.
    if every is None:
        return draw(space, rng.random(len(space)))
    taken = sorted({rank_of(space, item) for item in tried})
    if len(taken) == every:
        raise FoldwiseError(
            f"All {len(tried)} combinations of search.space were proposed. Lower search.trials or "
            "widen the space."
        )
    # The place among those left, then among all: nothing is listed, however large the space is.
    rank = below(rng, every - len(taken))
    for other in taken:
        rank += other <= rank
    return combination_at(space, rank)


def below(rng: np.random.Generator, limit: int) -> int:
    """A whole number from 0 to `limit` - 1, also beyond 64 bits."""
    if limit < 1 << 63:
        return int(rng.integers(limit))
    # Eight bytes more than needed: what the remainder favours is beyond what anyone could draw.
    return int.from_bytes(rng.bytes((limit.bit_length() + 7) // 8 + 8)) % limit


def shuffled_ranks(rng: np.random.Generator, count: int) -> Iterator[int]:
    """All of 0 to `count` - 1, each once, in an order drawn by `rng`.

    Too many to list are stepped through by a stride that shares no factor with their number, which
    comes by each of them once as well.
    """
    if count <= LISTED:
        yield from map(int, rng.permutation(count))
        return
    first, stride = below(rng, count), below(rng, count)
    # With a common factor the stride would come back to its start before it saw all.
    while math.gcd(stride, count) > 1:
        stride = below(rng, count)
    for step in range(count):
        yield (first + step * stride) % count
