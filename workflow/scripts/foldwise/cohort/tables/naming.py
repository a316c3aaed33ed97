"""How a table calls what an archive holds: paths, bare names, and letters written in two ways.

Standard library only. Unicode writes `é` as one character or as two, and Macs store the latter;
both look alike to whoever types a table.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from foldwise.cohort.tables.labels import canonical
from foldwise.cohort.tables.table import Row, Table


def composed(text: str) -> str:
    """Text with each letter and its accents as one character (Unicode's form NFC)."""
    return unicodedata.normalize("NFC", text)


class Spelling:
    """Names as they are written on the disk, whichever way a table writes them."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        # ASCII has one spelling: large archives need no second table of all their paths.
        self.others = {composed(name): name for name in names if not name.isascii()}

    def of(self, name: str) -> str:
        """The name that is there; `name` itself where there is none."""
        return name if name in self.names else self.others.get(composed(name), name)


class ZeroPadded:
    """Names as they are there, for ids that spreadsheets have taken the zeros before from."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        self.plain: dict[str, list[str]] = defaultdict(list)
        for name in names:
            self.plain[without_zeros(name)].append(name)

    def of(self, text: str) -> str:
        """The name that is there, if one alone is meant; else `text` itself."""
        if text in self.names:
            return text
        meant = self.plain.get(without_zeros(canonical(text)), [])
        return meant[0] if len(meant) == 1 else text

    def several(self, text: str) -> bool:
        """Whether several names differ in nothing but zeros, and none is the text itself."""
        return (
            text not in self.names and len(self.plain.get(without_zeros(canonical(text)), [])) > 1
        )


def without_zeros(text: str) -> str:
    """A number without zeros before it; other text as it is."""
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


def by_name(paths: Iterable[str]) -> dict[str, list[str]]:
    """Path, path without ending, name, name without ending -> files that are called so."""
    called: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        name = PurePosixPath(path).name
        # A set: a file without a folder or an ending would else be counted as several.
        for text in {path, _stem(path), name, _stem(name)}:
            called[composed(text)].append(path)
    return called


def with_paths(table: Table, column: str, called: dict[str, list[str]]) -> Table:
    """The table with a file's path in `column` where one file alone is called as the cell says."""
    return replace(table, rows=tuple(_with_path(row, column, called) for row in table.rows))


def _with_path(row: Row, column: str, called: dict[str, list[str]]) -> Row:
    paths = called.get(composed(row.get(column)), [])
    return Row(row.line, row.cells | {column: paths[0]}) if len(paths) == 1 else row


def several(name: str, called: dict[str, list[str]]) -> bool:
    """Whether several files are called so."""
    return len(called.get(composed(name), [])) > 1


def _stem(path: str) -> str:
    """Without the ending; `.nii.gz` is one."""
    lower = path.lower()
    if lower.endswith(".nii.gz"):
        return path[: -len(".nii.gz")]
    stem, dot, _ = path.rpartition(".")
    return stem if dot else path
