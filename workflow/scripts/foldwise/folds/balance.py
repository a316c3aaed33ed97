"""Groups to parts, balanced: greedy from the rarest stratum on, then improved by moves and swaps.

What is made small is Pearson's chi-square of images by part and stratum against their due (share
of the part times total of the stratum), plus the same for the number of groups, plus a penalty for
each class that a part lacks. Deterministic: ties are broken by a digest of seed and content.
"""

import numpy as np

from foldwise.folds.groups import Groups
from foldwise.hashing import digest

# A part without a class is to cost more than any imbalance of counts.
LACK = 10**17
WEIGHT, SHARE = 10**6, 10**3
# Each round lowers the cost, so that it ends by itself; this bounds the time of odd cohorts.
ROUNDS = 50
# Pairs of kinds times columns: beyond it a round takes seconds, and moves alone balance well.
SWAP_LIMIT = 4_000_000


class _Board:
    """Totals of each part and what a change of them costs.

    As the totals of a stratum over all parts are given, Pearson's chi-square differs by a constant
    from the sum of count^2 / (share x total). Its weights are rounded to integers, so that the
    same comes out on every machine.
    """

    def __init__(self, groups: Groups, shares: np.ndarray) -> None:
        ones = np.ones((len(groups.names), 1), np.int64)
        self.vectors = np.concatenate([groups.counts, ones], axis=1)
        self.totals = np.zeros((len(shares), self.vectors.shape[1]), np.int64)
        self.classes = groups.classes
        # At least 1: of a stratum with more images than WEIGHT nothing would count.
        columns = np.maximum(WEIGHT // self.vectors.sum(0), 1)
        rows = np.rint(SHARE / shares).astype(np.int64)
        self.weights = rows[:, None] * columns

    def cost(self, totals: np.ndarray, part: np.ndarray | int) -> np.ndarray:
        """Cost of totals (..., columns) standing in `part` (an index, or one a leading row)."""
        lacking = (totals[..., : self.classes] == 0).sum(-1)
        return (totals**2 * self.weights[part]).sum(-1) + LACK * lacking

    def costs(self) -> np.ndarray:
        """Cost of every part as it stands, (parts,)."""
        return self.cost(self.totals, np.arange(len(self.totals)))

    def gains(self, vector: np.ndarray) -> np.ndarray:
        """Change of cost if `vector` joins each part, (parts,)."""
        return self.cost(self.totals + vector, np.arange(len(self.totals))) - self.costs()


def assign_groups(groups: Groups, shares: np.ndarray, fixed: np.ndarray, seed: int) -> np.ndarray:
    """Part of each group, (groups,); `fixed` holds parts that stay, -1 where free.

    `shares` (parts,) is each part's due share of everything; it sums to 1.
    """
    board, parts = _Board(groups, shares), fixed.copy()
    for group in np.flatnonzero(parts >= 0):
        board.totals[parts[group]] += board.vectors[group]
    free = _order(groups, np.flatnonzero(fixed < 0), seed)
    # Each group meets the parts in an order of its own: ties would else all go to the first part.
    turn = {
        group: np.argsort(
            [digest([seed, groups.contents[group][0], part]) for part in range(len(shares))]
        )
        for group in free
    }
    for group in free:
        gains = board.gains(board.vectors[group])[turn[group]]
        # argmin takes the first of equal gains: `turn` has shuffled them.
        parts[group] = turn[group][int(np.argmin(gains))]
        board.totals[parts[group]] += board.vectors[group]
    for _ in range(ROUNDS):
        if not (_move(board, parts, free) | _swap(board, parts, free)):
            break
    return parts


def _order(groups: Groups, free: np.ndarray, seed: int) -> list[int]:
    """Groups with the rarest class or stratum first, large ones before small, then by digest."""
    rarity = (groups.counts > 0).sum(0).astype(float)
    # Rare ones first, while there is still a choice of parts for them.
    rarest = np.where(groups.counts > 0, rarity, np.inf).min(1)
    size = groups.counts.sum(1)
    return sorted(
        free.tolist(),
        key=lambda one: (rarest[one], -size[one], digest([seed, groups.contents[one][0]], 32)),
    )


def _move(board: _Board, parts: np.ndarray, free: list[int]) -> bool:
    """Move single groups where that lowers the cost; whether any was moved."""
    moved = False
    for group in free:
        vector, old = board.vectors[group], parts[group]
        # Taken out first: staying is then judged like any other place.
        board.totals[old] -= vector
        gains = board.gains(vector)
        best = int(np.argmin(gains))
        if gains[best] < gains[old]:
            parts[group], moved = best, True
        board.totals[parts[group]] += vector
    return moved


def _swap(board: _Board, parts: np.ndarray, free: list[int]) -> bool:
    """Swap two groups of different parts where that lowers the cost most; whether any was.

    Groups with equal counts are interchangeable, so one of each kind and part stands for all.
    """
    kinds: dict[tuple, int] = {}
    for group in free:
        kinds.setdefault((int(parts[group]), *board.vectors[group].tolist()), group)
    chosen = list(kinds.values())
    if len(chosen) ** 2 * board.totals.shape[1] > SWAP_LIMIT:
        return False
    swapped = False
    for one in chosen:
        own, vector = parts[one], board.vectors[one]
        others = np.array([other for other in chosen if parts[other] != own], dtype=int)
        if not len(others):
            continue
        change = board.vectors[others] - vector
        before = board.costs()
        here = board.cost(board.totals[own] + change, int(own)) - before[own]
        there = board.cost(board.totals[parts[others]] - change, parts[others])
        total = here + there - before[parts[others]]
        best = int(np.argmin(total))
        if total[best] < 0:
            other = int(others[best])
            board.totals[own] += change[best]
            board.totals[parts[other]] -= change[best]
            parts[one], parts[other], swapped = parts[other], own, True
    return swapped
