"""The run record's command line: what was typed, and nothing that may name a patient."""

import pytest

from foldwise.report.command import command_line, remember, remembered

STUDIES, RULES = ["density", "demo_zones"], ["tuned", "train_fold"]


def command_of(line):
    return command_line(line.split(" ") if line else [], STUDIES, RULES)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--cores 2",
        "-c4 --keep-going -n",
        "--profile profiles/slurm --jobs 90 --retries=3",
        "--configfile config/demo.yaml tuned",
        "--forcerun train_fold --rerun-triggers mtime params",
        "results/density/runs/cv/cv_summary.json",
    ],
)
def test_what_is_known_is_kept_as_typed(line):
    assert command_of(line) == f"snakemake {line}".strip()


def test_studies_are_named_if_they_are_studies():
    assert command_of("""--config studies=["demo_zones"]""") == (
        """snakemake --config 'studies=["demo_zones"]'"""
    )
    assert command_of('--config studies=["doe_jane"]') == "snakemake --config ..."


@pytest.mark.parametrize(
    "line",
    [
        "--config data.root=/archive/DOE^JANE",
        "--directory /data/doe_jane",
        "--directory=/data/doe_jane",
        "-d/data/doe_jane",
        "--profile /home/doe/profiles/slurm",
        "--config folder=doe_jane",
        "results/density/private/doe.csv",
        "results/doe/x.json",
        "results/density/../../data/doe_jane",
        "doe_jane",
        "--set-resources train_fold:mem_mb=doe",
        "--default-resources slurm_account=doe",
        "--config folder=doe/19700101",
        "../results/density/doe",
    ],
)
def test_nothing_else_is(line):
    found = command_of(line)
    assert "doe" not in found.lower()
    assert "/" not in found and "1970" not in found
    assert "..." in found


def test_several_words_left_out_are_one_ellipsis():
    assert command_of("--config a=b c=d --cores 1") == "snakemake --config ... --cores 1"


def test_it_is_kept_beside_the_logs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert remembered("density") == {}
    remember(["--cores", "2"], ["density"], RULES, "training.epochs=2")
    found = remembered("density")
    assert found["command"] == "snakemake --cores 2"
    assert found["set"] == "training.epochs=2"
    assert found["started"].endswith("+00:00")
