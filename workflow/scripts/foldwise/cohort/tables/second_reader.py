"""Labels of a second reader of the same images: nothing learns from them, a report compares."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from foldwise.cohort.readers.base import Joined, Matched
from foldwise.cohort.resolve import Item
from foldwise.cohort.tables.labels import CLASS, MISSING, ClassScheme
from foldwise.cohort.tables.table import Table
from foldwise.errors import FoldwiseError, choose

PREFIX = "second_"


def with_second(
    joined: Joined, table: Table, stated: Mapping[str, str], scheme: ClassScheme
) -> Joined:
    """The images with the second reader's labels as cohort columns `second_<label column>`.

    stated: label (of several: its name) or zone -> column of the table. An empty cell is what it
    is for the first reader; a value out of the scheme leaves the label empty. FoldwiseError for a
    label that the study has not, and for a column that is not there.
    """
    if not stated:
        return joined
    table.need({f"second.{label}": column for label, column in stated.items()})
    columns = {_label(name, joined.label_columns): column for name, column in stated.items()}
    unread = [name for name in joined.label_columns if name not in columns]
    if unread:
        raise FoldwiseError(
            f"data.columns.second names no column for {', '.join(unread)}. Name one for each label."
        )
    matched = [
        replace(one, extra=one.extra | _read(one, columns, scheme)) for one in joined.matched
    ]
    named = tuple(PREFIX + column for column in columns)
    return replace(joined, matched=matched, extra_columns=(*joined.extra_columns, *named))


def _label(name: str, classes: tuple[str, ...]) -> str:
    headed = f"label_{name}"
    return headed if headed in classes else choose(name, classes, "label", "data.columns.second")


def _read(one: Matched, columns: dict[str, str], scheme: ClassScheme) -> dict[str, str]:
    row = one.rows[0]
    # A row that scores no zone was not read: it is missing, and not "unknown" in all of them.
    empty = scheme.empty if any(row.get(column) for column in columns.values()) else ""
    read = {}
    for label, column in columns.items():
        outcome = scheme.of_column(label).outcome(row.get(column))
        values = {CLASS: outcome.value, MISSING: empty}
        read[PREFIX + label] = values.get(outcome.kind, "")
    return read


def check_second(items: Sequence[Item], stated: Mapping[str, str]) -> None:
    """FoldwiseError for images of the cohort that the second reader gave no label."""
    usable = [item for item in items if item.usable]
    unread = [
        item
        for item in usable
        if not all(v for k, v in item.matched.extra.items() if k.startswith(PREFIX))
    ]
    if stated and unread:
        line = min(item.matched.rows[0].line for item in unread)
        raise FoldwiseError(
            f"data.columns.second: {len(unread)} of {len(usable)} images have no label of the "
            f"second reader, or one that is none of the study's; the first stands in line {line} "
            "of the table. Correct the table, or leave these images out (data.exclusions)."
        )
