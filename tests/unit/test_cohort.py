"""The cohort: rows and files joined, names, and what no file may tell."""

import json
import os
import random
import shutil
import stat

from cohorts import ALL, CLASSES, id_map_of, table_of, write_table
from foldwise.cohort.readers.base import Columns
from foldwise.contents import read_cohort
from foldwise.errors import FoldwiseError


def test_an_empty_patient_cell_is_not_filled_from_the_header(study):
    """The header's ids are not the table's: one patient would be two, on both sides of a fold."""
    patient = {row["accession"]: row["patient"] for row in id_map_of(study)}
    rows = [{**row, "who": f"P-{patient[row['AccessionNumber']]}"} for row in table_of(study)]
    rows[0]["who"] = ""
    write_table(study, rows)
    flow = study.cohort(columns=Columns(patient="who"), **ALL)
    exam = [row for row in study.rows("private/id_map") if row["patient"] == ""]
    assert {row["accession"] for row in exam} == {rows[0]["AccessionNumber"]}
    assert flow["quarantine"] == {"no_patient": len(exam)}


def test_every_image_of_every_row_is_found(study):
    flow = study.cohort()
    films = len(list(study.root.rglob("*.dcm")))
    assert flow["usable"] == flow["images_matched"] == films == len(study.rows("images"))
    labels = {row["AccessionNumber"]: row["Classification"] for row in table_of(study)}
    exam = {row["sample"]: row["accession"] for row in study.rows("private/id_map")}
    for row in study.rows("labels"):
        assert row["label"] == "ABCD"[int(labels[exam[row["sample"]]]) - 1]
    assert {row["view"] for row in study.rows("labels")} == {"CC", "MLO"}
    assert {row["side"] for row in study.rows("labels")} == {"L", "R"}


def test_dates_of_labels_stand_in_private_alone(study):
    rows = table_of(study)
    dates = {row["AccessionNumber"]: row["ClassificationDate"] for row in rows}
    study.cohort(columns=Columns(date="ClassificationDate"))
    found = study.rows("private/id_map")
    assert found and all(row["date"] == dates[row["accession"]] for row in found)
    assert not [date for date in dates.values() if date in study.public_text()]


def test_groups_are_patients_and_exams_are_accessions(study):
    study.cohort()
    patients = {row["group"]: row["patient"] for row in study.rows("private/id_map")}
    exams = {row["exam"]: row["accession"] for row in study.rows("private/id_map")}
    assert len(patients) == len(set(patients.values())) == 12
    assert len(exams) == len(set(exams.values())) == len(table_of(study))


def test_groups_may_be_accessions_when_asked_for(study):
    assert study.cohort(group="accession")["group"] == "accession"
    groups = {row["group"] for row in study.rows("images")}
    assert len(groups) == len(table_of(study))


def test_lost_zeros_are_found_again(study):
    rows = table_of(study)
    rows[0]["AccessionNumber"] = "4711.0"
    rows[1]["AccessionNumber"] = "12"
    for row, name in zip(table_of(study), ("004711", "000012"), strict=False):
        (study.root / row["AccessionNumber"]).rename(study.root / name)
    write_table(study, rows)
    flow = study.cohort()
    assert flow["quarantine"] == {}
    assert {"004711", "000012"} <= {row["accession"] for row in study.rows("private/id_map")}


def test_a_folder_by_its_own_name_comes_before_a_padded_one(study):
    folders = [row["AccessionNumber"] for row in table_of(study)][:2]
    (study.root / folders[0]).rename(study.root / "77")
    (study.root / folders[1]).rename(study.root / "000077")
    rows = table_of(study)
    rows[0]["AccessionNumber"], rows[1]["AccessionNumber"] = "77", "000077"
    write_table(study, rows)
    assert study.cohort()["quarantine"] == {}


def test_files_of_one_study_say_nothing_that_identifies(study):
    study.cohort()
    text = study.public_text()
    for row in study.rows("private/id_map"):
        for name in ("patient", "accession", "file"):
            assert row[name] not in text
    private = study.results / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()} == {0o600}


def public(study):
    return {
        path.relative_to(study.folder): path.read_bytes()
        for path in sorted(study.folder.rglob("*"))
        if path.is_file() and "private" not in path.parts
    }


def test_neither_order_of_the_table_nor_times_nor_copies_of_it_change_a_public_byte(study):
    study.cohort()
    before = public(study)
    rows = table_of(study)
    random.Random(3).shuffle(rows)
    write_table(study, rows)
    for path in study.root.rglob("*.dcm"):
        os.utime(path)
    study.cohort()
    assert public(study) == before


def plain_contents(study):
    return [row["content"] for row in read_cohort(study.results / "images.csv")]


def test_rows_are_in_order_of_contents_whatever_the_key(study):
    study.cohort()
    first, keyed = plain_contents(study), [row["content"] for row in study.rows("images")]
    shutil.rmtree(study.folder)
    study.cohort()
    assert plain_contents(study) == first == sorted(first)
    assert not {row["content"] for row in study.rows("images")} & set(keyed)


def test_a_renamed_folder_keeps_sample_and_shard(study):
    study.cohort()
    before = study.rows("images")
    rows = table_of(study)
    (study.root / rows[0]["AccessionNumber"]).rename(study.root / "moved")
    rows[0]["AccessionNumber"] = "moved"
    write_table(study, rows)
    study.cohort()
    keep = ("sample", "group", "content", "shard", "row")
    after = study.rows("images")
    assert [[row[name] for name in keep] for row in after] == [
        [row[name] for name in keep] for row in before
    ]


def test_views_are_kept_by_name(study):
    flow = study.cohort(views=("mlo",))
    assert {row["view"] for row in study.rows("labels")} == {"MLO"}
    assert flow["left_out"] == {"other_view": flow["images_matched"] // 2}


def test_a_subset_is_drawn_by_whole_groups_and_by_seed(study):
    def drawn(seed, size):
        study.cohort(subset=size, seed=seed)
        return {row["content"]: row["group"] for row in study.rows("images")}

    study.cohort()
    whole = {row["content"]: row["group"] for row in study.rows("images")}
    four = None
    for seed in range(20):  # The first draw that has all four classes.
        try:
            four = drawn(seed, 6)
            break
        except FoldwiseError as error:
            assert "draw more groups" in str(error)
    assert four is not None
    assert len(set(four.values())) == 6
    assert drawn(seed, 6.0) == four  # As a schema's integer may be written.
    assert four == {content: group for content, group in whole.items() if group in four.values()}
    assert drawn(seed, 8).keys() > four.keys()
    assert drawn(seed, 6) == four


def test_a_dropped_class_is_left_out_also_where_it_has_no_folder(study):
    rows = table_of(study)
    rows[0]["Classification"] = " 5.0 "
    rows.append({**rows[0], "AccessionNumber": "999999"})
    write_table(study, rows)
    flow = study.cohort()
    assert flow["quarantine"] == {}
    assert flow["left_out"] == {"dropped_class": 4}
    assert flow["rows_left_out"] == {"dropped_class": 1}


def test_the_flow_adds_up(study):
    rows = table_of(study)
    rows[0]["Classification"], rows[1]["Classification"] = "5", "7"
    write_table(study, rows)
    flow = study.cohort(views=("CC",), **ALL)
    gone = sum(flow["left_out"].values()) + sum(flow["quarantine"].values())
    assert flow["images_matched"] - gone == flow["usable"] == len(study.rows("labels"))
    assert json.loads((study.results / "flow.json").read_text()) == flow
    assert CLASSES["order"] == sorted({row["label"] for row in study.rows("labels")})
