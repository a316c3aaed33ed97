"""Whether a checkpoint's files are as its job would make them, before there is a plan.

What follows from a checkpoint is planned twice: each job first as one that waits for it, then anew
once Snakemake sees that it need not run. Of a start with nothing to do that is half of the work,
so what is unchanged is not waited for. Snakemake's own look at the checkpoint stays: where it finds
a reason to run it that is not seen here, what follows runs after it.
"""

import functools
import os
from collections.abc import Iterable
from typing import Any

from foldwise.plan import state

Workflow = Any  # Snakemake's
Job = Any
# What Snakemake may have been told to take for a change; of CODE it does more than is done here.
ASKED = {"MTIME", "PARAMS", "INPUT", "SOFTWARE_ENV"}


class Awaited:
    """Whether a run has what follows from a study's checkpoint, a rule without input, wait for it.

    A dry run has nothing wait, so that its plan names all that may follow, and neither has a job
    that plans itself alone.
    """

    def __init__(self, workflow: Workflow, rule: str) -> None:
        self.workflow, self.rule = workflow, rule
        # Once: Snakemake asks while jobs run too, and one that runs has removed its own files.
        self.awaited = functools.cache(self._awaited)

    def _awaited(self, study: str) -> bool:
        if not self.workflow.is_main_process or self.workflow.output_settings.dryrun:
            return False
        from snakemake.jobs import Job

        job = Job(self.workflow.get_rule(self.rule), self.workflow.dag, {"study": study})
        if not state.was_there(tuple(job.output)):
            return False
        if not unchanged(self.workflow, job):
            return True
        self.workflow.checkpoints.created_output.update(job.output)
        return False


def unchanged(workflow: Workflow, job: Job) -> bool:
    """Whether nothing is a reason to run a job that has no input."""
    dag, records = workflow.dag, workflow.persistence
    forced = job.rule in dag.forcerules or not dag.forcefiles.isdisjoint(job.output)
    if forced or not ASKED.issuperset(one.name for one in workflow.rerun_triggers):
        return False
    # A job that was killed leaves a mark here and may leave half of its files.
    if any(os.scandir(records.path / "incomplete")) or not all(map(os.path.exists, job.output)):
        return False
    if not records.has_metadata(job) or records.has_outdated_metadata(job):
        return False
    return not (records.params_changed(job) or any(records.software_stack_changed(job)))


def planned_once(dag_class: type) -> None:
    """Have no job of a plan looked at again where none has waited for a checkpoint."""
    look = dag_class.update_checkpoint_dependencies
    if look.__module__ == __name__:
        return  # another workflow of this process has asked for it

    async def update_checkpoint_dependencies(dag: Any, jobs: Iterable[Job] | None = None) -> bool:
        if jobs is not None or any(map(waits, dag.jobs)):
            return await look(dag, jobs)
        # As Snakemake notes them: a job that comes into the plan later may ask for one.
        there = (job for job in dag.jobs if job.is_checkpoint and not dag.needrun(job))
        for job in there:
            if all(map(os.path.exists, job.output)):
                dag.workflow.checkpoints.created_output.update(job.output)
        return False

    dag_class.update_checkpoint_dependencies = update_checkpoint_dependencies


def waits(job: Job) -> bool:
    """Whether a job's input hangs on a checkpoint that it has asked for."""
    return any("checkpoint_target" in path.flags for path in job.input)
