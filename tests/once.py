"""Studies that several test files look at, run once on a machine, whichever process asks first."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from flow import copy_project, rules_of, run, write_study
from studies import density_study, settings

# In names of folders of the study with a holdout; nothing that is handed on may hold it.
CANARY = "ZZCANARYZZ"
HOLDOUT = {"n": 2, "holdout": 0.25}


def once(factory: pytest.TempPathFactory, make: Callable[[Path], None]) -> Path:
    """The folder that `make` filled, by the first of all test processes to ask; the others wait.

    It is not to be changed, see `copied`.
    """
    base = factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own in that of the session.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = shared / make.__name__, shared / f"{make.__name__}.done"
    with open(shared / f"{make.__name__}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def copied(folder: Path, target: Path) -> Path:
    """A copy of such a folder to change; times of files are kept."""
    shutil.copytree(folder, target, symlinks=True)
    return target


def finished_study(folder: Path) -> None:
    """A study that was run to the end, with the copy of the project that ran it, and one patient
    whose films are not in the archive yet."""
    root = copy_project(folder)
    density_study(folder, patients=13)
    _hide_a_patient(folder / "made")
    executed = run(folder, root=root)
    stages = {"cohort", "cache_shard", "audit", "folds", "train_fold", "predict_fold"}
    assert stages | {"evaluate_fold", "cv_summary"} <= rules_of(executed)


def _hide_a_patient(made: Path) -> None:
    patients: dict[str, set[Path]] = {}
    for path in sorted((made / "archive").rglob("*.dcm")):
        patient = str(pydicom.dcmread(path, specific_tags=["PatientID"]).PatientID)
        patients.setdefault(patient, set()).add(path.parent)
    for exam in patients[max(patients)]:
        shutil.move(exam, made / "hidden" / exam.name)


def finished_holdout(folder: Path) -> None:
    """A study with a holdout, run to its crate; folders of its data bear the CANARY."""
    density_study(folder, patients=16)
    (folder / "made").rename(folder / CANARY)
    write_study(folder, "mine", holdout_settings())
    executed = run(folder, "all", "crate")
    assert {"predict_holdout", "evaluate_holdout"} <= rules_of(executed)


def holdout_settings(**branches: dict) -> dict:
    """Its settings with branches merged in."""
    table = {"path": f"{CANARY}/labels.csv", "format": "accession"}
    data = settings()["data"] | {"root": f"{CANARY}/archive", "table": table}
    return settings(data=data, folds=HOLDOUT, **branches)
