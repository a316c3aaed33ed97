"""Delete jobs, see them gone, and be loud about any that may be left."""

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from snakemake_executor_plugin_pbspro.commands import NotNow, Pbs, key
from snakemake_executor_plugin_pbspro.registry import Entry, Registry


def delete(
    entries: list[Entry], locate: Callable, pbs: Pbs, registry: Registry, logger: Any
) -> None:
    """Delete jobs, all in one command. A second Ctrl-C does not stop this."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        for entry in entries:
            entry.abandoned = True
            registry.save(entry)
        left, said = until_gone(entries, locate, pbs)
        for entry in entries:
            if entry not in left:
                registry.remove(entry)
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
    if left:
        ids = " ".join(entry.job_id or entry.name for entry in left)
        logger.error(
            f"NOT CANCELLED, {len(left)} jobs may still run or start: {ids}\n"
            f"PBS: {said or 'gave no reason'}\nWhen PBS answers again: qdel {ids}"
        )
    elif entries:
        logger.info(f"Deleted {len(entries)} PBS jobs: none is left on the cluster.")


def until_gone(entries: list[Entry], locate: Callable, pbs: Pbs) -> tuple[list[Entry], str]:
    """Delete again until none is left or patience ends: those left, and what PBS said of them."""
    left, said, until = entries, "", time.monotonic() + pbs.patience
    while left:
        try:
            ids = list(filter(None, map(locate, left)))
            said = pbs.delete(ids) if ids else ""
            alive = set(map(key, pbs.jobs()))
            left = [entry for entry in left if key(entry.job_id) in alive]
        except NotNow as error:
            said = str(error)
        if time.monotonic() > until:
            break
        if left:
            time.sleep(2)
    return left, said
