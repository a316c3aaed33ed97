"""Predictions of several images put together: one row an exam, or one a patient."""

from collections.abc import Sequence

import numpy as np

# By data.group: the levels above the image, and the column that the rows of one unit share. Where
# exams are the groups nobody knows whose they are, and no figure is one per patient.
LEVELS = {
    "patient": {"exam": "exam", "patient": "group"},
    "accession": {"exam": "group"},
    "image": {"exam": "exam"},
}
KEPT = ("sample", "group", "exam")


def average(
    rows: Sequence[dict[str, str]], by: str, prefix: str = "p_"
) -> tuple[list[dict[str, str]], int]:
    """Mean probabilities of the rows that share the value in column `by`.

    Returns the averaged rows, in order of first appearance (names are random, content order is
    not), and how many units were left out because their images do not carry one and the same
    truth (a patient whose two breasts differ): there is no single answer to compare with.
    Columns that start with `prefix` are averaged, those that start with "label" have to agree,
    of the others the names (`sample`, `group`, `exam`) of the first row stay. Rows of
    which no two share it stay what they are, with all their columns.
    """
    units: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        units.setdefault(row[by], []).append(place)
    if len(units) == len(rows):
        return list(rows), 0  # Each is the mean of itself, and to write 50,000 anew takes seconds.
    truth = [name for name in rows[0] if name.startswith("label")]
    kept = [unit for unit in units.values() if _agree(rows, unit, truth)]
    means = {name: _means(rows, kept, name) for name in rows[0] if name.startswith(prefix)}
    merged = []
    for number, unit in enumerate(kept):
        first = rows[unit[0]]
        row = {name: first[name] for name in (*KEPT, *truth) if name in first}
        # repr of a Python float: nothing is lost on the way through text.
        merged.append(row | {name: repr(values[number]) for name, values in means.items()})
    return merged, len(units) - len(kept)


def _agree(rows: Sequence[dict[str, str]], unit: Sequence[int], truth: Sequence[str]) -> bool:
    first = rows[unit[0]]
    return all(rows[place][name] == first[name] for place in unit[1:] for name in truth)


def _means(
    rows: Sequence[dict[str, str]], units: Sequence[Sequence[int]], name: str
) -> list[float]:
    """Mean of a column over each unit; those of one size at once, since rows may be many."""
    values = np.array([float(row[name]) for row in rows])
    sizes, means = np.array([len(unit) for unit in units]), np.empty(len(units))
    for size in np.unique(sizes):
        of_size = np.flatnonzero(sizes == size)
        means[of_size] = values[[units[number] for number in of_size]].mean(axis=1)
    return means.tolist()


def has_probabilities(rows: Sequence[dict[str, str]], prefix: str = "p_") -> bool:
    """True if the rows hold something that can be averaged."""
    return bool(rows) and any(name.startswith(prefix) for name in rows[0])
