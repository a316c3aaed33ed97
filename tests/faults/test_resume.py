"""Training killed at random points ends in the bytes of training that was never stopped."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from foldwise.train.stop import EXIT_STOPPED

JOB = Path(__file__).parent / "resume_job.py"
FILES = ("best_model.pt", "train_history.json", "val_predictions.csv", "embeddings_val.npy")
EPOCHS = 12


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(JOB), str(folder), str(EPOCHS)])


def wait_for_epoch(job: subprocess.Popen, folder: Path, epoch: int) -> None:
    """Wait until the job has told that many epochs, those before a stop included."""
    told = folder / "results" / "ray_cv.jsonl"
    while not told.exists() or told.read_text().count("\n") < epoch:
        assert job.poll() is None
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Results of a job that nobody stops."""
    folder = tmp_path_factory.mktemp("whole")
    assert start(folder).wait(timeout=300) == 0
    return folder / "results"


@pytest.mark.parametrize(
    ("number", "times"),
    [(signal.SIGTERM, 2), (signal.SIGKILL, 3), (signal.SIGINT, 1), (signal.SIGUSR1, 1)],
)
def test_killed_and_run_again_ends_in_the_same_bytes(tmp_path, whole, number, times):
    moments = random.Random(int(number))
    for epoch in sorted(moments.sample(range(EPOCHS - 3), times)):
        job = start(tmp_path)
        wait_for_epoch(job, tmp_path, epoch)
        time.sleep(moments.uniform(0, 0.1))
        asked = time.monotonic()
        job.send_signal(number)
        code = job.wait(timeout=60)
        assert code == (-signal.SIGKILL if number == signal.SIGKILL else EXIT_STOPPED)
        assert time.monotonic() - asked < 10
        # Snakemake removes what a failed job had written of its outputs.
        for left in (tmp_path / "results").glob("*"):
            left.unlink()
    assert start(tmp_path).wait(timeout=300) == 0
    for name in FILES:
        assert (tmp_path / "results" / name).read_bytes() == (whole / name).read_bytes(), name
