"""Which process drives the runs of a folder, so that a killed one leaves no lock behind.

Snakemake locks the folder by files, which outlive a `kill -9` or a power cut and then want
`--unlock`. A driver notes who it is and which lock is its own; the next one lifts that lock if it
can see that the process is dead. Linux only, and only for runs whose jobs are this machine's own:
elsewhere Snakemake's message stands. Standard library only.

The plugin for PBS has a guard of its own (`guard.py` there), and the two are not one. Here no lock
is taken: Snakemake's is looked at, and a process of this machine is asked for. There one is taken,
a sign of life is given at each poll, and a driver on another machine is told from a dead one by its
silence, since jobs outlive it. The plugin is installed alone, and a laptop has no plugin, so that
neither can import the other; `born` stands in both, since psutil gives a process's start by the
wall clock: a correction of that clock would make a living driver look like another process. A
library such as filelock replaces neither: what a killed run leaves behind are Snakemake's own
files, which no other lock lifts, and of another machine a lock of the file system says nothing
where NFS keeps none.
"""

import json
import os
import socket
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.files import write_json


class Driver:
    """The process that runs Snakemake in a folder; `folder` is `.snakemake`."""

    def __init__(self, folder: str | Path = ".snakemake") -> None:
        self.folder, self.path = Path(folder), Path(folder, "driver.json")
        self.before = self._locks()

    def lift(self) -> str:
        """Remove the lock of a driver that is dead; says so, or nothing."""
        try:
            last = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        own = [name for name, time_ns in last["locks"].items() if self.before.get(name) == time_ns]
        # The time of birth too: process numbers are used again after a while.
        if not own or last["place"] != _place() or born(last["pid"]) == last["born"]:
            return ""
        for name in own:
            self.folder.joinpath("locks", name).unlink(missing_ok=True)
        self.before = self._locks()
        return (
            f"The last run in this folder (process {last['pid']}) was killed: its lock is lifted, "
            "and what it had not finished is made again.\n"
        )

    def sign(self) -> None:
        """Note this process and the lock files that are there since it started."""
        # Locks of before belong to another driver: to lift them is not for the next one to decide.
        new = {name: time for name, time in self._locks().items() if name not in self.before}
        pid = os.getpid()
        if new and born(pid):
            me = {"place": _place(), "pid": pid, "born": born(pid), "locks": new}
            write_json(self.path, me)

    def _locks(self) -> dict[str, int]:
        """Lock files and when they were written, ns."""
        return {path.name: path.stat().st_mtime_ns for path in self.folder.glob("locks/*.lock")}


def check_folder(dry_run: bool, folder: str | Path = ".snakemake") -> None:
    """Raise FoldwiseError where Snakemake could not keep its state: it ends in a traceback."""
    place = Path(folder)
    there = place.is_dir()
    if not os.access(place if there else place.parent, os.W_OK) and not (dry_run and there):
        raise FoldwiseError(
            f"{place.parent.absolute()} may not be written: Snakemake keeps its state in {place} "
            "there, and results go to results/. Take a copy of the project to a folder of your "
            "own, or name one that has config/ and may be written with --directory."
        )


def born(pid: int) -> int:
    """When a process started, in ticks since boot; 0 where there is none or it cannot be seen."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    about = stat.rpartition(")")[2].split()
    # In a container without an init the killed process stays in the list, as a zombie.
    return 0 if about[0] == "Z" else int(about[19])


def _place() -> list[str]:
    """Machine, boot and process namespace: only there does a process number mean something."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        boot, namespace = "", ""
    return [socket.gethostname(), boot, namespace]
