"""Class probabilities of validation predictions, one table for each label of a study."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from foldwise.evaluate.metrics import classification
from foldwise.evaluate.metrics.draws import numbered
from foldwise.evaluate.metrics.heads import classes_of, columns_of
from foldwise.evaluate.metrics.zone_counts import UNKNOWN

Row = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """One label of N samples, each predicted by the fold that had not seen its group.

    labels (N,) integers, probabilities (N, K), fold (N,) and group (N,) integers; `name` is empty
    of the one label of a sample. `prefix` begins the columns of the probabilities in the table.
    """

    name: str
    classes: list[str]
    labels: np.ndarray
    probabilities: np.ndarray
    fold: np.ndarray
    group: np.ndarray
    prefix: str

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(np.unique(self.group))


def parts_of(rows: Sequence[Row], task: Mapping[str, Any]) -> list[Part]:
    """The labels of a study of classes; `task` is params["task"]."""
    return parts_named(rows, classes_of(task))


def parts_named(rows: Sequence[Row], named: Mapping[str, Sequence[str]]) -> list[Part]:
    """The labels of any study whose answers are probabilities; `named`: label -> its classes."""
    group = numbered([row["group"] for row in rows])
    fold = numbered([row["fold"] for row in rows])
    parts = []
    for name, classes in named.items():
        label, prefix = columns_of(name)
        labels, probabilities = classification.arrays(rows, classes, label, prefix)
        parts.append(Part(name, list(classes), labels, probabilities, fold, group, prefix))
    return parts


def zone_parts(rows: Sequence[Row], zones: Sequence[str]) -> list[Part]:
    """Each zone as a label of its own, with "unknown" as a class like the scores."""
    heads_of = {zone: [str(score) for score in range(UNKNOWN + 1)] for zone in zones}
    classes = [*heads_of[zones[0]][:-1], "unknown"]
    return [replace(part, classes=classes) for part in parts_named(rows, heads_of)]


# Parts of a single fold's groups, where there is no other fold to fit on.
WITHIN = 5


def crossed(part: Part) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Masks (N,) of the samples to fit on and of those to judge, by fold; no group is in both.

    Each sample is judged once, by what was fitted to the predictions of the other folds. Where all
    samples are of one fold its groups are taken in turn instead.
    """
    several = len(np.unique(part.fold)) > 1
    # Groups are numbered in the order of the table, which is of content: no draw is needed.
    unit = part.fold if several else part.group % min(WITHIN, part.groups)
    for one in np.unique(unit):
        judged = unit == one
        # A group is in one fold; should a preset list say otherwise it is fitted on by neither.
        fitted = ~judged & ~np.isin(part.group, part.group[judged])
        yield fitted, judged


def few(part: Part, least: int) -> str:
    """Why a part is too small to fit on, with the number that would do; empty where it is not."""
    if not len(part.labels):
        return "There is no prediction."
    if len(np.unique(part.labels)) < 2:
        return "All samples are of one class; it takes two."
    # Groups, not samples: those of one group say much the same.
    sizes = [len(np.unique(part.group[fitted])) for fitted, _ in crossed(part)]
    if min(sizes) < least:
        return (
            f"{min(sizes)} groups remain to fit on when one fold is judged; it takes {least} for a "
            "figure that means something."
        )
    if any(len(np.unique(part.labels[fitted])) < 2 for fitted, _ in crossed(part)):
        return "Outside of one fold all samples are of one class: lower folds.n or merge classes."
    return ""
