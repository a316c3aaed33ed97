"""Recipes of images and the hosted checks: what they name is there, and pinned as everywhere."""

import re
import shlex

import yaml

from tools.containers import LOCK, ROOT, STEPS, apptainer, dockerfile, lock_digest


def test_an_image_says_which_lock_file_it_holds():
    for text in (dockerfile(), apptainer()):
        assert text.count(lock_digest()) == 1 and LOCK in text
        assert all(step in text for step in STEPS)


def test_uv_is_the_one_of_the_makefile():
    (pinned,) = re.findall(r"uv==([\d.]+)", (ROOT / "Makefile").read_text())
    assert f"uv=={pinned}" in dockerfile() and f"uv=={pinned}" in apptainer()


def test_each_step_is_a_command_that_a_shell_reads():
    for step in STEPS:
        assert shlex.split(step)[0] in ("apt-get", "rm", "python", "uv")


def test_hosted_checks_do_what_the_local_ones_do():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert commands == [".ci/run"] and (ROOT / ".ci/run").stat().st_mode & 0o111
