"""Lost files are made again by a wrapped method of Snakemake: a workflow of three rules shows it.

Each test here fails where a new version of Snakemake has changed what `plan/lost.py` relies on.
"""

import re

import pytest

import flow
from flow import ROOT, jobs_in
from foldwise.plan import lost, state

HEAD = f"""
import sys
sys.path.insert(0, {str(ROOT / "workflow" / "scripts")!r})
from foldwise.plan import lost
from snakemake.dag import DAG
if workflow.is_main_process and config.get("again", True):
    lost.make_again(DAG)
"""
CHAIN = """
rule last:
    input: "second.txt"
    output: "last.txt"
    shell: "cp {input} {output}"
rule second:
    input: "first.txt"
    output: "second.txt", "beside.txt"
    shell: "cp {input} second.txt; cp {input} beside.txt"
rule first:
    output: "first.txt"
    shell: "echo first > {output}"
"""


def snakemake(folder, *arguments):
    """What it says, on a workflow whose targets name the last file alone."""
    (folder / "Snakefile").write_text(HEAD + CHAIN)
    done = flow.snakemake(folder, "--workflow-profile", "none", *arguments, root=folder)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain")
    said = snakemake(folder)
    assert jobs_in(said) == {"first", "second", "last"}
    assert "reason: Missing output files: first.txt" in said and "forced" not in said.lower()
    return folder


def test_nothing_is_lost_at_first(finished):
    assert "Nothing to be done" in snakemake(finished)


@pytest.mark.parametrize(
    ("name", "follows"),
    [("first.txt", {"first", "second", "last"}), ("beside.txt", {"second", "last"})],
)
def test_a_lost_file_is_planned_with_what_follows_and_made_once(finished, name, follows):
    (finished / name).unlink()
    planned = snakemake(finished, "--dry-run")
    assert jobs_in(planned) == follows
    assert f"Missing output files: {name}" in planned and "forced" not in planned.lower()
    assert jobs_in(snakemake(finished)) == follows
    assert "Nothing to be done" in snakemake(finished)


def test_snakemake_alone_would_not_do_so(finished):
    """Where this fails, Snakemake has learnt it, and `plan/lost.py` is no longer needed."""
    (finished / "first.txt").unlink()
    assert "Nothing to be done" in snakemake(finished, "--dry-run", "--config", "again=False")
    snakemake(finished)


def test_what_nobody_asked_for_stays_lost(finished):
    (finished / "beside.txt").unlink()
    assert "Nothing to be done" in snakemake(finished, "--dry-run", "first.txt")
    snakemake(finished)


def test_a_snakemake_without_the_method_is_told_and_works(capsys):
    lost.make_again(type("DAG", (), dict.fromkeys(lost.USED[:-1])))
    assert "no ['update_needrun']" in capsys.readouterr().err


def test_each_rule_that_follows_from_the_cohort_waits_for_its_check():
    """One that does not keeps the reason to run that it had before: Snakemake forgets none."""
    asks = re.compile(r"current\(|of_folds\(|of_trials\(|trials_before|shards")
    rules = [
        rule
        for path in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
        for rule in re.findall(
            r"^(?:rule|checkpoint) (\w+):\n    input:\n((?:        .+\n)+)    output:",
            path.read_text(),
            re.MULTILINE,
        )
    ]
    assert len(rules) > 30
    assert [name for name, files in rules if not asks.search(files)] == []


def test_a_cohort_that_is_being_made_again_was_there(tmp_path):
    """Its files are gone while it runs, and Snakemake asks again when another study's has ended."""
    path = tmp_path / "images.csv"
    path.touch()
    assert state.was_there((str(path),))
    path.unlink()
    assert state.was_there((str(path),))
    assert not state.was_there((str(tmp_path / "labels.csv"),))
