"""Data that contradict themselves are refused, or left out whole where the config says so."""

import shutil

import pytest

from cohorts import ALL, first_file, id_map_of, pictures_of, table_of, write_table
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, write_csv
from made import picture_archive
from usual import conflicts


def refused(study, part, *texts, **changes):
    with pytest.raises(FoldwiseError) as raised:
        study.cohort(**{**ALL, **changes})
    for text in (f"data.conflicts.{part}: drop", "private/stopped.csv", *texts):
        assert text in str(raised.value), str(raised.value)
    for row in study.rows("private/stopped"):
        assert row["file"] not in str(raised.value)
    return study.rows("private/stopped")


def test_an_exam_with_two_labels(study):
    rows = table_of(study)
    other = "1" if rows[0]["Classification"] != "1" else "2"
    write_table(study, [*rows, {**rows[0], "Classification": other}])
    found = refused(study, "labels", "1 exam with two different labels (4 images)")
    assert {row["row"] for row in found} == {f"2 {len(rows) + 2}"}
    flow = study.cohort(conflicts=conflicts(labels="drop"), **ALL)
    assert flow["quarantine"] == {"two_labels": 4}
    assert flow["to_decode"] == flow["images_matched"]
    assert not (study.results / "private/stopped.csv").exists()


def test_two_rows_that_agree_are_one(study):
    rows = table_of(study)
    write_table(study, [*rows, {**rows[0], "Classification": rows[0]["Classification"] + ".0"}])
    flow = study.cohort()
    assert flow["quarantine"] == {}


def test_a_class_and_a_dropped_value_are_two_labels(study):
    rows = table_of(study)
    write_table(study, [*rows, {**rows[0], "Classification": "5"}])
    refused(study, "labels")


def test_classes_that_the_mapping_joins_are_no_conflict(study):
    rows = table_of(study)
    write_table(study, [*rows, {**rows[0], "Classification": "1"}])
    mapping = {"mapping": {"1": "x", "2": "x", "3": "x", "4": "x"}, "order": ["x"]}
    assert study.cohort(classes=mapping)["quarantine"] == {}


def test_an_exam_of_two_patients(study):
    accessions = [row["AccessionNumber"] for row in table_of(study)]
    patient = {row["accession"]: row["patient"] for row in id_map_of(study)}
    other = next(one for one in accessions if patient[one] != patient[accessions[0]])
    strayed = first_file(study, other)
    shutil.move(strayed, study.root / accessions[0] / "strayed.dcm")
    refused(study, "patients", "1 exam under two patients (5 images)")
    flow = study.cohort(conflicts=conflicts(patients="drop"), **ALL)
    assert flow["quarantine"] == {"two_patients": 5}


def test_a_copied_file_under_another_patient(study):
    # A picture format whose file names no patient: equal bytes, two patients.
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    rows = read_csv(pictures.table)
    far = next(row for row in rows if row["patient_id"] != rows[0]["patient_id"])
    shutil.copy(pictures.root / rows[0]["image_path"], pictures.root / far["image_path"])
    refused(pictures, "pixels", "1 picture that two groups have (2 images)")
    flow = pictures.cohort(conflicts=conflicts(pixels="drop"), **ALL)
    assert flow["quarantine"] == {"same_pixels": 2}
    assert flow["to_decode"] == flow["images_matched"] - 1


def test_ways_out_that_keep_a_copied_picture(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    rows = read_csv(pictures.table)
    one = rows[0]
    alike = [row for row in rows if row["density_label"] == one["density_label"]]
    far = next(row for row in alike if row["patient_id"] != one["patient_id"])
    shutil.copy(pictures.root / one["image_path"], pictures.root / far["image_path"])
    refused(pictures, "pixels", "data.exclusions", "data.columns.patient", "the right one too")
    excluded = study.folder / "excluded.csv"
    write_csv(excluded, ["id", "reason"], [{"id": far["image_path"], "reason": "a copy"}])
    flow = pictures.cohort(exclusions=str(excluded))
    assert (flow["left_out"], flow["quarantine"]) == ({"excluded": 1}, {})
    merged = {far["patient_id"]: one["patient_id"]}
    for row in rows:
        row["patient_id"] = merged.get(row["patient_id"], row["patient_id"])
    write_csv(pictures.table, list(one), rows)
    flow = pictures.cohort()
    assert flow["quarantine"] == {} and flow["left_out"] == {"copy": 1}


def test_a_copied_file_of_the_same_patient_counts_once(study):
    accession = table_of(study)[0]["AccessionNumber"]
    shutil.copy(first_file(study, accession), study.root / accession / "9.dcm")
    assert study.cohort()["left_out"] == {"copy": 1}
    files = {row["sample"]: row["file"] for row in study.rows("private/id_map")}
    assert f"{accession}/9.dcm" not in {files[row["sample"]] for row in study.rows("images")}


def test_copies_with_a_label_each_are_two_labels(study):
    rows = table_of(study)
    other = "1" if rows[0]["Classification"] != "1" else "2"
    (study.root / "copy").mkdir()
    shutil.copy(first_file(study, rows[0]["AccessionNumber"]), study.root / "copy" / "1.dcm")
    write_table(study, [*rows, {**rows[0], "AccessionNumber": "copy", "Classification": other}])
    refused(study, "labels", "(2 images)")


def test_all_that_is_refused_is_said_at_once(study):
    rows = table_of(study)
    other = "1" if rows[0]["Classification"] != "1" else "2"
    patient = {row["accession"]: row["patient"] for row in id_map_of(study)}
    accessions = [row["AccessionNumber"] for row in rows]
    far = next(one for one in accessions if patient[one] != patient[accessions[1]])
    shutil.copy(first_file(study, far), study.root / accessions[1] / "strayed.dcm")
    write_table(study, [*rows, {**rows[0], "Classification": other}])
    found = refused(study, "labels", "data.conflicts.patients: drop")
    assert {row["reason"] for row in found} == {"two_labels", "two_patients"}
