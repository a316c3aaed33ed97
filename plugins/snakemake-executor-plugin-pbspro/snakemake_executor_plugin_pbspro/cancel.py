"""Delete jobs, see them gone, and be loud about any that may be left."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from snakemake_executor_plugin_pbspro.commands import NotNow, key
from snakemake_executor_plugin_pbspro.registry import Entry


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """A second Ctrl-C does not stop what the first began."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@without_ctrl_c()
def delete(driver: Any, entries: list[Entry]) -> list[Entry]:
    """Delete jobs, all in one command, and give those that may be left."""
    for entry in entries:
        entry.abandoned = True
        driver.registry.save(entry)
    left, reason = until_gone(driver, entries)
    for entry in entries:
        if entry not in left:
            driver.registry.remove(entry)
    if left:
        ids = " ".join(entry.job_id or entry.name for entry in left)
        driver.logger.error(
            f"NOT CANCELLED, {len(left)} jobs may still run or start: {ids}\n"
            f"PBS: {reason or 'gave no reason'}\nWhen PBS answers again: qdel {ids}"
        )
    elif entries:
        driver.logger.info(f"Deleted {len(entries)} PBS jobs: none is left on the cluster.")
    return left


def until_gone(driver: Any, entries: list[Entry]) -> tuple[list[Entry], str]:
    """Delete again until none is left or patience ends: those left, and what PBS said of them."""
    left, reason, until = entries, "", time.monotonic() + driver.pbs.patience
    while left:
        try:
            ids = list(filter(None, map(driver.locate, left)))
            reason = driver.pbs.delete(ids) if ids else ""
            alive = set(map(key, driver.pbs.jobs()))
            left = [entry for entry in left if key(entry.job_id) in alive]
        except NotNow as error:
            reason = str(error)
        if time.monotonic() > until:
            break
        if left:
            time.sleep(2)
    return left, reason
