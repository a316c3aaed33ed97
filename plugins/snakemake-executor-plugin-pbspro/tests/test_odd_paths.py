"""Projects in folders with names that a shell would read as its own words."""

import os
import subprocess

import pytest
from pbs_cluster import Workflow
from snakemake_executor_plugin_pbspro.script import write_environment, write_script
from snakemake_executor_plugin_pbspro.settings import ExecutorSettings

NAMES = [
    "o'brien",
    "a b",
    "$(touch hit)",
    "`touch hit`",
    'the "best"',
    "a;touch hit",
    "back\\slash",
]
NAMES += ["$HOME", "x && touch hit", "-n", "*", "ü", 'it\'s $(touch hit) "now"']


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "not shared"])
def test_a_script_runs_in_any_folder_and_runs_nothing_of_its_name(tmp_path, name, shared):
    work = tmp_path / name
    folder = work / ".snakemake" / "pbspro"
    for each in ("jobs", "claims", "exits", "status", "scripts"):
        (folder / each).mkdir(parents=True)
    (folder / "jobs" / "t1.json").write_text("{}")
    write_environment(folder / "environment.sh", {"SECRET": f"{name} '"})
    command = 'printf "%s\\n" "$PWD" "$SECRET" "$PBSPRO_STATUS" > made; (exit 3)'
    path = write_script(folder, "t1", command, str(work), ExecutorSettings())
    if not shared:
        script = path.read_text()
        path = tmp_path / "t1.sh"
        path.write_text(script)
        work.rename(tmp_path / "elsewhere")
    done = subprocess.run(
        ["bash", path],
        cwd=tmp_path,
        env=os.environ | {"PBS_JOBID": "1.s"},
        capture_output=True,
        text=True,
    )
    assert not list(tmp_path.rglob("hit"))
    if not shared:
        assert done.returncode == 76
        assert f"No {folder} on " in done.stderr
        return
    assert done.returncode == 3, done.stderr
    assert (work / "made").read_text().splitlines() == [
        str(work), f"{name} '", str(folder / "status" / "t1")
    ]  # fmt: skip
    assert (folder / "exits" / "t1").read_text().strip() == "3"


def test_a_workflow_in_such_a_folder(tmp_path, cluster):
    folder = tmp_path / "it's $(touch hit) of \"o'brien\""
    flow = Workflow(
        folder, cluster, 'rule all:\n    output: "made"\n    shell: "echo 1 > {output}"\n'
    )
    try:
        settings = folder / "settings.yaml"
        settings.write_text("a: 1\n")
        code, output = flow.run("--configfile", str(settings))
        assert code == 0, output
        assert (folder / "made").read_text() == "1\n"
        assert not list(tmp_path.rglob("hit"))
    finally:
        flow.close()
