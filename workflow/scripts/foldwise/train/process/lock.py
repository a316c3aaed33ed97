"""One process a fold: a job that a killed run has left behind is waited for, not repeated."""

import logging
import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

from foldwise.files import private_folder
from foldwise.train.process.stop import Stop, Stopped

logger = logging.getLogger("foldwise")

# Seconds without a sign of life after which the other process is no longer waited for: both would
# write the same bytes, each file whole, so that going on costs time alone.
PATIENCE = 600


class FoldLock:
    """The lock of a fold's training: held by a process, gone with it, `<folder>/lock`."""

    def __init__(self, folder: str | Path, stop: Stop) -> None:
        self.folder, self.stop = Path(folder), stop
        self.path = self.folder / "lock"

    def wait(self) -> None:
        """Return once no other process holds the lock. Raises Stopped if asked to leave."""
        private_folder(self.folder)
        # Open until the process ends: closing it would give the lock away.
        self.file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115
        announced = False
        while self._taken() and time.time() - self._sign_of_life() < PATIENCE:
            if not announced:
                logger.info("Another process still trains this fold: waiting for it to end.")
                announced = True
            if self.stop.requested:
                raise Stopped
            time.sleep(0.5)

    def _taken(self) -> bool:
        """Whether another process holds the lock; else this one does, where there are locks."""
        with suppress(ImportError):
            import fcntl

            try:
                fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                return True
            except OSError:
                pass  # a file system without locks
            # When it began, for another process that waits for this one; and where, since the locks
            # of some file systems are seen on their own machine alone.
            self.file.truncate(0)
            self.file.write(socket.gethostname())
            self.file.flush()
            os.utime(self.path)
        return False

    def _sign_of_life(self) -> float:
        """When the other process last saved its state or began."""
        return max(path.stat().st_mtime for path in (self.folder, self.path))


def is_free(folder: str | Path) -> bool:
    """Whether it can be seen that no process trains the fold whose state is in `folder`."""
    try:
        import fcntl

        with open(Path(folder, "lock"), encoding="utf-8") as file:
            # A shared lock asks without a right to write, and is gone when the file is closed.
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return file.read() == socket.gethostname()
    except (ImportError, OSError):
        return False


def forget(folder: str | Path) -> None:
    """Remove the state of a training whose results a later job has read."""
    shutil.rmtree(folder, ignore_errors=True)
