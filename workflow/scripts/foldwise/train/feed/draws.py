"""Random numbers that depend on what they are for, not on when they are drawn.

Each number is a hash of (stream, content of the sample, counter): so a draw does not change when
other samples are added, batches are cut differently, or training goes on after a stop.
"""

from collections.abc import Sequence

import numpy as np

from foldwise.hashing import stream_seed

# 2^64 over the golden ratio, made odd: the step of SplitMix64's counter.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(bits: np.ndarray) -> np.ndarray:
    """Scramble uint64 values: the finaliser of SplitMix64 (Steele, Lea, Flood 2014, OOPSLA)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def content_keys(contents: Sequence[str]) -> np.ndarray:
    """(N,) uint64 from the first 16 hex digits of each content digest."""
    # 64 bits: should two pictures ever share them, they share their draws and no more.
    return np.array([int(content[:16], 16) for content in contents], dtype=np.uint64)


def uniform(stream: int, keys: np.ndarray, count: int) -> np.ndarray:
    """(N, count) float64 in [0, 1), one row of independent draws for each key (N,) uint64."""
    # The stream is mixed before it meets the key: of two streams that differ in a bit, one would
    # else give a key the draws that the other gives the key without that bit.
    start = mix(keys ^ mix(np.full_like(keys, stream)))
    counters = GOLDEN * np.arange(1, count + 1, dtype=np.uint64)
    # 53 bits are what a float64 holds exactly: 1.0 itself cannot come out by rounding.
    return (mix(start[:, None] + counters) >> np.uint64(11)) * 2.0**-53


def shuffled(seed: int, epoch: int, keys: np.ndarray) -> np.ndarray:
    """(N,) row numbers in the order of one epoch."""
    # Stable: pictures of equal content have equal draws, and keep the order they came in.
    return np.argsort(uniform(stream_seed(seed, "order", epoch), keys, 1)[:, 0], kind="stable")


def weighted(seed: int, epoch: int, weights: np.ndarray) -> np.ndarray:
    """(N,) row numbers drawn with replacement in proportion to `weights` (N,)."""
    # Keyed by place: which row such a draw falls on is not known before it is made.
    places = np.arange(len(weights), dtype=np.uint64)
    points = uniform(stream_seed(seed, "order", epoch), places, 1)[:, 0]
    ends = np.cumsum(weights, dtype=np.float64)
    # A point just below 1 may round up to the sum of all weights, behind the last row.
    return np.minimum(np.searchsorted(ends, points * ends[-1], side="right"), len(weights) - 1)


def occurrence(order: np.ndarray) -> np.ndarray:
    """(N,) how often each entry came before in `order`: a repeated sample gets draws of its own."""
    by_value = np.argsort(order, kind="stable")
    values = order[by_value]
    starts = np.r_[True, values[1:] != values[:-1]]
    within = np.arange(len(order)) - np.maximum.accumulate(
        np.where(starts, np.arange(len(order)), 0)
    )
    seen = np.empty(len(order), dtype=np.int64)
    seen[by_value] = within
    return seen


def one_of(choices: Sequence[int], seed: int, *place: int) -> int:
    """The choice of one batch, for example its image size."""
    if len(choices) == 1:
        return choices[0]
    # 63 bits against a few choices: what the remainder favours is below one part in 10^18.
    return choices[stream_seed(seed, "size", *place) % len(choices)]
