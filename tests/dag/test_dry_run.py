"""The plan: complete without data, in seconds, with nothing heavy imported."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from flow import ROOT, jobs_in, rules_by_study, rules_of, snakemake, write_study
from foldwise.plan.terminal import TARGETS
from studies import settings

HEAVY = ["torch", "numpy", "pandas", "pydicom", "cv2", "sklearn", "optuna", "matplotlib", "scipy"]


@pytest.fixture
def poisoned(tmp_path):
    """Modules that fail when imported, put before the real ones."""
    folder = tmp_path / "poison"
    folder.mkdir()
    for name in HEAVY:
        (folder / f"{name}.py").write_text("raise ImportError('imported when the DAG was built')\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.getenv("PYTHONPATH")])])}


def dry_run(folder, environment, *arguments):
    config = ["--configfile", str(ROOT / "config" / "config.yaml")]
    studies = ["--config", f"folder={ROOT / 'config' / 'studies'}"]
    return snakemake(folder, "--dry-run", *config, *studies, *arguments, environment=environment)


def test_the_whole_plan_without_data_and_without_heavy_modules(tmp_path, poisoned):
    done = dry_run(tmp_path, poisoned)
    jobs = jobs_in(done.stdout)
    assert {f"train_fold {fold},cv" for fold in range(1, 6)} <= jobs
    assert {"cohort", "audit", "folds", "cv_summary"} <= rules_of(jobs)


def test_each_shipped_study_is_planned_with_its_search(tmp_path, poisoned):
    """All at once, from a folder as a user has it: a study file that cannot run is found here."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    names = sorted(path.stem for path in (ROOT / "config" / "studies").glob("*.yaml"))
    chosen = ["--config", f"studies={json.dumps(names)}"]
    done = snakemake(tmp_path, "--dry-run", "all", "search", *chosen, environment=poisoned)
    planned = rules_by_study(done.stdout)
    assert all({"cohort", "train_fold", "report_pack"} <= planned[name] for name in names)
    searched = {name for name in names if "collect_search" in planned[name]}
    assert {"microbeads_grid", "microbeads_random", "cxr_zones_search", "medpix"} <= searched


def test_the_poison_works(tmp_path, poisoned):
    done = os.popen(f"PYTHONPATH={poisoned['PYTHONPATH']} {sys.executable} -c 'import torch' 2>&1")
    assert "imported when the DAG was built" in done.read()


def test_a_study_that_is_not_there_is_one_message(tmp_path):
    write_study(tmp_path, "mine", {"kind": "classification"})
    done = snakemake(tmp_path, "--dry-run", "--config", 'studies=["nothing"]', check=False)
    assert done.returncode
    said = done.stdout + done.stderr
    assert "Study 'nothing': no file" in said
    assert "Traceback" not in said


def test_every_rule_says_in_words_what_it_does():
    files = [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]
    bodies = [
        (name, body)
        for path in files
        for name, body in re.findall(
            r"^(?:rule|checkpoint) (\w+):\n((?:    .*\n|\n)*)", path.read_text(), re.MULTILINE
        )
    ]
    assert len(bodies) > 30
    assert [name for name, body in bodies if "    message:\n" not in body] == []


def test_a_plan_is_told_in_words_with_reasons(tmp_path):
    write_study(tmp_path, "mine", settings())
    done = snakemake(tmp_path, "--dry-run", plain=True)
    said = done.stdout + done.stderr
    assert "train_fold        Training fold 1 of run cv, study mine\n" in said
    assert "missing output files: results/mine/findings.csv and 4 more" in said
    assert "input:" not in said
    assert "This was a dry-run" in said


def rule_files():
    return sorted((ROOT / "workflow" / "rules").glob("*.smk"))


@pytest.mark.parametrize("path", rule_files(), ids=lambda path: path.stem)
def test_a_rule_file_opens_with_what_it_needs_and_makes_and_is_short(path):
    text = path.read_text()
    said = re.match(r'"""(.+?)"""', text, re.DOTALL)[1]
    assert "needs" in said.lower()
    assert "results/" in said or "makes nothing" in said
    assert text.count("\n") <= 120
    assert "lambda" not in text


def test_helpers_of_rule_files_are_few():
    every = "".join(path.read_text() for path in rule_files())
    assert len(re.findall(r"^ *def \w+\(", every, re.MULTILINE)) <= 25


def test_a_rule_asks_for_little_where_it_says_nothing(tmp_path):
    """No profile is needed for it; what a rule says itself stands."""
    done = snakemake(
        tmp_path, "--dry-run", "--workflow-profile", "none", "--config",
        f"folder={ROOT / 'config' / 'studies'}", "studies=['density']",
        "--configfile", str(ROOT / "config" / "config.yaml"),
    )  # fmt: skip
    asked = dict(re.findall(r"^rule (\w+):\n(?:    .+\n)*?    resources: (.+)", done.stdout, re.M))
    assert "mem_mb=1000" in asked["fold"] and "runtime=10" in asked["fold"]
    assert "gpu=0" in asked["fold"]
    assert "mem_mb=4000" in asked["train_fold"] and "runtime=480" in asked["train_fold"]


def test_an_unknown_target_is_told_with_the_nearest_one(tmp_path):
    write_study(tmp_path, "mine", settings())
    done = snakemake(tmp_path, "--dry-run", "tune", check=False, plain=True)
    said = done.stdout + done.stderr
    assert done.returncode and "Exception" not in said and "input functions" not in said
    assert "'tune' is no target" in said and "Did you mean 'tuned'?" in said
    listed = snakemake(tmp_path, "--list-target-rules", plain=True).stdout.split()
    assert set(TARGETS) == set(listed)


def test_a_folder_that_may_not_be_written_is_one_message(tmp_path):
    write_study(tmp_path, "mine", settings())
    bind = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", bind], capture_output=True).returncode:
        pytest.skip("this user may not mount a folder read-only")
    command = f"{bind} && cd {tmp_path} && {sys.executable} -m snakemake -s {ROOT}/Snakefile -n"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", command], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode and "Traceback" not in said
    assert f"{tmp_path} may not be written: Snakemake keeps its state" in said
