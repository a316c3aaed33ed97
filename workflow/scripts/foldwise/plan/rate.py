"""A driver that sleeps while its jobs run.

Snakemake bounds how many jobs it starts in a time, 100 a second unless told otherwise, and sets a
timer after each look at the jobs that are ready, for another look. Each job's end adds a look, and
so one more timer that goes on for ever: after 26 jobs the ready ones are looked at 26 times a
second. Standard library only.
"""

import time
from collections.abc import Callable
from typing import Any

USUAL = (100, 1)  # Snakemake's own bound: jobs, seconds


def rest(scheduler: Any, local: bool) -> None:
    """Let Snakemake's scheduler wake when a job ends, and for nothing that needs no look.

    Jobs of this machine need no bound on their starts: cores bound them. One that was asked for,
    and that of a cluster's queue, stay, with one timer at a time.
    """
    limit = scheduler.job_rate_limiter
    if limit is not None and local and (limit.max_jobs, limit.timespan) == USUAL:
        scheduler.job_rate_limiter = None
    scheduler._schedule_reevalutation = OneTimer(scheduler._schedule_reevalutation)


class OneTimer:
    """Sets a timer by `later(seconds)` unless one is set that has not gone off."""

    def __init__(self, later: Callable[[float], None]) -> None:
        self.later, self.until = later, 0.0

    def __call__(self, delay: float) -> None:
        now = time.monotonic()
        if now >= self.until:
            self.until = now + delay
            self.later(delay)
