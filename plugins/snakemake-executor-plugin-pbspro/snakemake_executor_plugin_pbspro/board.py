"""What a run tells as it goes: queued, running (each with its own word), done, never to run."""

import shlex
import time
from typing import Any

from snakemake_executor_plugin_pbspro.commands import NotNow, Pbs
from snakemake_executor_plugin_pbspro.registry import Entry, Registry
from snakemake_executor_plugin_pbspro.settings import ExecutorSettings


class Board:
    """Lines from time to time, and only when they say something new."""

    def __init__(self, settings: ExecutorSettings, pbs: Pbs, registry: Registry, logger: Any):
        self.settings, self.pbs, self.registry, self.logger = settings, pbs, registry, logger
        self.ended = {"done": 0, "failed": 0}
        self.last, self.due = "", time.monotonic() + min(settings.status_every, 15)
        self.look_at: dict[str, float] = {}

    def show(self, entries: list[Entry]) -> None:
        """Count the jobs, with the last line that each running one left in `$PBSPRO_STATUS`."""
        started = self.registry.started()
        running = [entry for entry in entries if entry.token in started]
        waiting = [entry for entry in entries if entry.token not in started]
        self.warn_of_hopeless([entry for entry in waiting if entry.job_id])
        if not self.settings.status_every or time.monotonic() < self.due:
            return
        self.due = time.monotonic() + self.settings.status_every
        line = f"PBS: {len(waiting)} queued, {len(running)} running, {self.ended['done']} done"
        line += f", {self.ended['failed']} failed" if self.ended["failed"] else ""
        for entry in running[:20]:
            status = self.registry.text("status", entry)
            line += f"\n    {entry.name}: {status[:200]}" if status else ""
        if line != self.last:
            self.last = line
            self.logger.info(line)

    def warn_of_hopeless(self, waiting: list[Entry]) -> None:
        """Look, rarely, at one queued job of each kind of request for PBS's word on it."""
        for entry in waiting:
            kind, now = shlex.join(entry.request), time.monotonic()
            if now < self.look_at.setdefault(kind, now + 2 * self.settings.poll):
                continue
            self.look_at[kind] = now + 60 * self.settings.poll
            try:
                comment = (self.pbs.facts(entry.job_id) or {}).get("comment", "")
            except NotNow:
                continue  # the next poll tells of it
            if "can never run" in comment.lower():
                self.logger.warning(
                    f"PBS job {entry.job_id} ({entry.name}) waits for ever: {comment}\nIt asked "
                    f"for {kind}: change threads, mem_mb, gpu or the queue, then Ctrl-C and start "
                    "again."
                )
