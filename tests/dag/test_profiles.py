"""The plain names of profiles, as they are documented, in a fresh clone."""

import subprocess
import sys

import pytest

from flow import ROOT


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clone") / "foldwise"
    subprocess.run(["git", "clone", "-q", "--local", ROOT, folder], check=True)
    return folder


@pytest.mark.parametrize("name", ["ci", "pbs"])
def test_a_plain_name_plans_the_study(clone, name):
    command = [sys.executable, "-m", "snakemake", "--profile", name, "--dry-run"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "This was a dry-run" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["ci", "pbs", "slurm"])
def test_a_plain_name_leads_to_its_profile(clone, name):
    assert (clone / name / "config.yaml").samefile(clone / "profiles" / name / "config.yaml")
