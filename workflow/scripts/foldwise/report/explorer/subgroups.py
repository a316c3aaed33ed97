"""Values of a study's subgroups as the page's cases bear them: none that shows few patients.

The page lets a reader filter by several columns at once, so that the rule of the section on
subgroups, a number of groups below which a value is not told, holds of each combination of the
study's own columns with view and side here: of what others may know of a patient or a picture
(k-anonymity by suppression of cells: Sweeney 2002, "Achieving k-anonymity privacy protection using
generalization and suppression", doi:10.1142/S021848850200165X). Not of fold, truth and prediction:
nobody else knows the fold and the prediction, and the truth of each case is what the page is to
show, with any filter or none. To hide what a filter leaves would hide nothing, as each case bears
its values.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# One name for both: who has a rare value cannot be told from who has none.
HIDDEN = "rare or unknown"

Row = Mapping[str, str]


def shown_values(
    rows: Sequence[Row],
    values: Sequence[Row],
    judged: Mapping[str, Any],
    taken: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, list[str]], dict[str, dict[str, str]]]:
    """Column -> its values in order, and sample -> column -> value or HIDDEN.

    rows: val_predictions.csv of all folds of a run. values: subgroups.csv of the study. judged:
    subgroups.json of the run, whose `few` values, those hidden for others' sake too, stay hidden.
    taken: of each sample, how its picture was taken, which the page shows as well.
    """
    of_sample = {row["sample"]: row for row in values}
    groups, cells = [row["group"] for row in rows], [taken[row["sample"]] for row in rows]
    levels: dict[str, list[str]] = {}
    for column in judged["columns"]:
        # Columns in the study's order: a rare combination loses the value of its last column.
        name = column["column"]
        shown = {one["level"] for one in column["levels"] if not one["few"]}
        own = [of_sample[row["sample"]].get(name) for row in rows]
        own = [value if value in shown else HIDDEN for value in own]
        own = _without_rare(own, cells, groups, judged["least"])
        order = [one["level"] for one in column["levels"] if one["level"] in own]
        if order and len(set(own)) > 1:
            levels[name] = [*order, *([HIDDEN] if HIDDEN in own else [])]
            cells = [(*cell, value) for cell, value in zip(cells, own, strict=True)]
    own = [cell[len(cell) - len(levels) :] for cell in cells]
    named = [dict(zip(levels, cell, strict=True)) for cell in own]
    return levels, {row["sample"]: one for row, one in zip(rows, named, strict=True)}


def _without_rare(
    own: Sequence[str], cells: Sequence[tuple[str, ...]], groups: Sequence[str], least: int
) -> list[str]:
    """Values, of which those that make parts of fewer groups than `least` of a cell are HIDDEN."""
    shown = list(own)
    for cell in set(cells):
        inside = [i for i, other in enumerate(cells) if other == cell]
        hidden = _to_hide([own[i] for i in inside], [groups[i] for i in inside], least)
        for i in inside:
            shown[i] = HIDDEN if own[i] in hidden else own[i]
    return shown


def _to_hide(own: Sequence[str], groups: Sequence[str], least: int) -> set[str]:
    """Values of one cell that may not be told, and as many more as those need to hide among."""
    having = {value: _groups_of({value}, own, groups) for value in set(own)}
    hidden = {value for value, count in having.items() if count < least or value == HIDDEN}
    # In order of name where two are as rare: the same page on each machine.
    rarest = sorted(set(having) - hidden, key=lambda value: (having[value], value))
    while hidden and rarest and _groups_of(hidden, own, groups) < least:
        hidden.add(rarest.pop(0))
    return hidden


def _groups_of(values: Iterable[str], own: Sequence[str], groups: Sequence[str]) -> int:
    return len({group for value, group in zip(own, groups, strict=True) if value in values})
