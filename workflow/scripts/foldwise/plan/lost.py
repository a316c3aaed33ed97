"""Results that are lost while what was made of them still stands.

Snakemake makes a file again that a target names or that a job which runs anyway reads, and takes
the rest for not needed. A report would then stand on files that nobody can look at any more.

Snakemake has no place for a word between making a plan and following it, so this wraps the method
of its DAG that decides which jobs run. `tests/dag/test_lost_files.py` fails where another version
of Snakemake decides otherwise, or does all this itself.
"""

import sys
from collections.abc import AsyncIterator
from typing import Any

Dag = Any  # Snakemake's
Job = Any

# What is used here of a class that is not meant for others.
USED = ("finished", "jobs", "needrun", "needrun_jobs", "reason", "update_needrun")


def make_again(dag_class: type) -> None:
    """Have Snakemake run each job of a plan of which a file is missing, and what follows."""
    if missing := [name for name in USED if not hasattr(dag_class, name)]:
        # All else works without: that is no reason to stop anybody.
        print(f"Only lost files that a target names are made again: no {missing}", file=sys.stderr)
        return
    decide = dag_class.update_needrun
    if decide.__module__ == __name__:
        return  # another workflow of this process has asked for it

    lost: set[str] = set()

    async def update_needrun(self: Dag, *given: Any, **named: Any) -> None:
        await decide(self, *given, **named)
        if more := {path async for path in missing_files(idle_jobs(self))}:
            lost.update(more)
            self.forcefiles.update(more)
            await decide(self)
        for job in self.needrun_jobs():
            if own := lost.intersection(job.output):
                # The plan gives the reason in words: it was nobody's wish.
                self.reason(job).forced = False
                self.reason(job).missing_output.update(own)

    dag_class.update_needrun = update_needrun


def idle_jobs(dag: Dag) -> list[Job]:
    """Jobs that would not run, and have not."""
    return [job for job in dag.jobs if not dag.needrun(job) and not dag.finished(job)]


async def missing_files(jobs: list[Job]) -> AsyncIterator[str]:
    """Files of these jobs that are not there."""
    for job in jobs:
        async for path in job.missing_output(job.output):
            yield path
