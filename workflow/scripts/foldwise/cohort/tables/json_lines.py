"""Tables as JSON lines: one object a line, and cases joined with their pictures.

Standard library only. Nested keys become columns by dotted path (`Description.Caption`).
"""

import json
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError

Record = tuple[int, dict[str, str]]

# Columns that the join of cases and pictures adds.
CASE, PART = "has_case", "split"
PARTS = {"dev": "val"}


def read_lines(path: str | Path) -> list[Record]:
    """Line number and flat cells of each line. FoldwiseError for a line that is no object."""
    records = []
    # utf-8-sig: editors on Windows put a mark before the first brace.
    text = Path(path).read_text(encoding="utf-8-sig", errors="strict")
    # Not str.splitlines, which also splits at characters that a text may hold.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            records.append((number, flat(_object(path, number, line))))
    return records


def _object(path: str | Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise FoldwiseError(
            f"{path}, line {number}, character {error.colno}: not valid JSON ({error.msg}). Each "
            "line is one object; mend or delete it."
        ) from error
    if not isinstance(value, dict):
        raise FoldwiseError(f"{path}, line {number}: no object. Each line is `{{...}}`.")
    return value


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Cells by dotted path; null is empty, a list is joined by blanks."""
    cells: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            cells |= flat(item, f"{prefix}{key}.")
        elif isinstance(item, list):
            cells[prefix + key] = " ".join(map(str, item))
        else:
            cells[prefix + key] = "" if item is None else str(item).strip()
    return cells


def join_files(folder: str | Path) -> list[tuple[Path, Path]]:
    """Pairs `data_<split>.jsonl`, `descriptions_<split>.jsonl` of a folder, by name.

    Raises FoldwiseError when there is none, or one stands alone.
    """
    folder = Path(folder)
    names = {
        kind: {path.stem.partition("_")[2] for path in folder.glob(f"{kind}_*.jsonl")}
        for kind in ("data", "descriptions")
    }
    unpaired = sorted(names["data"] ^ names["descriptions"])
    if unpaired or not names["data"]:
        fault = f"split '{unpaired[0]}' has one file of the two" if unpaired else "there is none"
        raise FoldwiseError(
            f"{folder}: {fault}. The format medpix reads data_<split>.jsonl (cases) together with "
            "descriptions_<split>.jsonl (pictures): put both there, or correct data.table.path."
        )
    return [
        (folder / f"data_{name}.jsonl", folder / f"descriptions_{name}.jsonl")
        for name in sorted(names["data"])
    ]


def read_cases(folder: str | Path) -> list[Record]:
    """One record a picture, with its case's cells (joined on `U_id`), `split` and `has_case`.

    Lines are counted through all files of pictures in their order by name.
    """
    records: list[Record] = []
    for cases_file, pictures_file in join_files(folder):
        part = cases_file.stem.partition("_")[2]
        cases = {cells.get("U_id"): cells for _, cells in read_lines(cases_file)}
        before = records[-1][0] if records else 0
        for number, cells in read_lines(pictures_file):
            case = cases.get(cells.get("U_id"))
            more = {CASE: "" if case is None else "yes", PART: PARTS.get(part, part)}
            # A picture's own cells win over its case's.
            records.append((before + number, (case or {}) | cells | more))
    return records
