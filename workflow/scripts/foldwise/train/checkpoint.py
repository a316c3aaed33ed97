"""State of a running fold, beside its outputs: whole or absent, and of exactly this run."""

import hashlib
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.files import private_folder
from foldwise.hashing import digest
from foldwise.train.fit import Fit
from foldwise.train.process.lock import FoldLock
from foldwise.train.process.stop import Stop, Stopped
from foldwise.train.sealed import load_sealed, save_sealed

logger = logging.getLogger("foldwise")

# Saving may take this share of the time; between epochs' ends there are at least so many seconds.
# A kill thus costs at most 100 times what a save does: seconds for a small network.
SHARE, LEAST_SECONDS = 0.01, 60.0


def run_digest(
    params: dict[str, Any],
    code: str,
    rows: dict[str, list[dict]],
    targets: dict[str, dict[str, np.ndarray]],
) -> str:
    """Digest of all that decides a fold's weights: settings, code, contents and targets by part."""
    # Contents, not samples' names: those are random for each results tree and decide no weight.
    contents = {part: [row["content"] for row in members] for part, members in rows.items()}
    values = {part: arrays_digest(arrays) for part, arrays in targets.items()}
    return digest([params, code, contents, values], 24)


def arrays_digest(arrays: dict[str, np.ndarray]) -> str:
    """Digest of arrays with their names, types and shapes."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        # Equal bytes of another type or shape are other targets: both are part of the digest.
        value = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {value.dtype.str} {value.shape}".encode())
        total.update(value.tobytes())
    return total.hexdigest()[:24]


class Checkpoint:
    """The file `<folder>/<key>.pt`; files there of another key are removed, never read."""

    def __init__(self, folder: str | Path, key: str, stop: Stop) -> None:
        self.folder, self.stop = Path(folder), stop
        self.path = self.folder / f"{key}.pt"
        self.lock = FoldLock(self.folder, stop)
        # Monotonic: a wall clock that is set back would put off every save.
        self.saved, self.cost = time.monotonic(), 0.0

    def restore(self, fit: Fit) -> None:
        """Bring `fit` to the saved position, if there is one of this run.

        Waits for another process that trains the same fold; raises Stopped if asked to leave.
        """
        # Before anything is read: two processes of one fold would remove each other's states.
        self.lock.wait()
        self._remove_others()
        if not self.path.is_file():
            return
        try:
            state = load_sealed(self.path)
        except FoldwiseError:
            # A disk that lost some bits must not cost more than the time of training again.
            logger.info("The saved state cannot be read: starting anew.")
            self.path.unlink()
            return
        # From here on an error is a fault of the code, not of the disk: it is not swallowed.
        fit.restore(state)
        if fit.ended:
            logger.info("Training had ended (%s): its results are written again.", fit.ended)
        else:
            logger.info("Going on after epoch %d, step %d of the next.", fit.epoch, fit.step)

    def _remove_others(self) -> None:
        others = set(self.folder.glob("*")) - {self.path, self.lock.path}
        # What begins with a point is a part of a file, left by a kill while it was written.
        if any(not other.name.startswith(".") for other in others):
            logger.info("State of other settings, data or code is removed: starting anew.")
        for other in others:
            other.unlink()

    def pause(self, fit: Fit, epoch_ended: bool = False) -> None:
        """Called between any two steps: save and leave if asked to, save if it is time to."""
        if self.stop.requested:
            self.save(fit)
            logger.info(
                "%s: saved after epoch %d, step %d of the next. Run the same again to go on.",
                self.stop.requested,
                fit.epoch,
                fit.step,
            )
            # Not a return: for Snakemake a job that returns has made its outputs.
            raise Stopped
        waited = time.monotonic() - self.saved
        # An epoch's end is the cheapest place to go on from: no step of it is lost or repeated.
        wanted = self.cost / SHARE if epoch_ended else max(LEAST_SECONDS, self.cost / SHARE)
        if waited >= wanted:
            self.save(fit)

    def save(self, fit: Fit) -> None:
        """Write the state, whole or not at all."""
        start = time.monotonic()
        private_folder(self.folder)
        save_sealed(self.path, fit.state())
        # Measured anew at each save: a shared disk is as slow as its other users make it.
        self.saved = time.monotonic()
        self.cost = self.saved - start
