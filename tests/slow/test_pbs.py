"""A study through `profiles/pbs` on the made-up server: training that needs three walltimes ends in
the bytes of training that nobody stopped."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from pbs_cluster import Cluster

from flow import ROOT, snakemake
from studies import density_study

pytestmark = pytest.mark.slow
RUN = "results/mine/runs/cv"
TARGETS = [f"{RUN}/fold_{fold}/results/metrics/val_metrics.json" for fold in (1, 2)]
# What holds no times of day.
MADE = [
    *("results/best_model.pt", "results/train_history.json", "results/val_predictions.csv"),
    *("results/embeddings_val.npy", "results/metrics/val_metrics.json"),
]
EPOCHS = 30
KILLED_AFTER = (4, 12)  # epochs: two walltimes pass, the third is enough
SCALE = 1 / 3600  # an hour of walltime lasts a second, from when its clock is started


@pytest.fixture
def undisturbed(tmp_path):
    """A study that was run here, and the bytes of what its folds made."""
    study = density_study(
        tmp_path / "study",
        training={"epochs": EPOCHS, "batch_size": 4, "early_stopping": {"patience": None}},
        image={"size": 64},
    )
    snakemake(study, *TARGETS)
    made = {path: path.read_bytes() for name in MADE for path in study.glob(f"{RUN}/fold_*/{name}")}
    assert len(made) == 2 * len(MADE)
    shutil.rmtree(study / RUN)
    return study, made


@pytest.fixture
def cluster(tmp_path):
    """As PBS: SIGTERM at the walltime, SIGKILL ten seconds later."""
    made = Cluster(tmp_path / "pbs", walltime_scale=SCALE, kill_delay=10.0)
    yield made
    made.stop()


def start(study, cluster):
    """The driver, as a user starts it, asking the server more often."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(study), "--profile", str(ROOT / "profiles" / "pbs"), *TARGETS]
    command += ["--pbspro-poll", "1", "--pbspro-status-every", "2", "--latency-wait", "30"]
    found = {"PATH": f"{cluster.bin}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    with open(study / "driver.log", "w") as log:
        return subprocess.Popen(command, cwd=study, stdout=log, stderr=log, env=os.environ | found)


def wait_for(ready, driver, log):
    """Wait until `ready()` gives something, and give it."""
    while not (found := ready()):
        assert driver.poll() is None, log.read_text()
        time.sleep(0.02)
    return found


def pass_walltime(study, cluster, driver, attempt, epoch):
    """Let the walltime of fold 1's job pass once it has told `epoch`; seconds until it ended."""
    log = study / "driver.log"
    name = r"Submitted train_fold_study_mine_run_cv_fold_1\.\w+ as PBS job (\d+)\."

    def job():
        return re.findall(name, log.read_text())[attempt:]

    def reported():
        path = study / f"{RUN}/fold_1/results/ray_cv.jsonl"
        return path.exists() and path.read_text().count("\n") >= epoch

    number = wait_for(job, driver, log)[0]
    wait_for(reported, driver, log)
    clock, began = cluster.folder / "home" / f"clock.{number}.fake", time.time()
    clock.touch()
    os.utime(clock, (began - 100, began - 100))

    def ended():
        ends = cluster.folder / "ends.log"
        return ends.exists() and re.findall(rf"^(\S+) {number}\.fake", ends.read_text(), re.M)

    return float(wait_for(ended, driver, log)[0]) - began


def test_training_of_three_walltimes(undisturbed, cluster):
    study, made = undisturbed
    driver = start(study, cluster)
    try:
        for attempt, epoch in enumerate(KILLED_AFTER):
            took = pass_walltime(study, cluster, driver, attempt, epoch)
            print(f"walltime {attempt + 1}: saved and ended in {took:.1f} s")
        assert driver.wait(1800) == 0, (study / "driver.log").read_text()
    finally:
        driver.kill()
    said = (study / "driver.log").read_text()
    assert said.count("PBS killed it: walltime") == 2
    assert re.search(r"PBS: \d+ queued, \d+ running, \d+ done\n.*epoch \d+ of 30, .* left", said)
    calls = [" ".join(call) for call in cluster.calls("qsub") if "cv_fold_1." in call[1]]
    asked = [re.findall(r"walltime=(\d+)", call)[0] for call in calls if "train_fold" in call]
    assert asked == ["28800", "43200", "64800"]
    assert all("ngpus=1" in call and "-q gpuq" in call for call in calls if "train_fold" in call)
    # Gone on from the epoch of the stop, not begun anew.
    for path, bytes_before in made.items():
        assert path.read_bytes() == bytes_before, path
