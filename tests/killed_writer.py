"""A process that writes the cohort's lists over and over, to be killed while it does."""

import os
import signal
import time
from pathlib import Path

from foldwise.cohort.shards import read_locations, write_locations
from foldwise.files import read_json, write_json

CONTENTS = 3000  # enough for a write to be met halfway
KEY = "a" * 16


def kill_writer(folder: Path, seconds: float) -> None:
    """Start the process, and kill it after so many seconds."""
    pid = os.fork()
    if not pid:
        write_for_ever(folder)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def write_for_ever(folder: Path) -> None:
    """Locations and a list, over and over, until killed."""
    number = 0
    while True:
        number += 1
        files = {f"{n:032x}": (f"{number}/{n}.dcm",) for n in range(CONTENTS)}
        write_locations(folder, KEY, str(folder), files)
        write_json(folder / "list.json", {"number": number, "files": list(files)})


def is_whole(folder: Path) -> bool:
    """Whether what is there was written to its end."""
    listed = folder / "list.json"
    own = set(read_locations(folder)) <= {KEY}
    return own and (not listed.exists() or len(read_json(listed)["files"]) == CONTENTS)
