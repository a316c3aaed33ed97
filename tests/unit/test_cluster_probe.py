"""What the check of a cluster says of a node: only what the login node sees better is its fault."""

import shutil

import pytest
import yaml

from flow import write_study
from foldwise.cluster.probe import libraries, unseen_here, verdict
from foldwise.settings.study import configured
from studies import PICTURES


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "archive").mkdir()
    (tmp_path / "labels.csv").write_text("image,label\n0.png,1\n")
    write_study(tmp_path, "made", PICTURES)
    return tmp_path


def facts_of(unseen, **changes):
    """A probe's facts of a good node, with changes."""
    facts = {
        "python": "/env/bin/python",
        "version": "3.11.7",
        "requested": {"threads": 2, "mem_mb": 2000, "gpu": False},
        "cores": 2,
        "memory_limit_mb": None,
        "variables": {"CUDA_VISIBLE_DEVICES": None},
        "libraries": libraries(),
        "gpus": [],
        "temporary_gb": 9.5,
        "disk_mb_s": 200,
        "unseen": unseen,
    }
    return facts | changes


def wrong(facts, known=()):
    return [
        sentence for works, sentence in verdict(facts, "/env/bin/python", [*known]) if not works
    ]


def test_a_good_node(place):
    assert unseen_here() == []
    lines = verdict(facts_of([]), "/env/bin/python", [])
    assert all(works for works, _ in lines)
    assert (True, "sees the data, tables and weights of the studies") in lines


def test_an_archive_that_only_the_login_node_sees(place):
    shutil.rmtree(place / "archive")
    (problem,) = unseen_here()
    assert problem == "Study made: data.root: archive is not there, or may not be read."
    assert wrong(facts_of([problem])) == [f"seen from the login node, not from here: {problem}"]
    # Missing on both: preflight.py tells that, and the cluster is not to blame.
    assert wrong(facts_of([problem]), known=[problem]) == []


def test_no_study_yet(place):
    config = yaml.safe_load((place / "config" / "config.yaml").read_text())
    (place / "config" / "config.yaml").write_text(yaml.safe_dump(config | {"studies": ["other"]}))
    (problem,) = unseen_here()
    assert "Study 'other': no file" in problem


def test_studies_of_a_config_file(place):
    assert [study["name"] for study in configured("config/config.yaml")] == ["made"]
    assert configured("config/config.yaml", ["made"])[0]["data"]["root"] == "archive"


def test_what_a_node_lacks(place):
    gpu = {"threads": 2, "mem_mb": 2000, "gpu": True}
    assert wrong(facts_of([], requested=gpu, cores=1)) == [
        "1 cores for 2 asked",
        "torch sees no GPU (CUDA_VISIBLE_DEVICES is None). The job may be on a node without one "
        "(gpu queue and gpu resource of the profile), torch may be built without CUDA, or the "
        "container started without --nv.",
    ]
    assert wrong(facts_of([], memory_limit_mb=1000)) == ["1000 MB for 2000 asked"]
    lacking = facts_of([], libraries={"torch": "FAILED: No module named 'torch'"})
    assert "Install it in the environment of the jobs" in wrong(lacking)[0]
