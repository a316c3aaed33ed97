"""Helpers of the rules: the studies of the config, and what a rule reads of them.

Only the standard library, PyYAML, jsonschema and Snakemake are imported here, since this file is
read again by every job.
"""

import functools
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from foldwise.settings import study as settings_of
from foldwise.plan import state
from foldwise.plan import terminal
from foldwise.errors import FoldwiseError
from foldwise.plan.fingerprint import code_of, words
from foldwise.settings.paths import without_paths
from foldwise.settings.schema import check

# One line a job in words; `--verbose` leaves Snakemake's own way of telling.
if workflow.is_main_process and not workflow.output_settings.verbose:
    terminal.calm(dry_run=workflow.output_settings.dryrun)

# Results derive from patients' data: no rights for others on anything made from here on.
os.umask(0o077)


def refuse(error):
    """End with the message alone: Snakemake's own errors add lines of this file."""
    sys.exit(str(error))


try:
    config = check("config", config, "config/config.yaml")
    STUDIES = {name: settings_of.load_configured(name, config) for name in config["studies"]}
    KEYS = {state.cache_key(study): study for study in STUDIES.values()}
    GPUS = state.gpus(config["gpu"])
except FoldwiseError as error:
    refuse(error)


# Used with `--sdm apptainer` alone.
container: config["container"]


# Runs that are judged on a holdout: no trial of a search, which would make it one more fold, and
# no classical method, which keeps no model.
JUDGED_RUN = r"(?!trial_|baseline_|nested_)[a-z][a-z0-9_]*"


wildcard_constraints:
    study=r"[a-z][a-z0-9_.]*",
    run=r"[a-z][a-z0-9_]*",
    fold=r"\d+",
    key=r"[0-9a-f]+",
    shard=r"[0-9a-f]+",
    figure=r"[a-z0-9_]+",


def branch(*paths):
    """Params of a rule: just these settings of the study, by dotted path, so that others rerun nothing."""

    def read(wildcards):
        return state.settings_at(STUDIES[wildcards.study], paths)

    return read


def code(rule):
    """Params of a rule: a digest of the code that its run reaches from this rule's adapter."""

    def read(wildcards):
        run = wildcards.get("run", "trial_" if "number" in wildcards.keys() else "")
        return code_of(rule, code_words(wildcards.study, run))

    return read


@functools.cache
def code_words(study, run):
    """Words that decide which plug-ins a run executes; asked for each job of it."""
    return state.code_words(STUDIES[study], run)


def baseline_code(wildcards):
    """Params of `baseline`: a digest of the code of this one method, of no network's."""
    return code_of("baseline", frozenset([STUDIES[wildcards.study]["kind"], wildcards.baseline]))


def archive(wildcards):
    """Params of `cohort`: sizes and times of the archive's files and the table's digest."""
    return state.archive_state(STUDIES[wildcards.study])


def cache_key(wildcards):
    """Params of `cohort`: name of the cache whose lists it extends."""
    return state.cache_key(STUDIES[wildcards.study])


def shards(wildcards):
    """Cache shards of a study, known once its cohort is listed."""
    images = checkpoints.cohort.get(study=wildcards.study).output.images
    return state.shard_files(STUDIES[wildcards.study], images)


def cached(wildcards):
    """Params of `cache_shard`: what a reader must know, from any study with this cache key."""
    study = KEYS[wildcards.key]
    return {"reader": study["data"]["reader"], "image": study["image"]}


def run_settings(wildcards):
    """Params of `run_params`: all settings of a named run."""
    return settings_of.run_settings(STUDIES[wildcards.study], wildcards.run)


def embedding_files(wildcards):
    """Input of training and prediction: embeddings that the run joins to the head's input."""
    study = STUDIES[wildcards.study]
    run = wildcards.get("run", f"trial_{wildcards.get('number')}")
    model = study["model"]
    if run in study["runs"]:
        model = settings_of.run_settings(study, run)["model"]
    folder = settings_of.joined(wildcards.study, model).get("embeddings")
    return (
        expand("{folder}/{name}", folder=folder, name=["features.npy", "metadata.csv"])
        if folder
        else []
    )


def training_threads(wildcards):
    """Threads of a training job: a setting of the run, since results depend on it."""
    return STUDIES[wildcards.study]["training"]["threads"]


def grouped_by(wildcards):
    """Params of `folds` and of what measures groups: what they are, to be called by that name."""
    return STUDIES[wildcards.study]["data"]["group"]


def fold_numbers(wildcards):
    """Numbers of the study's folds, from 1."""
    return state.fold_numbers(STUDIES[wildcards.study])


def current(pattern):
    """Input that follows from the cohort: once that exists, the job waits for its check.

    Asked through the checkpoint, a job is planned anew after `cohort` has run, so that a cohort
    that comes out as it was reruns nothing. Before there is one, the plan is complete without.
    """

    def read(wildcards):
        settled(wildcards)
        return pattern.format(**wildcards)

    return read


def settled(wildcards):
    """Ask for the cohort through its checkpoint; a study inside another has the other's."""
    study = wildcards.study.partition(".")[0]
    made = [path.format(study=study) for path in rules.cohort.output]
    lost = [path for path in made if not os.path.exists(path)]
    if lost and workflow.is_main_process and len(lost) < len(made):
        # Snakemake itself makes a lost file again only where a job needs it.
        workflow.dag.forcefiles.update(lost)
        lost = []
    if not lost:
        checkpoints.cohort.get(study=study)


def of_folds(pattern):
    """Input of a rule: `pattern` for every fold of the study."""

    def read(wildcards):
        paths = expand(pattern, fold=fold_numbers(wildcards), allow_missing=True)
        return [current(path)(wildcards) for path in paths]

    return read


def texts(wildcards):
    """Input of rules that ask a model: the texts of a study that has any.

    An outer fold of nested cross-validation reads those of its study.
    """
    if not STUDIES[wildcards.study]["data"]["columns"]["texts"]:
        return []
    path = f"results/{wildcards.study.partition('.')[0]}/private/texts.csv"
    return [current(path)(wildcards)]


def taught(wildcards):
    """Input of training: the answers of the run's teacher, of the same fold; none without one."""
    run = wildcards.get("run") or f"trial_{wildcards.number}"
    teacher = settings_of.teacher_of(STUDIES[wildcards.study], run)
    path = "results/{study}/runs/{teacher}/fold_{fold}/results/taught.npz"
    return [path.format(teacher=teacher, **wildcards)] if teacher else []


def study_targets(wildcards):
    """All that `snakemake` makes when no target is named."""
    return [path for name in config["studies"] for path in state.targets(STUDIES[name])]
