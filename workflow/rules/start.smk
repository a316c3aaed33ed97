"""The start of a run: a dead driver's lock is lifted, and what would stop a job later is told.

Needs the studies of common.smk; makes nothing. Jobs themselves and dry runs check nothing.
"""

from contextlib import suppress

from foldwise.plan import warm_jobs
from foldwise.plan.driver import Driver
from foldwise.files import private_folder, sweep

if workflow.is_main_process:
    DRIVER = Driver()
    print(DRIVER.lift(), end="", file=sys.stderr)


def check_start():
    """Before the first job: what would stop one later. A dry run and jobs themselves do not ask."""
    from foldwise.plan.preflight import preflight

    # Snakemake makes this folder for all to read; its records name settings, its logs commands.
    with suppress(PermissionError):
        private_folder(".snakemake")
    sweep("results")
    # Jobs on a cluster outlive the driver: the lock then stays, and Snakemake says what to do.
    if workflow.local_exec and workflow.execution_settings.lock:
        DRIVER.sign()
    planned = {(job.rule.name, studied(job)) for job in workflow.dag.needrun_jobs()}
    names = {study for _, study in planned}
    unread = [study for rule, study in planned if rule == "cohort"]
    chosen = [STUDIES[name] for name in config["studies"] if name in names]
    deployed = bool(workflow.deployment_settings.deployment_method)
    try:
        for warning in preflight(chosen, "results", unread, not deployed):
            print(f"Warning: {warning}", file=sys.stderr)
        tell_understood([study for study in chosen if study["name"] in unread], deployed)
    except FoldwiseError as error:
        refuse(error)


def tell_understood(studies, deployed):
    """What the tables and archives are taken for, while nothing has started."""
    if studies and not deployed:
        from foldwise.cohort.understood import report  # late: it imports readers

        print("\n".join(report(studies, "results/private")), file=sys.stderr)


def studied(job):
    """The study that a job works for; inside an outer fold, the one around it."""
    if "key" in job.wildcards.keys():
        return KEYS[job.wildcards.key]["name"]
    return job.wildcards.get("study", "").partition(".")[0]


onstart:
    check_start()
    warm_jobs.install(sum(1 for _ in workflow.dag.needrun_jobs()))
    remember_command()
