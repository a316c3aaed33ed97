"""What every reader keeps: order decides nothing, faults are counted, nobody is named.

Runs over all readers of the registry; each has a tiny made-up study in tests/made_studies.py.
"""

import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

from cohorts import Study
from flow import write_study
from foldwise.cohort.audit_files import FIRST
from foldwise.cohort.files import IMAGES
from foldwise.contents import read_cohort
from foldwise.errors import FoldwiseError
from foldwise.registry import load, names
from foldwise.settings.study import load_study, run_settings
from made_studies import CANARY, EXAMPLES

READERS = names("READERS")


@pytest.fixture(scope="module", params=READERS)
def original(request, tmp_path_factory):
    """Name of a reader and a folder with its example, nothing read yet."""
    folder, reader = tmp_path_factory.mktemp("reader"), request.param
    write_study(folder, "mine", EXAMPLES[reader].make(folder, "made"))
    return reader, folder


@pytest.fixture
def study(original, tmp_path, monkeypatch):
    """A study on a copy of the example."""
    reader, folder = original
    shutil.copytree(folder, tmp_path / "copy")
    # Paths in settings are relative to where snakemake runs.
    monkeypatch.chdir(tmp_path / "copy")
    settings = load_study("mine", "config/studies")
    data = settings["data"]
    table = Path(data["table"]["path"])
    found = Study(Path("results"), Path(data["root"]), table, reader, data=data)
    found.whole = settings
    return found


def analysed(study, **changes):
    """The bytes of what is analysed."""
    study.cohort(**changes)
    study.audit(**changes)
    return (study.results / "cohort.csv").read_bytes()


def labels_of(study) -> Path:
    """The file with the labels."""
    return Path("made") / EXAMPLES[study.reader].table


def pictures(study):
    """Files of the archive that are meant to be pictures, by name."""
    accepts = load("READERS", study.reader)().accepts
    return [path for path in sorted(study.root.rglob("*")) if path.is_file() and accepts(path)]


def test_what_is_listed_is_what_the_task_can_learn_from(study):
    analysed(study)
    rows = study.rows("cohort")
    assert list(study.rows("images")[0]) == IMAGES
    assert list(rows[0])[: len(FIRST)] == FIRST
    plain = [row["content"] for row in read_cohort(study.results / "cohort.csv")]
    assert plain == sorted(plain)
    task = load("TASKS", study.whole["kind"])(run_settings(study.whole, "cv")["task"])
    texts = {row.pop("sample"): row for row in study.rows("private/texts")}
    EXAMPLES[study.reader].models(Path("made"))
    told = [row | {"texts": texts.get(row["sample"], {})} for row in rows]
    for name, values in task.targets(told).items():
        assert len(values) == len(rows), name
        assert np.isfinite(values).all(), name


def test_the_order_of_the_table_decides_nothing(study):
    first = analysed(study)
    path = labels_of(study)
    head, *lines = path.read_text().splitlines()
    lines = lines[::-1] if path.suffix == ".csv" else [head, *lines][::-1]
    path.write_text("\n".join([head, *lines] if path.suffix == ".csv" else lines) + "\n")
    assert analysed(study) == first


def test_decoded_again_the_pixels_are_the_same(study):
    study.cohort()
    first = {path.name: path.with_suffix(".npy").read_bytes() for path in study.decode()}
    shape = np.load(next((study.folder / "cache").glob("*.npy")), mmap_mode="r").shape[1:]
    for path in (study.folder / "cache").glob("*.npy"):
        path.with_suffix(".json").unlink()
    again = {path.name: path.with_suffix(".npy").read_bytes() for path in study.decode()}
    assert again == first
    assert shape[1:] == (32, 32)


def test_nobody_is_named_outside_private_folders(study, capfd, caplog):
    analysed(study)
    assert CANARY not in study.public_text()
    assert CANARY not in "".join(capfd.readouterr()) + caplog.text
    private = [path for path in study.folder.rglob("*") if "private" in path.parts]
    files = [path for path in private if path.is_file()]
    assert sum(path.read_text().count(CANARY) for path in files) > 20
    for path in private:
        # Locks hold nothing.
        if path.is_dir() or path.stat().st_size:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def quarantined(study):
    rows = study.rows("audit/data_audit")
    return sum(int(row["count"]) for row in rows if row["kind"] == "quarantine")


@pytest.mark.parametrize("fault", ["cut", "gone", "no_picture"])
def test_one_bad_file_is_counted_and_the_rest_goes_on(study, fault):
    whole = analysed(study, max_quarantine=1.0).count(b"\n")
    spoilt = pictures(study)[0]
    content = spoilt.read_bytes()
    if fault == "gone":
        spoilt.unlink()
    else:
        spoilt.write_bytes(content[: len(content) // 2] if fault == "cut" else b"no picture")
    # A folder of an accession lists its files itself: one that is gone was never named.
    counted = not (fault == "gone" and study.data["table"]["format"] == "accession")
    assert analysed(study, max_quarantine=1.0).count(b"\n") == whole - 1
    assert quarantined(study) >= counted
    assert CANARY not in study.public_text()


@pytest.mark.parametrize("what", ["table", "root"])
def test_what_is_not_there_is_named_with_its_setting(study, what):
    shutil.move("made", "elsewhere")
    if what == "root":
        shutil.copytree("elsewhere", "made", ignore=shutil.ignore_patterns("images", "archive"))
        study.data = study.data | {"root": "made/none"}
    with pytest.raises(FoldwiseError, match=rf"data\.{what}"):
        study.cohort()


def test_it_knows_its_own_files(study):
    accepts = load("READERS", study.reader)().accepts
    Path("notes.txt").write_text("not a picture\n")
    assert not accepts(Path("notes.txt"))
    assert len(pictures(study)) >= 10
