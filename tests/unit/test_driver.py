"""A killed driver's lock is lifted; one that lives, or cannot be seen, keeps its own."""

import os
import subprocess
import sys

import pytest

from foldwise.files import read_json, write_json
from foldwise.plan import driver
from foldwise.plan.driver import Driver, born


@pytest.fixture
def folder(tmp_path):
    """`.snakemake` of a run that was killed: its locks, and its note of another process's pid."""
    (tmp_path / "locks").mkdir()
    signed = Driver(tmp_path)
    for name in ("0.input.lock", "0.output.lock"):
        (tmp_path / "locks" / name).write_text("results/x\n")
    signed.sign()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    note = read_json(tmp_path / "driver.json")
    write_json(tmp_path / "driver.json", note | {"pid": dead.pid})
    return tmp_path


def locks(folder):
    return sorted(path.name for path in (folder / "locks").iterdir())


def test_a_dead_drivers_lock_is_lifted_and_said(folder):
    assert "was killed: its lock is lifted" in Driver(folder).lift()
    assert locks(folder) == []
    assert Driver(folder).lift() == ""


def test_a_living_driver_keeps_its_lock(folder):
    note = read_json(folder / "driver.json")
    write_json(folder / "driver.json", note | {"pid": os.getpid()})
    assert Driver(folder).lift() == ""
    assert len(locks(folder)) == 2


def test_a_zombie_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=-1)
    assert born(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert born(child.pid) == 0
    child.wait()


def test_a_process_that_has_the_dead_ones_number_is_another(folder):
    note = read_json(folder / "driver.json")
    write_json(folder / "driver.json", note | {"pid": os.getpid(), "born": note["born"] - 1})
    assert Driver(folder).lift()


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_driver_on_another_machine_keeps_its_lock(folder, part, monkeypatch):
    place = driver._place()
    place[part] = "another"
    monkeypatch.setattr(driver, "_place", lambda: place)
    assert Driver(folder).lift() == ""
    assert len(locks(folder)) == 2


def test_locks_of_others_stay(folder):
    (folder / "locks" / "1.output.lock").write_text("results/y\n")
    (folder / "locks" / "0.input.lock").unlink()
    (folder / "locks" / "0.input.lock").write_text("written anew\n")
    assert Driver(folder).lift()
    assert locks(folder) == ["0.input.lock", "1.output.lock"]


def test_without_a_note_nothing_is_touched(folder):
    (folder / "driver.json").write_text("cut sho")
    assert Driver(folder).lift() == ""
    assert born(2**30) == 0
