"""Exact percentiles of millions of pixels without sorting or counting all of them."""

import math
from collections.abc import Iterator

import numpy as np

SAMPLE = 1 << 14
CHUNK = 1 << 17  # values at a time: they stay in the processor's cache
MARGIN = 6.0  # standard deviations of a rank in the sample
MOST = 0.2  # larger tails are left to numpy


def percentiles(values: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """As numpy.percentile (linear interpolation); `shares` in 0..100, values finite.

    A regular sample brackets each; the exact one is found among the values beyond its bracket.
    """
    flat = values.reshape(-1)
    # An odd step: an even one would see only some columns of a picture of even width.
    sample = np.sort(flat[:: max(1, flat.size // SAMPLE) | 1])
    brackets = [Bracket(flat.size, sample, share) for share in shares]
    for part in _parts(flat):
        for bracket in brackets:
            bracket.see(part)
    exact = (bracket.value() for bracket in brackets)
    return [
        float(np.percentile(flat, share)) if value is None else value
        for share, value in zip(shares, exact, strict=True)
    ]


def extremes(values: np.ndarray) -> tuple[float, float]:
    """Smallest and largest value, read from memory once."""
    parts = [(part.min(), part.max()) for part in _parts(values.reshape(-1))]
    return min(low for low, _ in parts), max(high for _, high in parts)


def _parts(flat: np.ndarray) -> Iterator[np.ndarray]:
    return (flat[start : start + CHUNK] for start in range(0, flat.size, CHUNK))


class Bracket:
    """Looks for one percentile of `size` values that are shown to it in parts.

    The upper half counts from the largest value, as the lower half does from the smallest.
    """

    def __init__(self, size: int, sample: np.ndarray, share: float) -> None:
        rank = (size - 1) * share / 100
        self.upper, self.between = share > 50, rank % 1
        self.place = size - 1 - math.floor(rank) if self.upper else math.floor(rank)
        part = self.place / size
        spread = MARGIN * math.sqrt(sample.size * part * (1 - part)) + 2
        ends = part * sample.size - spread, part * sample.size + spread + 1
        near, far = (min(max(int(end), 0), sample.size - 1) for end in ends)
        sample = sample[::-1] if self.upper else sample
        self.edge = sample[far]
        # The whole bracket is one value (a black background): counting it is enough.
        self.flat = sample[near] == self.edge
        self.beyond = self.same = 0
        self.tail: list[np.ndarray] = []
        # A sorted tail that is larger costs more than numpy's own way.
        self.tail_left = int(MOST * size) + CHUNK

    def see(self, part: np.ndarray) -> None:
        if self.flat:
            # Nothing is below an unsigned zero, and of a black background a part is enough.
            lowest = not self.upper and part.dtype.kind == "u" and self.edge == 0
            if lowest and self.same > self.place + 1:
                return
            self.same += int(np.count_nonzero(part == self.edge))
            if not lowest:
                outside = part > self.edge if self.upper else part < self.edge
                self.beyond += int(np.count_nonzero(outside))
        elif self.tail_left >= 0:
            kept = part[part >= self.edge if self.upper else part <= self.edge]
            self.tail_left -= kept.size
            self.tail.append(kept)

    def value(self) -> float | None:
        """The percentile; None if the bracket missed it or holds too much."""
        if self.flat:
            inner = self.place - 1 if self.upper else self.place
            covered = self.beyond <= inner and inner + 1 < self.beyond + self.same
            return float(self.edge) if covered else None
        tail = np.concatenate(self.tail)
        if self.tail_left < 0 or tail.size < self.place + 2:
            return None
        first = tail.size - 1 - self.place if self.upper else self.place
        second = min(first + 1, tail.size - 1)
        pair = np.partition(tail, (first, second))[[first, second]].astype(np.float64)
        return float(pair[0] + (pair[1] - pair[0]) * self.between)
