"""Groups of a cohort: what is never split, with the counts that folds are balanced by."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from foldwise.errors import FoldwiseError, nearest

CLASS = "label"


@dataclass(frozen=True)
class Groups:
    """Groups in order of their least content, so that neither names nor table decide.

    `counts` (groups, columns) holds images of each class, then of each stratum; the first
    `classes` columns are classes, named in `columns`.
    """

    names: list[str]
    contents: list[list[str]]
    counts: np.ndarray
    columns: list[str]
    classes: int

    def class_groups(self) -> np.ndarray:
        """Number of groups that have each class, (classes,)."""
        return (self.counts[:, : self.classes] > 0).sum(0)

    def totals(self, parts: np.ndarray, number: int) -> np.ndarray:
        """Images by part and column, (parts, columns)."""
        totals = np.zeros((number, self.counts.shape[1]), self.counts.dtype)
        # Not `totals[parts] += ...`, which adds a part that is named twice only once.
        np.add.at(totals, parts, self.counts)
        return totals

    def lacking(self, parts: np.ndarray, number: int) -> list[tuple[int, int]]:
        """Pairs (part, class) without an image."""
        totals = self.totals(parts, number)[:, : self.classes]
        return [(int(part), int(one)) for part, one in zip(*np.nonzero(totals == 0), strict=True)]


def group_rows(rows: list[dict[str, str]], strata: str, bins: int | None) -> Groups:
    """Groups of cohort rows (sample, group, content, label, ...).

    Raises FoldwiseError for a stratum column that is not there or is no number where bins are set.
    """
    contents: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        contents[row["group"]].append(row["content"])
    names = sorted(contents, key=lambda name: min(contents[name]))
    place = {name: number for number, name in enumerate(names)}
    values = [row.get(CLASS, "") for row in rows] if rows and CLASS in rows[0] else []
    if values and strata == CLASS and bins:
        values = _quantiles(values, CLASS, bins)  # A label that is a number has no classes.
    classes = sorted(set(values))
    blocks = [_counts(rows, place, values, classes)] if classes else []
    # Where classes are the strata they are counted once, or they would weigh double.
    other = strata_of(rows, strata, bins) if strata != CLASS or not classes else []
    kinds = sorted(set(other))
    if kinds:
        blocks.append(_counts(rows, place, other, kinds))
    columns = [*classes, *kinds]
    contents_of = [sorted(contents[name]) for name in names]
    return Groups(names, contents_of, np.concatenate(blocks, axis=1), columns, len(classes))


def _counts(
    rows: list[dict[str, str]], place: dict[str, int], values: list[str], kinds: list[str]
) -> np.ndarray:
    counts = np.zeros((len(place), len(kinds)), np.int64)
    column = {kind: number for number, kind in enumerate(kinds)}
    for row, value in zip(rows, values, strict=True):
        counts[place[row["group"]], column[value]] += 1
    return counts


def strata_of(rows: list[dict[str, str]], strata: str, bins: int | None) -> list[str]:
    """Stratum of each row: a column's text, or its quantile (1..bins) where bins are set."""
    if strata == "none" or not rows:
        return ["all"] * len(rows)
    if strata == CLASS and CLASS not in rows[0]:
        # Of several labels their combination; none where the label is no class.
        several = [name for name in rows[0] if name.startswith(f"{CLASS}_")]
        return [" / ".join(row[name] for name in several) or "all" for row in rows]
    if strata not in rows[0]:
        raise FoldwiseError(
            f"folds.strata: cohort.csv has no column '{strata}'.{nearest(strata, rows[0])} "
            f"Columns there: {', '.join(rows[0])}, or none."
        )
    texts = [row[strata] for row in rows]
    return _quantiles(texts, strata, bins) if bins else texts


def _quantiles(texts: list[str], column: str, bins: int) -> list[str]:
    try:
        values = np.array([float(text) for text in texts])
    except ValueError as error:
        raise FoldwiseError(
            f"folds.strata: column '{column}' holds text; folds.bins cuts numbers. Leave out bins."
        ) from error
    # Values themselves as edges: nothing is interpolated, so nothing is rounded.
    edges = np.sort(values)[[len(values) * number // bins for number in range(1, bins)]]
    return [str(number + 1) for number in np.searchsorted(edges, values, side="right")]


def balance_of(rows: list[dict[str, str]], folds: list[str]) -> dict[str, Any]:
    """Groups, images and class shares of each fold, and how far they are from even.

    `group_deviation` is the largest |groups - mean| / mean over the folds, `class_deviation` the
    largest difference of a class's share in a fold from its share in all folds together.
    """
    table = {}
    # Padded: as text 10 would stand before 2.
    for fold in sorted(set(folds), key=lambda name: (not name.isdigit(), name.zfill(3))):
        own = [row for row, of in zip(rows, folds, strict=True) if of == fold]
        labels = [row[CLASS] for row in own if CLASS in row]
        table[fold] = {
            "groups": len({row["group"] for row in own}),
            "images": len(own),
            "classes": {name: labels.count(name) for name in sorted(set(labels))},
        }
    numbered = [part for fold, part in table.items() if fold.isdigit()]
    return {"folds": table} | _deviations(numbered)


def _deviations(parts: list[dict[str, Any]]) -> dict[str, float]:
    groups = np.array([part["groups"] for part in parts], float)
    names = sorted({name for part in parts for name in part["classes"]})
    counts = np.array([[part["classes"].get(name, 0) for name in names] for part in parts], float)
    deviations = {"group_deviation": float(np.abs(groups / groups.mean() - 1).max())}
    if names:
        shares = counts / counts.sum(1, keepdims=True)
        overall = counts.sum(0) / counts.sum()
        deviations["class_deviation"] = float(np.abs(shares - overall).max())
    return deviations
