"""Files that are whole or absent: every write goes to a temporary name and is renamed.

Temporaries have one form of name, made here; whoever lists a folder asks `listed`, which knows
them, and `sweep` removes those that killed writers left behind.
"""

import csv
import io
import json
import os
import re
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from foldwise.disk import is_full, no_space
from foldwise.errors import FoldwiseError

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
# .<machine>.<process>.<random>.tmp.<name>; earlier versions wrote the process alone.
TEMPORARY = re.compile(r"\.(?:(?P<machine>[0-9a-z-]*)\.)?(?P<pid>\d+)(?:\.[0-9a-f]+)?\.tmp\..+")
# What a spreadsheet takes for a formula, unless it is a number (OWASP, "CSV injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?", re.I)
# A writer on another machine cannot be asked whether it lives; no job writes one file this long.
OLD_SECONDS = 24 * 3600


@contextmanager
def replacing(path: str | Path, size: int | None = None) -> Iterator[Path]:
    """Give a temporary name beside `path`; on leaving without error it becomes `path`.

    A kill at any moment leaves the old file or the new one, never a part of one. `size`: bytes that
    will be written, where they are known. Raises FoldwiseError when there is no room for them.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_of(target)
    with disk_space_errors(target, size):
        try:
            yield temporary
            with open(temporary, "rb") as stream:
                # Before the rename: after a power cut a name could stand on bytes that never came.
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def temporary_of(target: Path) -> Path:
    """A name beside `target` that no other process writes to, on this machine or another."""
    # The ending is kept: numpy and matplotlib choose the format, or add an ending, by it.
    return target.with_name(f".{_machine()}.{os.getpid()}.{secrets.token_hex(3)}.tmp.{target.name}")


def _machine() -> str:
    return re.sub(r"[^0-9a-z-]", "-", socket.gethostname().lower())[:24]


def is_temporary(path: str | Path) -> bool:
    """Whether a name is that of a file which is being written, or was when its writer died."""
    return TEMPORARY.fullmatch(os.path.basename(path)) is not None


def listed(folder: str | Path, pattern: str) -> list[Path]:
    """Files of a folder that match a pattern, sorted; one half written is not there yet."""
    return sorted(path for path in Path(folder).glob(pattern) if not is_temporary(path))


def temporaries(root: str | Path) -> Iterator[Path]:
    """Temporaries of all writers, dead or alive, anywhere below a folder."""
    for folder, _, names in os.walk(root):
        yield from (Path(folder, name) for name in names if is_temporary(name))


def sweep(root: str | Path) -> int:
    """Remove what dead writers left below a folder; returns how many files that were.

    A writer of this machine is dead when its process is gone; of another one, when it wrote
    nothing for a day.
    """
    swept = 0
    for path in temporaries(root):
        with suppress(OSError):  # another run sweeps too, or the folder is only to be read
            if _abandoned(path):
                path.unlink()
                swept += 1
    return swept


def _abandoned(path: Path) -> bool:
    about = TEMPORARY.fullmatch(path.name)
    if about and about["machine"] == _machine() and not os.path.exists(f"/proc/{about['pid']}"):
        # Where there is no /proc nobody is seen to be dead: such files wait for their age.
        return os.path.isdir("/proc/self")
    return time.time() - path.stat().st_mtime > OLD_SECONDS


@contextmanager
def disk_space_errors(target: str | Path, size: int | None = None) -> Iterator[None]:
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


def json_text(value: Any) -> str:
    """JSON with sorted keys, so that equal values are equal text. NaN is refused."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values are equal bytes. NaN is refused."""
    write_text(path, json_text(value))


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
    # The csv module would end lines as Windows does, and digests of files would follow.
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run a cell instead of showing it."""
    # A lone sign is no formula: `-` stands for nothing in many tables.
    return text.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(text) and len(text) > 1


def shown(text: str) -> str:
    """A cell as spreadsheets show it: what they would run gets a quote before it."""
    return f"'{text}" if is_formula(text) else text


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Read a CSV that Foldwise itself wrote: UTF-8, comma, header."""
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def private_folder(path: str | Path) -> Path:
    """Make (or tighten) a folder that only its owner can enter, and return it."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    # Not by `mkdir`, whose mode the umask changes, and which a folder that is there ignores.
    folder.chmod(PRIVATE_FOLDER)
    return folder
