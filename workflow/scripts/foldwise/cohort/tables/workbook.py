"""A sheet of an .xlsx workbook as rows of text, as its author sees it.

Numbers are without the `.0` that a spreadsheet's own format adds, dates are ISO. A cell that shows
nothing certain (a formula that was never computed, an error, a part of a merged cell) is refused
with its place. Hidden rows and columns are rows and columns.
"""

import datetime
import re
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from foldwise.errors import FoldwiseError, choose, plural

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# An id of a fixed number of digits, such as 0004711, is a number that is shown with zeros.
ZEROS = re.compile("0{2,}")
# What a spreadsheet keeps of a number; the digits behind are of its binary form.
DIGITS = 15

Record = tuple[int, list[str]]


def is_workbook(data: bytes) -> bool:
    """Whether a file that begins with `data` is a spreadsheet of any kind."""
    return data.startswith((ZIP, OLE))


def records_of(path: Path, sheet: str | None) -> list[Record]:
    """Rows of a sheet with their numbers, cells as text; `sheet` None takes the first visible one.

    Raises FoldwiseError for another kind of spreadsheet, an unknown sheet and a cell that shows
    nothing certain.
    """
    _check_kind(path)
    shown, typed = _sheets(path, sheet)
    merged = [str(area) for area in typed.merged_cells.ranges]
    if merged:
        raise FoldwiseError(
            f"{path}, sheet '{typed.title}': {plural(len(merged), 'merged cell')}, the first at "
            f"{min(merged)}. A table has one cell for each row and column: unmerge them, and write "
            "one line of names above the rows."
        )
    return [
        (
            number,
            [_text(path, value, source) for value, source in zip(values, sources, strict=True)],
        )
        for number, (values, sources) in enumerate(zip(shown.rows, typed.rows, strict=True), 1)
    ]


def _check_kind(path: Path) -> None:
    """Raise FoldwiseError for a spreadsheet of another kind than .xlsx."""
    with path.open("rb") as stream:
        old = stream.read(len(OLE)) == OLE
    if old or "xl/workbook.xml" not in _names(path):
        kind = "an old .xls or behind a password" if old else "an .ods or some other zip file"
        raise FoldwiseError(
            f"{path} is a spreadsheet that is not read here: {kind}. Save it as .xlsx, without a "
            "password, or as CSV, and name that."
        )


def _names(path: Path) -> list[str]:
    try:
        with ZipFile(path) as packed:
            return packed.namelist()
    except BadZipFile as error:
        raise FoldwiseError(
            f"{path} is a spreadsheet that cannot be read ({error}). Copy it again, or save it as "
            "CSV and name that."
        ) from error


def _sheets(path: Path, sheet: str | None) -> tuple[Any, Any]:
    """The sheet with what its formulas show, and with what was typed."""
    try:
        # Here, since only a study with such a table needs it.
        from openpyxl import load_workbook
    except ImportError as error:
        raise FoldwiseError(
            f"{path} is a workbook, and openpyxl, which reads it, is not installed where snakemake "
            "runs. Install it (`pip install openpyxl`), or save the table as CSV and name that."
        ) from error
    try:
        books = [load_workbook(path, data_only=only) for only in (True, False)]
    # openpyxl has no error of its own for a part that is missing or damaged.
    except (BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise FoldwiseError(
            f"{path} is a workbook that cannot be read ({error}). Open it and save it again, or "
            "save it as CSV and name that."
        ) from error
    visible = [one.title for one in books[0].worksheets if one.sheet_state == "visible"]
    if sheet is not None:
        choose(sheet, [one.title for one in books[0].worksheets], "sheet", "data.table.sheet")
    name = visible[0] if sheet is None else sheet
    return books[0][name], books[1][name]


def _text(path: Path, cell: Any, source: Any) -> str:
    """What a cell shows. `source`: the same cell with its formula, if it has one."""
    value, place = cell.value, f"{path}, cell {cell.coordinate}"
    if value is None and source.data_type == "f":
        raise FoldwiseError(
            f"{place}: a formula without a value: no spreadsheet program has computed it. Open the "
            "file in one and save it, or put the value in its place."
        )
    # An empty mark of what is not available is the usual one, and read as nothing.
    if cell.data_type == "e" and value != "#N/A":
        raise FoldwiseError(f"{place} shows the error {value}. Correct the formula or the cell.")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return "" if value is None else str(value)


def _number(value: float, shown_as: str) -> str:
    whole = float(value).is_integer() and abs(value) < 10**DIGITS
    if not whole:
        return f"{value:.{DIGITS}g}"
    return str(int(value)).zfill(len(shown_as) if ZEROS.fullmatch(shown_as) else 0)
