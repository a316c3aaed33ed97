"""Files that are whole or absent: every write goes to a temporary name and is renamed."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foldwise.disk import is_full, no_space
from foldwise.errors import FoldwiseError

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


@contextmanager
def replacing(path: str | Path, size: int | None = None) -> Iterator[Path]:
    """Give a temporary name beside `path`; on leaving without error it becomes `path`.

    A kill at any moment leaves the old file or the new one, never a part of one. `size`: bytes that
    will be written, where they are known. Raises FoldwiseError when there is no room for them.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The ending is kept: numpy and matplotlib choose the format, or add an ending, by it.
    temporary = target.with_name(f".{os.getpid()}.tmp.{target.name}")
    with room_told(target, size):
        try:
            yield temporary
            with open(temporary, "rb") as stream:
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def room_told(target: str | Path, size: int | None = None) -> Iterator[None]:
    """Turn a write to `target` that finds no room into a FoldwiseError with bytes and next step."""
    try:
        yield
    except OSError as error:
        if is_full(error, Path(target).parent):
            raise no_space(target, size) from error
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    content = text.encode()
    with replacing(path, len(content)) as temporary:
        temporary.write_bytes(content)


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values are equal bytes. NaN is refused."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read JSON; a file that is cut short or edited wrongly is named."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise FoldwiseError(
            f"{path} is not valid JSON ({error.msg}, line {error.lineno}). It was cut short or "
            "edited: delete it and run the same command again."
        ) from error


def write_csv(path: str | Path, columns: list[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows under a header; a row with a column that is not named raises ValueError."""
    write_text(path, csv_text(columns, rows))


def csv_text(columns: list[str], rows: Iterable[dict[str, Any]]) -> str:
    """Rows under a header as text of a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Read a CSV that Foldwise itself wrote: UTF-8, comma, header."""
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def private_folder(path: str | Path) -> Path:
    """Make (or tighten) a folder that only its owner can enter, and return it."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    return folder
