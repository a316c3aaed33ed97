"""Which of several GPUs a job takes: the one that the fewest jobs of this user hold.

Free memory would not tell: jobs that start together see the same, and to ask for it opens a context
of some hundred megabytes on every GPU. Standard library only.
"""

import fcntl
import itertools
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

# Locks of this process: the kernel lets go of them when it ends, however it ends.
LOCKS: list[int] = []


def places() -> Path:
    """Where the locks of this machine and user lie: not in results/, which machines may share, nor
    in TMPDIR, of which each job of a cluster has its own."""
    root = "/tmp" if os.access("/tmp", os.W_OK) else tempfile.gettempdir()
    return Path(root, f"foldwise-gpus-{os.getuid()}")


def take(names: Sequence[str], folder: Path) -> int:
    """Index of the GPU that this process takes until its end; `names` tell GPUs apart.

    The first lock that is free: the first place of each GPU, then the second of each, and so on.
    """
    # /tmp belongs to all: another user could else take or block this one's locks.
    folder.mkdir(mode=0o700, exist_ok=True)
    for place in itertools.count():
        for index, name in enumerate(names):
            lock = os.open(folder / f"{name}.{place}", os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            # Kept open: closing the file would give the GPU away at once.
            LOCKS.append(lock)
            return index
    raise AssertionError("one of endless places is free")
