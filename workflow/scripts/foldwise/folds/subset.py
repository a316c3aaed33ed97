"""A smaller training part, in whole groups."""

import math
from typing import Any

from foldwise.hashing import digest

Rows = list[dict[str, Any]]


def subset(rows: Rows, share: float, seed: int) -> Rows:
    """The rows of a share of the groups, at least one of each stratum: of equal labels, and of
    equal `stratum` where the table names one.

    Groups are ordered by a digest of the seed and their least content, so that a larger share
    holds the smaller one and names of samples decide nothing.
    """
    if share >= 1:
        return rows
    groups: dict[str, list[dict]] = {}
    for row in sorted(rows, key=lambda row: row["content"]):
        groups.setdefault(row["group"], []).append(row)
    columns = [name for name in rows[0] if name.partition("_")[0] in ("label", "stratum")]
    strata: dict[tuple, list[tuple[str, str]]] = {}
    for name, members in groups.items():
        # No generator: a group's place does not change when other groups come or go.
        place = digest([seed, "subset", members[0]["content"]])
        # A group may have several labels, as of two breasts.
        kind = tuple(sorted({tuple(row[column] for column in columns) for row in members}))
        strata.setdefault(kind, []).append((place, name))
    kept = {
        name
        for places in strata.values()
        # Rounded up, and at least one: a rare label must not vanish from the training part.
        for _, name in sorted(places)[: max(1, math.ceil(share * len(places)))]
    }
    return [row for row in rows if row["group"] in kept]
