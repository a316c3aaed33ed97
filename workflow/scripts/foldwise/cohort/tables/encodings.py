"""The text of a table, in whichever encoding it was saved."""

from pathlib import Path

from foldwise.cohort.tables.workbook import is_workbook
from foldwise.errors import FoldwiseError

# Windows-1252 before Latin-1: it refuses some bytes, Latin-1 none.
ENCODINGS = ("utf-8-sig", "windows-1252", "latin-1")


def decoded(path: Path, data: bytes, encoding: str) -> str:
    """Text of a table's bytes; `auto` tries the usual encodings. `path` is for messages.

    Raises FoldwiseError for a spreadsheet, for another encoding than the stated one and for zero
    bytes.
    """
    # Latin-1 would decode it without complaint.
    if is_workbook(data):
        raise FoldwiseError(f"{path} is a spreadsheet, not text. Save it as text and name that.")
    if encoding != "auto":
        return _decode(path, data, encoding)
    # A byte order mark: what Excel's "Unicode text" begins with.
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decode(path, data, "utf-16")
    for one in ENCODINGS:
        try:
            return _clean(path, data.decode(one))
        except UnicodeDecodeError:
            continue
    raise AssertionError("Latin-1 decodes every byte")


def _decode(path: Path, data: bytes, encoding: str) -> str:
    try:
        return _clean(path, data.decode("utf-8-sig" if encoding == "utf-8" else encoding))
    except UnicodeDecodeError as error:
        raise FoldwiseError(
            f"{path} is not {encoding} (byte {error.start}). Set data.table.encoding to auto."
        ) from error


def _clean(path: Path, text: str) -> str:
    if "\0" in text:
        raise FoldwiseError(f"{path} holds zero bytes: it is not text. Save the table as CSV.")
    return text
