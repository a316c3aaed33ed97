"""What a run tells as it goes: queued, running (epoch, time left), done, and what never can run."""

import json
import os
import time
from typing import Any

from snakemake_executor_plugin_pbspro.commands import NotNow, Pbs
from snakemake_executor_plugin_pbspro.registry import Registry
from snakemake_executor_plugin_pbspro.settings import ExecutorSettings


class Board:
    """Lines from time to time, and only when they say something new."""

    def __init__(self, settings: ExecutorSettings, pbs: Pbs, registry: Registry, logger: Any):
        self.settings, self.pbs, self.registry, self.logger = settings, pbs, registry, logger
        self.ended = {"done": 0, "failed": 0}
        self.last, self.due = "", time.monotonic() + min(settings.status_every, 15)
        self.look_at: dict[tuple, float] = {}

    def show(self, known: list[Any]) -> None:
        started = self.registry.started()
        entries = [(info.aux["entry"], info.job) for info in known]
        waiting = [entry for entry, _ in entries if entry.token not in started]
        self.warn_of_hopeless([entry for entry in waiting if entry.job_id])
        if not self.settings.status_every or time.monotonic() < self.due:
            return
        self.due = time.monotonic() + self.settings.status_every
        running = [(entry.name, job) for entry, job in entries if entry.token in started]
        line = f"PBS: {len(waiting)} queued, {len(running)} running, {self.ended['done']} done"
        line += f", {self.ended['failed']} failed" if self.ended["failed"] else ""
        for name, job in running[:20]:
            said = progress(map(str, job.output))
            line += f"\n    {name}: {said}" if said else ""
        if line != self.last:
            self.last = line
            self.logger.info(line)

    def warn_of_hopeless(self, waiting: list[Any]) -> None:
        """Look, rarely, at one queued job of each kind of request for PBS's word on it."""
        for entry in waiting:
            kind, now = (entry.asked["queue"], entry.asked["chunk"]), time.monotonic()
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
                    f"for select={kind[1]} in queue {kind[0] or '(default)'}: change threads, "
                    "mem_mb, gpu or the queue, then Ctrl-C and start again."
                )


def progress(outputs: Any) -> str:
    """`epoch 12 of 100, 41 min left`, from results in Ray Tune's form: one JSON line an epoch."""
    for path in outputs:
        rows = last_rows(path) if path.endswith(".jsonl") else []
        if not rows:
            continue
        first, last = rows[0], rows[-1]
        done, total = last["training_iteration"], epochs(last)
        steps = done - first["training_iteration"]
        if total is None or steps < 1 or "time_total_s" not in last:
            return f"epoch {done}" + (f" of {total}" if total else "")
        pace = (last["time_total_s"] - first["time_total_s"]) / steps
        return f"epoch {done} of {total}, {clock((total - done) * pace)} left"
    return ""


def last_rows(path: str, size: int = 20000) -> list[dict]:
    """The last whole lines of a file of results; none when it is not there yet."""
    rows = []
    try:
        with open(path, "rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - size))
            lines = stream.read().decode(errors="replace").splitlines()[-6:]
    except OSError:
        return []
    for line in lines:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut by the seek, or being written
        rows += [row] if isinstance(row, dict) and "training_iteration" in row else []
    return rows


def epochs(row: dict) -> int | None:
    """The number of epochs that were asked for, wherever the row or its config names it."""
    branches = [row]
    while branches:
        branch = branches.pop()
        if isinstance(branch.get("epochs"), int):
            return branch["epochs"]
        branches += [value for value in branch.values() if isinstance(value, dict)]
    return None


def clock(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 20 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
