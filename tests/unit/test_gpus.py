"""Jobs on one machine spread over its GPUs; which one a job has is no part of its results."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from foldwise.train import machine
from foldwise.train.process import gpus

NAMES = ["GPU-a", "GPU-b"]
OTHER_JOB = """
import sys
from pathlib import Path
from foldwise.train.process.gpus import take
print(take(["GPU-a", "GPU-b"], Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def unlocked(monkeypatch):
    """Neither locks nor a device from another test."""
    monkeypatch.setattr(gpus, "LOCKS", [])
    machine.device.cache_clear()
    yield
    for lock in gpus.LOCKS:
        os.close(lock)
    machine.device.cache_clear()


def seen(monkeypatch, tmp_path, names):
    """A machine that shows these GPUs; returns the devices that were made current."""
    current = []
    monkeypatch.setattr(machine, "places", lambda: tmp_path / "places")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(names))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(names))
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=names[index])
    )
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    return current


def other_job(folder):
    command = [sys.executable, "-c", OTHER_JOB, str(folder)]
    pipe, env = subprocess.PIPE, os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    job = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)
    return job, int(job.stdout.readline())


def test_jobs_spread_and_come_back_to_the_first(tmp_path):
    assert [gpus.take(NAMES, tmp_path / "places") for _ in range(5)] == [0, 1, 0, 1, 0]
    assert (tmp_path / "places").stat().st_mode & 0o777 == 0o700


def test_a_gpu_is_known_by_its_name_where_jobs_see_others(tmp_path):
    assert gpus.take(NAMES, tmp_path) == 0
    assert gpus.take(["GPU-c", "GPU-a"], tmp_path) == 0
    assert gpus.take(["GPU-a", "GPU-d"], tmp_path) == 1


def test_what_a_killed_job_held_is_free_again(tmp_path):
    first, index = other_job(tmp_path)
    assert index == 0 and gpus.take(NAMES, tmp_path) == 1
    first.kill()
    first.wait()
    second, index = other_job(tmp_path)
    assert index == 0
    second.communicate("")


def test_a_job_keeps_its_gpu(monkeypatch, tmp_path):
    current = seen(monkeypatch, tmp_path, NAMES)
    job, _ = other_job(tmp_path / "places")
    assert machine.device() == machine.device() == torch.device("cuda", 1)
    assert current == [1]
    job.communicate("")


def test_one_gpu_or_none_is_no_choice(monkeypatch, tmp_path):
    current = seen(monkeypatch, tmp_path, NAMES[:1])
    assert machine.device() == torch.device("cuda")
    machine.device.cache_clear()
    seen(monkeypatch, tmp_path, [])
    assert machine.device() == torch.device("cpu")
    assert not current and not (tmp_path / "places").exists()
