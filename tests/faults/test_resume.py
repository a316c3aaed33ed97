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


def start(folder: Path) -> subprocess.Popen:
    """Start the job and wait until it trains."""
    job = subprocess.Popen([sys.executable, str(JOB), str(folder)], stdout=subprocess.PIPE)
    assert job.stdout.readline() == b"training\n"
    return job


def run(folder: Path) -> float:
    """Run the job to its end; returns the seconds of training."""
    job = start(folder)
    begin = time.monotonic()
    assert job.wait(timeout=120) == 0
    return time.monotonic() - begin


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, float]:
    """Results and seconds of a job that nobody stops."""
    folder = tmp_path_factory.mktemp("whole")
    seconds = run(folder)
    return folder / "results", seconds


@pytest.mark.parametrize(
    ("number", "times"),
    [(signal.SIGTERM, 3), (signal.SIGKILL, 3), (signal.SIGINT, 1), (signal.SIGUSR1, 1)],
)
def test_killed_and_run_again_ends_in_the_same_bytes(tmp_path, whole, number, times):
    results, seconds = whole
    moments = random.Random(int(number))
    for _ in range(times):
        job = start(tmp_path)
        time.sleep(moments.uniform(0.02, 0.25) * seconds)
        asked = time.monotonic()
        job.send_signal(number)
        code = job.wait(timeout=30)
        assert code == (-signal.SIGKILL if number == signal.SIGKILL else EXIT_STOPPED)
        assert time.monotonic() - asked < 5
        # Snakemake removes what a failed job had written of its outputs.
        for left in (tmp_path / "results").glob("*"):
            left.unlink()
    run(tmp_path)
    for name in FILES:
        assert (tmp_path / "results" / name).read_bytes() == (results / name).read_bytes(), name
    assert not (tmp_path / "state").exists()
