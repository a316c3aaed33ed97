"""`profiles/slurm` on a real Slurm of one node: a tiny workflow, the check command, training
that meets its time limit, the demo.

Uses the Slurm that answers here, else sets one up with `slurm.sh` (root on Debian or Ubuntu).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flow import snakemake
from studies import density_study

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
MADE = ("results/best_model.pt", "results/train_history.json", "results/val_predictions.csv")
SET_UP = Path(__file__).with_name("slurm.sh")
TINY = """
rule all:
    input: "cpu.txt", "gpu.txt"
rule cpu:
    output: "cpu.txt"
    threads: 2
    resources: mem_mb=500, runtime=7, gpu=0
    shell: "scontrol show job $SLURM_JOB_ID > {output}"
rule train_fold:
    output: "gpu.txt"
    resources: mem_mb=600, runtime=9, gpu=0
    shell: "(scontrol show job $SLURM_JOB_ID; echo MASK=$CUDA_VISIBLE_DEVICES) > {output}"
"""


def answers() -> bool:
    return (
        bool(shutil.which("sinfo"))
        and subprocess.run(["sinfo"], capture_output=True).returncode == 0
    )


@pytest.fixture(scope="module")
def slurm():
    """A Slurm with the partitions cpu and gpu; one that was set up is taken down again."""
    import snakemake_executor_plugin_slurm  # noqa: F401  `make slurm` installs it.

    if answers():
        yield
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("no Slurm answers here, and only root on Debian or Ubuntu can set one up")
    if not shutil.which("slurmctld"):
        subprocess.run([str(SET_UP), "install"], check=True, timeout=600)
    # Not pytest's folder: daemons of other users (mysql, munge) cannot look into it.
    with tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        try:
            subprocess.run([str(SET_UP), "up", folder], check=True, timeout=300)
            yield
        finally:
            subprocess.run([str(SET_UP), "down", folder], check=True, timeout=60)


def run(folder: Path, *options: str, limit: int = 300) -> str:
    """Run Snakemake through the profile in `folder`; what it said."""
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", *options]
    command += ["--slurm-init-seconds-before-status-checks", "5"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limit)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_rules_are_mapped(slurm, tmp_path):
    (tmp_path / "Snakefile").write_text(TINY)
    shutil.copytree(ROOT / "profiles" / "slurm", tmp_path / "profiles" / "slurm")
    run(tmp_path)
    cpu, gpu = ((tmp_path / name).read_text() for name in ("cpu.txt", "gpu.txt"))
    assert "Partition=cpu" in cpu and "TimeLimit=00:07:00" in cpu and "NumCPUs=2" in cpu
    # The profile asks for a GPU and for the walltime of its first attempt; the rule named none.
    assert "Partition=gpu" in gpu and "TimeLimit=08:00:00" in gpu and "gres:gpu" in gpu
    assert "MASK=0" in gpu and "mem=600M" in gpu


def test_check_command(slurm, tmp_path):
    copy(tmp_path)
    command = [sys.executable, "workflow/scripts/check_cluster.py", "--profile", "profiles/slurm"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert "CPU job ran on" in done.stdout and "works  2 cores for 2 asked" in done.stdout
    assert "GPU job ran on" in done.stdout


def test_training_of_two_time_limits(slurm, tmp_path):
    """Slurm ends it after a minute or two, long before the last epoch; the retry ends in the bytes
    of training that nobody stopped."""
    training = {"epochs": 400, "batch_size": 4, "early_stopping": {"patience": None}}
    study = density_study(tmp_path, training=training, image={"size": 128})
    fold = study / "results/mine/runs/cv/fold_1"
    target = str((fold / "results/val_predictions.csv").relative_to(study))
    snakemake(study, target)
    before = {path: path.read_bytes() for path in map(fold.joinpath, MADE)}
    shutil.rmtree(fold)
    shutil.copytree(ROOT / "profiles", study / "profiles")
    limits = ["--set-resources", "train_fold:runtime=1 if attempt == 1 else 30"]
    said = run(study, "--snakefile", str(ROOT / "Snakefile"), target, *limits, limit=1500)
    assert "TIMEOUT" in said and "Trying to restart job" in said, said
    log = study / "results/mine/logs/cv/train_fold/fold_1.log"
    assert "Going on after epoch" in log.read_text()
    assert {path: path.read_bytes() for path in before} == before


def test_demo(slurm, tmp_path):
    copy(tmp_path)
    demo = [sys.executable, "phantoms/make_demo.py", "density", "demo/density"]
    subprocess.run(demo, cwd=tmp_path, check=True, timeout=1200)
    chosen = ["--configfile", "config/demo.yaml", "--config", 'studies=["demo_density"]']
    said = run(tmp_path, *chosen, limit=5400)
    assert "Auto-selected partition 'gpu' for job train_fold" in said
    results = tmp_path / "results" / "demo_density"
    assert (results / "runs/cv/cv_summary.json").stat().st_size > 1000
    assert (results / "report/index.html").exists()
    assert "Nothing to be done" in run(tmp_path, *chosen)


def copy(folder: Path) -> None:
    """The workflow as it is, without what is made by it."""
    for name in ("Snakefile", "config", "workflow", "profiles", "envs"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
