"""One driver a folder, and a dead driver is told from a living one.

Snakemake's own lock stays behind when a driver is killed and then wants `--unlock`. With `nolock`
(as in the profile) the guard takes that lock itself, so that a run without this plugin is refused
while jobs are on the cluster, and lifts the one that a dead driver left. A library of locks would
not do: filelock's SoftFileLease tells a dead holder by process, machine and sign of life as here,
but its claim ends with its process, while jobs outlive a driver and keep the folder locked, and it
knows nothing of Snakemake's own files, which are what a dead driver leaves behind.
"""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

SILENCE = 300  # seconds without a sign after which a driver on another machine is taken for dead


class Guard:
    """The file that names the driver. Its time is renewed at every poll."""

    def __init__(self, folder: Path, persistence: Any, locked: bool):
        self.path, self.released = folder / "driver.json", False
        self.persistence = persistence
        self.me = {"host": socket.gethostname(), "pid": os.getpid(), "born": born(os.getpid())}
        self.me["locks"] = self.lift_dead()
        with open(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as stream:
            json.dump(self.me, stream)
        self.holds_lock = not locked and hasattr(type(persistence), "lock")
        if self.holds_lock:
            self.take_lock()

    def lift_dead(self) -> list[str]:
        """Remove a dead driver's file and give its lock files; raise when it lives or may live."""
        if not self.path.exists():
            return []
        silent = time.time() - self.path.stat().st_mtime
        try:
            other = json.loads(self.path.read_text())
        except json.JSONDecodeError:  # cut short, or being written just now
            other = {}
        here = other.get("host") == self.me["host"]
        alive = born(other["pid"]) == other["born"] if here else silent < SILENCE
        if alive and not other.get("left"):
            wait = "" if here else f", or wait {SILENCE - silent:.0f} s if it was killed"
            raise WorkflowError(
                f"Another driver works in this folder: process {other.get('pid')} on "
                f"{other.get('host')}, last sign {silent:.0f} s ago. Let it end or stop it{wait}."
            )
        self.path.unlink()
        return other.get("locks", [])

    def take_lock(self) -> None:
        """Take Snakemake's lock, after lifting a dead driver's."""
        folder = Path(self.persistence.path) / "locks"
        for name in self.me["locks"]:
            (folder / name).unlink(missing_ok=True)
        before = set(os.listdir(folder)) if folder.is_dir() else set()
        try:
            self.lock = type(self.persistence).lock(self.persistence)
            self.lock.__enter__()
        except Exception:
            self.path.unlink()
            raise
        self.me["locks"] = sorted(set(os.listdir(folder)) - before)
        self.path.write_text(json.dumps(self.me))

    def beat(self) -> None:
        """Give a sign of life."""
        os.utime(self.path)

    def release(self, jobs_remain: bool) -> None:
        """Stop being the driver. The lock stays where jobs do: only this plugin may go on here."""
        if self.released:
            return
        self.released = True
        if jobs_remain:
            self.path.write_text(json.dumps(self.me | {"left": True}))
            return
        if self.holds_lock:
            type(self.persistence).unlock(self.persistence)
        self.path.unlink()


def born(pid: int) -> int:
    """When a process started, in ticks since boot; 0 when there is none that lives."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    about = stat.rpartition(")")[2].split()
    return 0 if about[0] == "Z" else int(about[19])  # killed, and no parent has asked for it
