"""What must hold of folds before anything is trained on them."""

from collections import defaultdict

import numpy as np

from foldwise.errors import FoldwiseError, plural
from foldwise.folds.groups import Groups
from foldwise.settings.folds import HOLDOUT, FoldSettings


def fold_parts(folds: list[str], number: str) -> list[str]:
    """Part of each sample in one fold: val, holdout, or train."""
    names = {number: "val", HOLDOUT: HOLDOUT}
    return [names.get(fold, "train") for fold in folds]


def check_possible(groups: Groups, names: list[str], settings: FoldSettings) -> None:
    """Raise FoldwiseError when there are too few groups, or too few of one class, for the parts."""
    if len(groups.names) < len(names):
        raise FoldwiseError(
            f"{plural(len(groups.names), settings.unit)} cannot fill {_parts(settings)}. Lower "
            f"folds.n (now {settings.n}) in {settings.where}, or add {settings.unit}s."
        )
    for column, number in enumerate(groups.class_groups()):
        if number < len(names):
            raise _too_few(names[number], groups.columns[column], int(number), settings)


def _parts(settings: FoldSettings) -> str:
    folds = f"{settings.n} folds" if settings.n > 1 else "a training and a validation part"
    return f"{folds}{' and a holdout' if settings.holdout else ''}"


def _too_few(fold: str, name: str, number: int, settings: FoldSettings) -> FoldwiseError:
    also = " or drop folds.holdout," if settings.holdout else ""
    numbered = f"Fold {fold}" if fold.isdigit() else "The training part"
    place = "The holdout" if fold == HOLDOUT else numbered
    have = f"{plural(number, settings.unit)} {'has' if number == 1 else 'have'} it"
    if number == 1:
        # No number of folds puts one patient on both sides.
        return FoldwiseError(
            f"{place} has no sample of class {name}: only {have}, and a class needs "
            f"{settings.n + bool(settings.holdout)}. Fewer folds do not help. Merge the class in "
            f"data.classes.mapping, or leave it out (data.classes.drop) in {settings.where}."
        )
    # Enough of them, but they bring images of other classes along.
    why = (
        f"only {have}"
        if number < len(settings.shares)
        else (f"{have}, and no way was found to give each fold one and all other classes too")
    )
    less = f"Lower folds.n (now {settings.n})" if settings.n > 1 else "Correct data.classes"
    return FoldwiseError(
        f"{place} has no sample of class {name}: {why}. {less} in "
        f"{settings.where},{also} or merge the class in data.classes.mapping."
    )


def check_classes(
    groups: Groups, parts: np.ndarray, names: list[str], settings: FoldSettings
) -> None:
    """Raise FoldwiseError when a part is empty or lacks a class despite enough groups."""
    lacking = groups.lacking(parts, len(names))
    if lacking:
        part, column = lacking[0]
        number = int(groups.class_groups()[column])
        raise _too_few(names[part], groups.columns[column], number, settings)
    empty = sorted(set(range(len(names))) - set(parts.tolist()))
    if empty:
        fault = f"Fold {names[empty[0]]} is empty. Lower folds.n (now {settings.n})"
        raise FoldwiseError(f"{fault} in {settings.where}.")


def assert_no_leak(fold: list[dict[str, str]], cohort: list[dict[str, str]]) -> None:
    """Raise FoldwiseError if a group, or a picture, stands in two parts of a fold.

    `fold` rows hold sample and part, `cohort` rows sample, group, content and pixels. A sample of
    the cohort that the fold lacks, one it has twice and an unknown one are errors too.
    """
    about = {row["sample"]: row for row in cohort}
    samples = [row["sample"] for row in fold]
    if len(set(samples)) < len(samples) or set(samples) != set(about):
        raise FoldwiseError(
            f"Leak audit: a fold of {len(samples)} samples does not fit a cohort of {len(about)}. "
            "Delete the study's folds folder and run again."
        )
    # Pixels too: one picture may be filed twice, in other files and under other patients.
    for what in ("group", "content", "pixels"):
        folds_of: dict[str, set[str]] = defaultdict(set)
        for row in fold:
            # Before decoding there are no pixels to compare.
            if about[row["sample"]].get(what):
                folds_of[about[row["sample"]][what]].add(row["part"])
        torn = sorted(name for name, parts in folds_of.items() if len(parts) > 1)
        if torn:
            parts = " and ".join(sorted(folds_of[torn[0]]))
            raise FoldwiseError(
                f"Leak audit: {len(torn)} {_what(what, len(torn))} in more than one part "
                f"({parts}): {', '.join(torn[:5])}{', ...' if len(torn) > 5 else ''}. Who that is "
                "stands in private/id_map.csv. Put each into one part."
            )


def _what(what: str, number: int) -> str:
    noun = "group" if what == "group" else "picture"
    return f"{noun} stands" if number == 1 else f"{noun}s stand"
