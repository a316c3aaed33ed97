"""Draws of patients: every metric of many of them at once, by how often each row counts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# More patients than this and the jackknife leaves out blocks instead: the skewness of a block's
# sum falls with its size just as their number does, so that the acceleration stays the same.
JACKKNIFE_UNITS = 400
# Weights of rows in memory at one time (64 MB): draws are taken in blocks of so many.
WEIGHTS_AT_ONCE = 8_000_000

Statistic = Callable[[np.ndarray | None], dict[str, Any]]


@dataclass(frozen=True)
class Draws:
    """Metrics of all rows, (R,) of draws of patients, and of all patients but one or one block."""

    whole: dict[str, float]
    drawn: dict[str, np.ndarray]
    left_out: dict[str, np.ndarray]
    patients: int


def resample(
    statistic: Statistic,
    groups: Sequence[str],
    seed: int,
    resamples: int = 2000,
    jackknife: bool = True,
) -> Draws:
    """What `bootstrap` draws; nothing where there is one patient, or none."""
    member, whole = numbered(groups), statistic(None)
    patients = int(member.max(initial=-1)) + 1
    if patients < 2:
        # All draws are one and the same set: their spread would be 0, and it is not known.
        return Draws(whole, {}, {}, patients)
    drawn = _in_blocks(statistic, member, _drawn(member, seed, resamples))
    # Only BCa needs it, and it costs up to 400 draws more.
    left_out = _in_blocks(statistic, member, _without(member)) if jackknife else {}
    return Draws(whole, drawn, left_out, patients)


def numbered(groups: Sequence[str]) -> np.ndarray:
    """(N,) number of each row's patient, by first appearance."""
    place: dict[str, int] = {}
    return np.array([place.setdefault(group, len(place)) for group in groups], dtype=np.int64)


def _in_blocks(
    statistic: Statistic, member: np.ndarray, weights: Iterator[np.ndarray]
) -> dict[str, np.ndarray]:
    """Metric -> (R,) of draws that come in blocks of (r, G) weights of patients."""
    # One row a patient, in order: weights of patients are those of rows already.
    one_each = len(member) == member.max() + 1
    # Rows of all draws of a sample lie together: whatever picks samples moves whole rows.
    each = (np.ascontiguousarray(block.T) for block in weights)
    parts = [statistic(rows.T if one_each else rows[member].T) for rows in each]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _block(member: np.ndarray) -> int:
    """How many draws are weighed at once: memory stays the same for any number of rows."""
    return max(1, WEIGHTS_AT_ONCE // len(member))


def _drawn(member: np.ndarray, seed: int, resamples: int) -> Iterator[np.ndarray]:
    """How often each of G patients is drawn, in blocks of (r, G); one stream whatever the block."""
    # One generator for all blocks: their size must not change which patients are drawn.
    random, size = np.random.default_rng(seed), int(member.max()) + 1
    for start in range(0, resamples, _block(member)):
        many = min(_block(member), resamples - start)
        weights = np.empty((many, size))
        # Draw by draw: the numbers and counts of one stay in the processor's cache.
        for row in weights:
            row[:] = np.bincount(random.integers(0, size, size), minlength=size)
        yield weights


def _without(member: np.ndarray) -> Iterator[np.ndarray]:
    """All patients but one, or but one block of them, in blocks of (r, G)."""
    size = int(member.max()) + 1
    parts = np.array_split(np.arange(size), min(size, JACKKNIFE_UNITS))
    for start in range(0, len(parts), _block(member)):
        some = parts[start : start + _block(member)]
        weights = np.ones((len(some), size))
        for row, part in enumerate(some):
            weights[row, part] = 0
        yield weights
