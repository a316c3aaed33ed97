"""The start of a run: a dead driver's lock is lifted, and what would stop a job later is told.

Needs the studies of common.smk; makes nothing. Jobs themselves and dry runs check nothing.
"""

from contextlib import suppress

from foldwise.plan import rate, start, text_encoders
from foldwise.plan.driver import Driver
from foldwise.plan.warm import jobs as warm_jobs
from foldwise.files import private_folder, sweep
from foldwise.report import command

if workflow.is_main_process:
    DRIVER = Driver()
    print(DRIVER.lift(), end="", file=sys.stderr)


def check_start():
    """Before the first job: what would stop one later. A dry run and jobs themselves do not ask."""
    # Snakemake makes this folder for all to read; its records name settings, its logs commands.
    with suppress(PermissionError):
        private_folder(".snakemake")
    sweep("results")
    # Jobs on a cluster outlive the driver: the lock then stays, and Snakemake says what to do.
    if workflow.local_exec and workflow.execution_settings.lock:
        DRIVER.sign()
    try:
        start.check(studies, workflow.dag, bool(workflow.deployment_settings.deployment_method))
    except FoldwiseError as error:
        refuse(error)


onstart:
    check_start()
    rate.rest(workflow.scheduler, workflow.local_exec)
    warm_jobs.install(
        sum(1 for _ in workflow.dag.needrun_jobs()),
        text_encoders.libraries(studies.by_name.values()),
    )
    if workflow.is_main_process:
        # What was typed, for the run record; a job has typed nothing.
        names = [rule.name for rule in workflow.rules]
        command.remember(sys.argv[1:], studies.names, names, config["set"])
