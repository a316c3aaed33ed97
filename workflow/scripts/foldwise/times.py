"""Times as a reader says them, and where a driver on a cluster looks for them."""

import os
from contextlib import suppress
from pathlib import Path


def duration(seconds: float) -> str:
    """Seconds as a reader says them: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def show_driver(line: str) -> None:
    """Leave a line for the driver, which shows what each job on the cluster is at.

    `PBSPRO_STATUS` names the file; without it nothing is written.
    """
    path = os.environ.get("PBSPRO_STATUS")
    if path:
        with suppress(OSError):  # a line to look at is no reason for a training to end
            Path(path).write_text(f"{line}\n", encoding="utf-8")
