"""Nothing that identifies a patient stands outside folders named `private`, in failure too."""

import os
import stat

import pytest

from flow import snakemake, write_study
from leaking import identifying_values, leaks
from once import copied, finished_study, once
from studies import density_study, settings


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = once(tmp_path_factory, finished_study)
    return copied(folder, tmp_path_factory.mktemp("private") / "study")


def test_a_finished_study_leaks_nothing(finished):
    assert leaks(finished, identifying_values(finished / "made" / "archive")) == {}


def test_paths_of_the_archive_stand_in_no_record_and_no_report(finished):
    snakemake(finished, "--report", "report.html", root=finished / "project")
    places = (b"made/archive", b"made/labels.csv")
    files = [path for path in (finished / "results").rglob("*") if "private" not in path.parts]
    files += [*(finished / ".snakemake").rglob("*"), finished / "report.html"]
    found = [path for path in files if path.is_file() and _holds(path, places)]
    assert found == []
    assert stat.S_IMODE((finished / ".snakemake").stat().st_mode) == 0o700


def _holds(path, places):
    content = path.read_bytes()
    return any(place in content for place in places)


def test_the_search_for_leaks_would_find_one(finished):
    values = identifying_values(finished / "made" / "archive")
    path = finished / "results" / "planted.txt"
    path.write_text(f"x {sorted(values)[0]} y")
    assert list(leaks(finished, values)) == ["results/planted.txt"]
    path.unlink()


def test_the_private_map_has_what_the_results_lack(finished):
    text = (finished / "results/mine/private/id_map.csv").read_text()
    values = identifying_values(finished / "made" / "archive")
    assert any(value in text for value in values)


def test_results_are_for_their_owner_alone(finished):
    modes = {
        path: stat.S_IMODE(os.lstat(path).st_mode) for path in (finished / "results").rglob("*")
    }
    names = {path.name for path in modes}
    assert {"id_map.csv", "cohort.csv", "best_model.pt", "index.html", "key", "private"} < names
    assert not [f"{path}: {mode:o}" for path, mode in modes.items() if mode & 0o077]


def test_a_failed_study_leaks_nothing(tmp_path):
    density_study(tmp_path)
    values = identifying_values(tmp_path / "made" / "archive")
    for path in sorted((tmp_path / "made" / "archive").rglob("*.dcm"))[::2]:
        path.write_bytes(path.read_bytes()[:-400])
    write_study(tmp_path, "mine", settings())
    done = snakemake(tmp_path, check=False)
    assert done.returncode
    said = done.stdout + done.stderr
    assert "max_quarantine" in said
    assert "Traceback" not in said
    assert leaks(tmp_path, values) == {}
    assert not [value for value in values if value in said]
