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
    of the others the names (`sample`, `group`, `exam`) of the first row stay.
    """
    units: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        units.setdefault(row[by], []).append(row)
    merged = [_merge(members, prefix) for members in units.values()]
    kept = [row for row in merged if row is not None]
    return kept, len(merged) - len(kept)


def _merge(members: list[dict[str, str]], prefix: str) -> dict[str, str] | None:
    first = members[0]
    truth = [name for name in first if name.startswith("label")]
    if any(row[name] != first[name] for row in members for name in truth):
        return None
    merged = {name: first[name] for name in (*KEPT, *truth) if name in first}
    for name in first:
        if name.startswith(prefix):
            # repr of a Python float: nothing is lost on the way through text.
            merged[name] = repr(float(np.mean([float(row[name]) for row in members])))
    return merged


def has_probabilities(rows: Sequence[dict[str, str]], prefix: str = "p_") -> bool:
    """True if the rows hold something that can be averaged."""
    return bool(rows) and any(name.startswith(prefix) for name in rows[0])
