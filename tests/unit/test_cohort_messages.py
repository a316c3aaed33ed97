"""What stops a cohort says so in one message; odd headers and files do no harm."""

import os

import pydicom
import pytest

from cohorts import ALL, first_file, table_of, write_table
from foldwise.cohort.codes import Wanted
from foldwise.errors import FoldwiseError


def test_too_much_in_quarantine_stops_before_anything_is_decoded(study):
    rows = table_of(study)
    for row in rows[:5]:
        row["Classification"] = "7"
    rows.append({**rows[0], "AccessionNumber": ""})
    write_table(study, rows)
    with pytest.raises(FoldwiseError) as raised:
        study.cohort(max_quarantine=0.1)
    text = str(raised.value)
    for part in (
        "label that the study's classes do not name", "table row without an accession number: 1",
        "data.max_quarantine (10.0%)", "private/stopped.csv", "map it or drop it by name",
    ):  # fmt: skip
        assert part in text
    assert not (study.folder / "cache").exists()
    assert study.cohort(max_quarantine=0.5)["usable"] > 0


@pytest.mark.parametrize(("patients", "named"), [(6, True), (2, False)])
def test_a_label_that_many_have_is_named_and_what_may_be_one_patients_is_not(
    study, patients, named
):
    rows = table_of(study)
    for row in rows[:patients]:
        row["Classification"] = "CANARY"
    write_table(study, rows)
    with pytest.raises(FoldwiseError) as raised:
        study.cohort(max_quarantine=0.0)
    assert ("most often 'CANARY'" in str(raised.value)) == named
    assert named or "CANARY" not in str(raised.value)


def test_a_wrong_root_says_so(study):
    study.root = study.folder / "empty"
    study.root.mkdir(parents=True)
    with pytest.raises(FoldwiseError, match=r"table row without a folder .*check data\.root"):
        study.cohort()


def test_nothing_left_says_why(study):
    with pytest.raises(FoldwiseError, match=r"no image is left: image of a view .*: \d+"):
        study.cohort(views=("XCCL",))


def test_a_class_without_images_is_named(study):
    rows = [row for row in table_of(study) if row["Classification"] != "3"]
    write_table(study, rows)
    with pytest.raises(FoldwiseError, match=r"Class C has no image \(A: \d+, B: \d+, C: 0"):
        study.cohort()


def test_headers_that_are_no_code_are_not_taken_over(study):
    path = first_file(study, table_of(study)[0]["AccessionNumber"])
    dataset = pydicom.dcmread(path)
    dataset.ViewPosition = "SEEN BY CANARY"
    del dataset.ViewCodeSequence  # The coded view would stand in for it.
    dataset.ImageLaterality = "CANARY"
    dataset.save_as(path)
    study.cohort()
    assert "CANARY" not in study.public_text()
    assert "" in {row["view"] for row in study.rows("labels")}


def test_burned_in_text_is_quarantined_unless_allowed(study):
    path = first_file(study, table_of(study)[0]["AccessionNumber"])
    dataset = pydicom.dcmread(path)
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(path)
    flow = study.cohort(**ALL)
    assert flow["quarantine"] == {"burned_in": 1}
    assert flow["to_decode"] == flow["images_matched"] - 1
    assert study.cohort(wanted=Wanted(burned_in=True))["quarantine"] == {}


def test_objects_that_are_no_images_are_left_out_not_quarantined(study):
    path = first_file(study, table_of(study)[0]["AccessionNumber"])
    dataset = pydicom.dcmread(path)
    for name in ("Rows", "Columns", "PixelData"):
        del dataset[name]
    dataset.save_as(path.with_name("report.dcm"))
    flow = study.cohort()
    assert (flow["quarantine"], flow["left_out"]) == ({}, {"not_an_image": 1})


def test_pydicom_quotes_no_header_into_logs(study, caplog, recwarn):
    path = first_file(study, table_of(study)[0]["AccessionNumber"])
    dataset = pydicom.dcmread(path)
    dataset.save_as(path)
    data = path.read_bytes()
    # A date of birth and a patient id of impossible form, in a file that is otherwise sound.
    place = data.index(b"DA", data.index(b"\x10\x00\x30\x00"))
    path.write_bytes(data[: place + 4] + b"CANARY!!" + data[place + 12 :])
    study.cohort(max_quarantine=1.0)
    said = caplog.text + "".join(str(one.message) for one in recwarn)
    assert "CANARY" not in said


def test_a_folder_that_cannot_be_listed_is_named(study, monkeypatch):
    scandir, accession = os.scandir, table_of(study)[0]["AccessionNumber"]

    def refuse(path):
        if str(path).endswith(accession):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    study.cohort(**ALL)
    found = [row for row in study.rows("private/findings") if row["kind"] == "quarantine"]
    assert [(row["reason"], row["accession"]) for row in found] == [
        ("unreadable_folder", accession)
    ]
