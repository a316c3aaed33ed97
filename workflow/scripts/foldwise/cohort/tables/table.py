"""Tables of labels as they come: separators, workbooks and the known layouts.

Standard library only (workbook.py imports more where a table is one). A cell is text, stripped of
space (also the no-break space of spreadsheets); what a value means is decided elsewhere, by stated
settings.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foldwise.cohort.identity import may_identify
from foldwise.cohort.tables.encodings import decoded
from foldwise.cohort.tables.json_lines import Record, read_cases, read_lines
from foldwise.cohort.tables.workbook import is_workbook, records_of
from foldwise.errors import FoldwiseError, choose, nearest, plural

FORMATS = ("accession", "paths", "feature_s", "folders", "json_lines", "medpix")
SEPARATORS = (",", ";", "\t")
# What people, spreadsheets and pandas write into a cell that has nothing in it.
NOTHING = {"", "-", "na", "n/a", "#na", "#n/a", "<na>", "nan", "-nan", "none", "null"}


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """Where the table is and how it is written; `key` is the setting that messages name.

    Of format `folders` there is no table: `folders` says where its rows come from (folders.py).
    """

    path: str | None = None
    format: str
    encoding: str
    separator: str
    sheet: str | None
    folders: dict[str, Any] | None
    key: str = "data.table.path"

    @classmethod
    def of_images(cls, path: str, **key: str) -> "TableSettings":
        """A table of which nothing is stated: a row an image, how it is written is found out."""
        unstated = {"encoding": "auto", "separator": "auto", "sheet": None, "folders": None}
        return cls(path=path, format="paths", **unstated, **key)


@dataclass(frozen=True)
class Row:
    """One row: its line in the file (from 1, the header's included) and its cells by column."""

    line: int
    cells: dict[str, str]

    def get(self, column: str | None) -> str:
        """Cell of a column, empty where the column is None or absent."""
        return self.cells.get(column, "") if column else ""


@dataclass(frozen=True)
class Table:
    """A table that was read; `ragged` holds the lines whose fields do not fit the header."""

    path: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    ragged: tuple[int, ...] = field(default=())

    def need(self, columns: dict[str, str]) -> None:
        """Raise FoldwiseError for a column of `columns` (role to name) that is not there."""
        for role, name in columns.items():
            if name not in self.columns:
                raise FoldwiseError(
                    f"{self.path}: no column '{name}' (data.columns.{role}).{self.listed(name)}"
                )

    def listed(self, wanted: str = "") -> str:
        """The columns for a message, with the nearest to `wanted`; no cell of a row in their place.

        Without a header the first row stands where names should: it may be of a patient.
        """
        if any(map(may_identify, self.columns)):
            return (
                f" Its first line, of {plural(len(self.columns), 'cell')}, looks like a row and is "
                "not shown. Write the names of the columns above the rows, or correct the name."
            )
        return f"{nearest(wanted, self.columns)} Columns there: {', '.join(self.columns)}."


def read_table(settings: TableSettings) -> Table:
    """Read a table of labels.

    Raises FoldwiseError for a missing, empty or binary file, a repeated or empty column name, and
    a table without rows.
    """
    choose(settings.format, FORMATS, "format", "data.table.format")
    if settings.format in ("json_lines", "medpix"):
        return _of_json(settings)
    data = _bytes(settings)
    if is_workbook(data) and settings.format != "feature_s":
        return _of_records(settings, records_of(Path(settings.path), settings.sheet))
    text = decoded(Path(settings.path), data, settings.encoding)
    # Not str.splitlines, which also splits at characters that a cell may hold.
    lines = re.split("\r\n|\n|\r", text)
    if not any(line.strip() for line in lines):
        raise FoldwiseError(f"{settings.path} is empty ({settings.key}). Put the rows there.")
    table = _alternating(settings, lines) if settings.format == "feature_s" else None
    return table or _separated(settings, lines)


def _of_json(settings: TableSettings) -> Table:
    """A table of JSON lines: its columns are all keys, in order of first appearance."""
    joined, path = settings.format == "medpix", Path(settings.path)
    if not (path.is_dir() if joined else path.is_file()):
        raise FoldwiseError(
            f"No {'folder' if joined else 'table'} at {path} ({settings.key}; relative to the "
            "folder that snakemake is run in). Correct the path, or put it there."
        )
    try:
        records: list[Record] = read_cases(path) if joined else read_lines(path)
    except UnicodeDecodeError as error:
        raise FoldwiseError(f"{path}: not UTF-8 text. Save it as UTF-8.") from error
    if not records:
        raise FoldwiseError(f"{path} is empty ({settings.key}). Put the rows there.")
    columns = tuple(dict.fromkeys(name for _, cells in records for name in cells))
    rows = tuple(
        Row(line, {name: cell(text) for name, text in own.items()}) for line, own in records
    )
    return Table(settings.path, columns, rows)


def _bytes(settings: TableSettings) -> bytes:
    path = Path(settings.path)
    if not path.is_file():
        raise FoldwiseError(
            f"No table at {path} ({settings.key}; relative to the folder that snakemake is run in)."
            " Correct the path, or put the table there."
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise FoldwiseError(
            f"{path} ({settings.key}) cannot be read ({error.strerror}). Ask for the right to read "
            "it, or mount its disk."
        ) from error


def without_na(text: str) -> str:
    """A cell of a name or a text; empty for what says that there is none."""
    return "" if text.lower() in NOTHING else text


def cell(text: str) -> str:
    """A cell without surrounding space."""
    return text.replace("\u00a0", " ").strip()


def _separated(settings: TableSettings, lines: list[str]) -> Table:
    stated = ""
    if lines[0].lower().startswith("sep=") and len(lines[0]) == 5:
        # Excel's own first line. An empty one takes its place, so that line numbers stay right.
        stated, lines = lines[0][4], ["", *lines[1:]]
    separator = settings.separator if settings.separator != "auto" else stated or _guess(lines)
    records = _records(settings, lines, separator)
    # Before anything else is found wrong with what a wrong separator has made of it.
    header: list[str] = next((record for _, record in records if any(map(cell, record))), [])
    if settings.separator != "auto" and len(header) == 1:
        _check_separator(settings, lines)
    return _of_records(settings, records)


def _of_records(settings: TableSettings, records: Sequence[tuple[int, list[str]]]) -> Table:
    """A table of lines and their cells, the header first; empty lines are none."""
    records = [(line, [cell(text) for text in record]) for line, record in records]
    records = [(line, record) for line, record in records if any(record)]
    if not records:
        raise FoldwiseError(f"{settings.path} is empty ({settings.key}). Put the rows there.")
    columns = _header(settings.path, records[0][1])
    rows, ragged = [], []
    for line, record in records[1:]:
        # Empty cells beyond the header come of spreadsheets that fill all rows up to one width.
        if len(record) < len(columns) or any(record[len(columns) :]):
            ragged.append(line)
        else:
            rows.append(Row(line, dict(zip(columns, record, strict=False))))
    if not rows and not ragged:
        raise FoldwiseError(
            f"{settings.path} has a header and no row ({settings.key}). Put the rows there."
        )
    return Table(settings.path, columns, tuple(rows), tuple(ragged))


NAMED = {",": "comma", ";": "semicolon", "\t": "tab"}


def _check_separator(settings: TableSettings, lines: list[str]) -> None:
    """Raise FoldwiseError when the stated separator is not in the header and another one is."""
    better, first = _guess(lines), next(line for line in lines if line.strip())
    if better != settings.separator and better in first:
        raise FoldwiseError(
            f"{settings.path}: data.table.separator is {NAMED[settings.separator]}, by which the "
            f"header is one column; by {NAMED[better]} it has {first.count(better) + 1}. Set it to "
            "auto, or to the one that the file has."
        )


def _records(
    settings: TableSettings, lines: list[str], separator: str
) -> list[tuple[int, list[str]]]:
    reader = csv.reader((line + "\n" for line in lines), delimiter=separator, strict=True)
    try:
        return [(reader.line_num, list(record)) for record in reader]
    except csv.Error as error:
        raise FoldwiseError(
            f"{settings.path}, line {reader.line_num}: quotes do not match ({error}). A quote "
            'within a cell is written twice ("").'
        ) from error


def _guess(lines: list[str]) -> str:
    """Separator whose header has most columns; of equals, the one that most rows agree with."""
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)

    def worth(separator: str) -> tuple[int, int]:
        try:
            records = [
                record
                for record in csv.reader(lines[first : first + 50], delimiter=separator)
                if record
            ]
        except csv.Error:
            return 0, 0  # What is wrong is told, with its line, when the table is read.
        widths = [len(record) for record in records]
        return (widths[0], widths.count(widths[0])) if widths else (0, 0)

    return max(SEPARATORS, key=worth)


def _header(path: str, record: list[str]) -> tuple[str, ...]:
    columns = list(record)
    while columns and not columns[-1]:
        columns.pop()
    repeated = sorted({name for name in columns if name and columns.count(name) > 1})
    if repeated:
        named = ", ".join("a value" if may_identify(name) else repr(name) for name in repeated)
        raise FoldwiseError(
            f"{path}: the header has {named} more than once. Rename the columns so that each name "
            "stands once; if this is a row, write the names above it."
        )
    if "" in columns:
        raise FoldwiseError(f"{path}: column {columns.index('') + 1} has no name. Give it one.")
    return tuple(columns)


def _alternating(settings: TableSettings, lines: list[str]) -> Table:
    """featureS.txt: a line with a file name, then a line with its label."""
    filled = [(number, cell(line)) for number, line in enumerate(lines, 1) if cell(line)]
    if len(filled) % 2:
        raise FoldwiseError(
            f"{settings.path}: {len(filled)} lines; the format feature_s alternates file name and "
            "label, so their number is even. Look for a missing or an extra line."
        )
    rows = []
    for (line, name), (label_line, label) in zip(filled[::2], filled[1::2], strict=True):
        # No label is that long: the lines are off by one, and names would be read as classes.
        if "/" in label or "\\" in label or len(label) > 32:
            raise FoldwiseError(
                f"{settings.path}: line {label_line} should hold a label and looks like a file "
                "name. From there on the lines do not alternate: look for a missing label above."
            )
        rows.append(Row(line, {"image_path": name, "label": label}))
    return Table(settings.path, ("image_path", "label"), tuple(rows))
