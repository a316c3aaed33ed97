"""Room on a disk: what is needed, what is free, and the one message when it does not fit.

Standard library only: the checks at the start of a run ask this too.
"""

import errno
import os
import shutil
from pathlib import Path

from foldwise.errors import FoldwiseError

# Disk full, quota used up, and a file larger than the file system or `ulimit -f` allows.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# With less than a megabyte left, an error without a number is taken for one of room.
LITTLE = 1 << 20
UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


def amount(size: int) -> str:
    """`3.2 GB (3,435,973,836 bytes)`."""
    short = next((f"{size / unit:.1f} {name}" for unit, name in UNITS if size >= unit), "")
    return f"{short} ({size:,} bytes)" if short else f"{size} bytes"


def free_bytes(folder: str | Path) -> int:
    """Bytes free for this user where `folder` is or will be. A quota of its own is not seen."""
    # The folder itself need not be there yet: its disk is that of the first one above that is.
    place = Path(os.path.abspath(folder))
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def is_full(error: OSError, folder: str | Path) -> bool:
    """Whether a write below `folder` failed for want of room; numpy's own error bears no number."""
    return error.errno in NO_SPACE or (error.errno is None and free_bytes(folder) < LITTLE)


def require(folder: str | Path, needed: int, what: str, advice: str) -> None:
    """Raise FoldwiseError when `folder` has less than `needed` bytes free for `what`."""
    free = free_bytes(folder)
    if free < needed:
        raise FoldwiseError(
            f"Not enough room in {folder}: {what} need {amount(needed)}, {amount(free)} are free. "
            f"{advice} Then run the same command again: finished files are kept."
        )


def no_space(target: str | Path, needed: int | None = None) -> FoldwiseError:
    """The error of a write to `target` that found no room; `needed` bytes where that is known."""
    wanted = f"it needs {amount(needed)}, " if needed else ""
    return FoldwiseError(
        f"No space left while writing {target}: {wanted}{amount(free_bytes(Path(target).parent))} "
        "are free (a quota or `ulimit -f` may allow less). Free some, or move results/ to a larger "
        "disk and put a link in its place. Then run the same command again: finished files are "
        "kept."
    )
