"""Training killed at random points ends in the bytes of training that was never stopped."""

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import cv2
import pytest

from faults.resume_job import EPOCHS, main
from foldwise.train.process.stop import EXIT_STOPPED

FILES = ("best_model.pt", "train_history.json", "val_predictions.csv", "embeddings_val.npy")


def start(folder: Path) -> BaseProcess:
    """A training job in a process of its own; forked, since to import PyTorch takes longer."""
    # OpenCV's threads, which tests before may have begun here, do not outlive a fork.
    cv2.setNumThreads(1)
    job = multiprocessing.get_context("fork").Process(target=main, args=(folder,))
    job.start()
    return job


def ended(job: BaseProcess, seconds: int) -> int | None:
    """Its exit status, below 0 for a signal."""
    job.join(seconds)
    return job.exitcode


def wait_for_epoch(job: BaseProcess, folder: Path, epoch: int) -> None:
    """Wait until the job has told that many epochs, those before a stop included."""
    told = folder / "results" / "ray_cv.jsonl"
    while not told.exists() or told.read_text().count("\n") < epoch:
        assert job.is_alive()
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Results of a job that nobody stops."""
    folder = tmp_path_factory.mktemp("whole")
    assert ended(start(folder), 300) == 0
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
        os.kill(job.pid, number)
        code = ended(job, 60)
        assert code == (-signal.SIGKILL if number == signal.SIGKILL else EXIT_STOPPED)
        assert time.monotonic() - asked < 10
        # Snakemake removes what a failed job had written of its outputs.
        for left in (tmp_path / "results").glob("*"):
            left.unlink()
    assert ended(start(tmp_path), 300) == 0
    for name in FILES:
        assert (tmp_path / "results" / name).read_bytes() == (whole / name).read_bytes(), name
