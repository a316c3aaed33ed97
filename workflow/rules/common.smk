"""What all files here share. The studies of the config, their searches and reports, and helpers.

Needs config/config.yaml and config/studies/<study>.yaml; makes nothing. Only the standard library,
PyYAML, jsonschema and Snakemake are imported here, since this file is read again by every job.
"""

import os
import sys
from pathlib import Path

from snakemake.dag import DAG
from snakemake.resources import Resources

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from foldwise.errors import FoldwiseError
from foldwise.plan import driver, faster, lost, state, terminal
from foldwise.plan.evidence import Evidence
from foldwise.plan.reports import Reports
from foldwise.plan.searches import Searches
from foldwise.plan.studies import Studies, around
from foldwise.settings.schema import check

# One line a job in words; `--verbose` leaves Snakemake's own way of telling.
if workflow.is_main_process and not workflow.output_settings.verbose:
    terminal.calm(dry_run=workflow.output_settings.dryrun)
if workflow.is_main_process:
    lost.make_again(DAG)  # Not for a cluster's job: it makes its own files alone.
faster.plan()

# Results derive from patients' data: no rights for others on anything made from here on.
os.umask(0o077)

# What a rule asks for where it says nothing else (and one thread). Snakemake itself takes such
# defaults from a profile or the command line alone, which a user may leave out.
workflow.resource_settings._parsed_default_resources.update(
    Resources.from_mapping({"mem_mb": 1000, "runtime": 10, "gpu": 0})
)


def refuse(error):
    """End with the message alone: Snakemake's own errors add lines of this file."""
    sys.exit(str(error))


try:
    config = check("config", config, "config/config.yaml")
    studies = Studies(config)
    if workflow.is_main_process:
        driver.check_folder(workflow.output_settings.dryrun)
        studies.check_searches()
    GPUS = state.gpus(config["gpu"])
except FoldwiseError as error:
    refuse(error)

searches, reports, evidence = Searches(studies), Reports(studies), Evidence(studies)
COHORT = faster.Awaited(workflow, "cohort")
if workflow.is_main_process:
    for line in searches.started_otherwise():
        print(line, file=sys.stderr)


# Used with `--sdm apptainer` alone.
container: config["container"]


wildcard_constraints:
    study=r"[a-z][a-z0-9_.]*",
    run=r"[a-z][a-z0-9_]*",
    fold=r"\d+",
    key=r"[0-9a-f]+",
    shard=r"[0-9a-f]+",
    figure=r"[a-z0-9_]+",
    number=r"\d\d\d\d+",
    seed=r"|_seed\d+",
    outer=r"\d+",


def files_of(files):
    """Files that jobs read or make. `files` is a pattern, or a function of the wildcards; errors are one message."""

    def read(wildcards):
        try:
            return files.format(**wildcards) if isinstance(files, str) else files(wildcards)
        except FoldwiseError as error:
            refuse(error)

    return faster.of_wildcards(read)


def current(files):
    """The same for input that follows from the cohort: once that exists, the job waits for its check.

    Asked through the checkpoint, a job is planned anew after `cohort` has run, so that a cohort
    that comes out as it was reruns nothing. Before there is one, the plan is complete without.
    """
    answer = files_of(files)

    def read(wildcards):
        settle(wildcards)
        return answer(wildcards)

    return faster.of_wildcards(read)


def settle(wildcards):
    """Ask for the cohort, of the study around; a plan names all that may follow from it."""
    study = around(wildcards.study)
    if COHORT.awaited(study):
        checkpoints.cohort.get(study=study)


def of_folds(pattern):
    """Input, `pattern` for every fold of the study."""
    return current(studies.over_folds(pattern))


def of_trials(pattern):
    """Input, `pattern` for every trial of the study's search."""
    return current(searches.over_trials(pattern))
