"""What a start leaves out changes no plan: a workflow of three rules with a checkpoint shows it.

Each test here fails where a new version of Snakemake has changed what `plan/faster` relies on.
"""

import sys
from contextlib import nullcontext

import pandas
import pytest
import snakemake.api
from snakemake.dag import DAG
from snakemake.exceptions import ChildIOException
from snakemake.io import IOFile
from snakemake.iocontainers import Params, Snakemake
from snakemake.output_index import OutputIndex
from snakemake.rules import get_function_params

import flow
from flow import ROOT, jobs_in
from foldwise.plan.faster import of_wildcards
from foldwise.plan.faster.folders import looked_up
from foldwise.plan.faster.lookup import by_name
from foldwise.plan.faster.params import kept_plain

AGAIN = "Updating checkpoint dependencies"
WORKFLOW = f"""
import sys
sys.path.insert(0, {str(ROOT / "workflow" / "scripts")!r})
from foldwise.plan import faster, lost
from snakemake.dag import DAG
lost.make_again(DAG)
faster.plan()
LISTED = faster.Awaited(workflow, "listed")
def after(wildcards):
    if LISTED.awaited(wildcards.study):
        checkpoints.listed.get(study=wildcards.study)
    return f"{{wildcards.study}}/images.csv"
rule all:
    input: "mine/second.txt"
rule second:
    input: after
    output: "{{study}}/second.txt"
    shell: "cp {{input}} {{output}}"
checkpoint listed:
    output: "{{study}}/images.csv", "{{study}}/labels.csv"
    params: archive=config.get("archive", 1)
    shell: "echo image > {{output[0]}}; echo label > {{output[1]}}"
"""


def snakemake(folder, *arguments):
    (folder / "Snakefile").write_text(WORKFLOW)
    profile = str(ROOT / "profiles" / "default")
    done = flow.snakemake(folder, "--workflow-profile", profile, *arguments, root=folder)
    return done.stdout + done.stderr


def jobs(said):
    return {job.split()[0] for job in jobs_in(said)} - {"all"}


@pytest.fixture
def finished(tmp_path):
    assert jobs(snakemake(tmp_path)) == {"listed", "second"}
    return tmp_path


def test_a_start_with_nothing_to_do_plans_no_job_twice(finished):
    said = snakemake(finished)
    assert "Nothing to be done" in said and AGAIN not in said


def test_what_follows_from_a_changed_checkpoint_waits_for_what_it_makes(finished):
    for change in (("--config", "archive=2"), ("--forcerun", "listed")):
        said = snakemake(finished, *change)
        assert jobs(said) == {"listed"} and AGAIN in said, change


def test_a_lost_file_and_a_killed_job_are_no_unchanged_checkpoint(finished):
    (finished / ".snakemake/incomplete/bWluZS9vdGhlcg==").touch()
    said = snakemake(finished)
    assert "Nothing to be done" in said and AGAIN in said
    (finished / "mine/images.csv").unlink()
    said = snakemake(finished)
    assert jobs(said) == {"listed"}


def test_rules_are_found_by_name_as_snakemake_finds_them():
    class Rule:
        def __init__(self, *paths):
            self.paths = [IOFile(path, rule=None) for path in paths]

        def products(self):
            return self.paths

    class Index(OutputIndex):
        pass

    rules = [
        Rule("results/{study}/cohort.csv", "results/{study}/logs/cohort.log"),
        Rule("results/{study}/runs/{run}/fold_{fold}/results/best_model.pt"),
        Rule("results/{study}/runs/trial_{n}/fold_{fold}/results/best_model.pt", "{any}"),
        Rule("results/cache/{key}/{shard}.npy", "results/cache/{key}_{shard}"),
        Rule("results/{study}/figures/{figure}.png", "results/{study}/figures/{figure}.pdf"),
        Rule("results/{study}/x.{ending}", "results/{study}/{name}.tar.gz", "results/{study}/no_"),
        Rule("plain.txt", "results/{study}/search/{study}_best_params.json"),
    ]
    paths = [
        "results/mine/cohort.csv",
        "results/mine/runs/trial_0001/fold_1/results/best_model.pt",
        "results/mine/runs/cv/fold_1/results/best_model.pt",
        "results/cache/00/aa.npy",
        "results/mine/figures/roc.png",
        "results/mine/figures/roc.pdf",
        "results/mine/x.csv",
        "results/mine/all.tar.gz",
        "results/mine/gz",
        "results/cache/00_aa",
        "results/mine/search/mine_best_params.json",
        "plain.txt",
        "cohort.csv",
    ]
    usual = [OutputIndex(rules).match(path) for path in paths]
    by_name(Index)
    assert [Index(rules).match(path) for path in paths] == usual
    assert len({len(found) for found in usual}) > 1


@pytest.mark.parametrize(
    ("outputs", "inside"),
    [
        (["results/mine/cohort.csv", "results/mine/folds/fold_1.csv", "results/mine-2"], False),
        (["results/mine/histories", "results/mine/histories/trial.csv"], True),
        (["results/mine", "results/mine-2/a.csv", "results/mine/folds/deep/fold_1.csv"], True),
        (["a/b", "./a/b/c"], True),
        (["a/b", "a//b/c"], True),
        (["a/b", "a/bc/d"], False),
    ],
)
def test_an_output_inside_anothers_folder_is_found_as_snakemake_finds_it(outputs, inside):
    class Job:
        def __init__(self, path):
            self.output = [path]

        def __lt__(self, other):
            return self.output < other.output

    class Planned(DAG):
        jobs = tuple(map(Job, outputs))

        def __init__(self):
            pass

    looked_up(Planned)
    for look in (Planned.check_directory_outputs, DAG.check_directory_outputs):
        with pytest.raises(ChildIOException) if inside else nullcontext():
            look(Planned())


def test_snakemake_is_told_what_a_function_takes():
    def read(*given):
        return given

    assert list(get_function_params(of_wildcards(read))) == ["wildcards"]


class Job(Snakemake):
    def __init__(self, params):
        self._safely_store_params(params)


@pytest.mark.parametrize(
    ("values", "is_plain"),
    [
        ({"code": "00", "search": {"lr": [1e-3]}, "folds": [1, 2], "none": None}, True),
        ({"code": "00", "table": pandas.DataFrame({"a": [1, 2]})}, False),
    ],
)
def test_params_are_kept_for_scripts_as_snakemake_keeps_them(values, is_plain, monkeypatch):
    class Kept(Job):
        pass

    kept_plain(Kept)
    params = Params(fromdict=values)
    usual, kept = Job(params), Kept(params)
    for name in ("_params_store", "_params_types"):
        assert getattr(kept, name) == getattr(usual, name)
    assert dict(kept._params_store.items()) == dict(usual._params_store.items())
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if there were none
    again = Kept(params)
    assert (again._params_types == kept._params_types) == is_plain
