"""Tables and archives as hospitals have them: matched where one thing alone can be meant."""

import shutil
from dataclasses import replace

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from cohorts import ALL, CLASSES, table_of, write_table
from folding import cohort as rows_of
from folding import fold_settings
from foldwise.cohort import understood
from foldwise.cohort.readers.base import Columns
from foldwise.cohort.tables.naming import ZeroPadded
from foldwise.cohort.tables.table import read_table
from foldwise.errors import FoldwiseError
from foldwise.folds.checks import check_possible
from foldwise.folds.groups import group_rows
from foldwise.plan.state import archive_state
from foldwise.settings.schema import complete, schema
from foldwise.settings.zones import CHEST, DEFAULTS, check_zones
from usual import table_settings


def rename(study, called):
    """Folders of the archive by another name; the table keeps its numbers."""
    for folder in sorted(study.root.iterdir()):
        folder.rename(study.root / called(folder.name))


def check_lines(study, **data):
    """The lines of the start check on a study."""
    whole = {
        "reader": study.reader,
        "root": str(study.root),
        "table": {"path": str(study.table), "format": study.layout},
        "classes": CLASSES,
        **study.data,
        **data,
    }
    settings = {"name": "mine", "seed": 1, "data": complete(schema("data"), whole)}
    return "\n".join(understood.report([settings], study.folder / "private"))


@pytest.mark.parametrize("digits", [8, 12])
def test_folders_of_any_number_of_digits_are_found_without_their_zeros(study, digits):
    rows = [{**row, "AccessionNumber": str(int(row["AccessionNumber"]))} for row in table_of(study)]
    write_table(study, rows)
    before = study.cohort()["images_matched"]
    rename(study, lambda name: name.zfill(digits))
    assert study.cohort()["images_matched"] == before > 10
    assert {len(row["accession"]) for row in study.rows("private/id_map")} == {digits}


def test_an_id_that_several_folders_may_be_is_none_of_them(study):
    name = table_of(study)[0]["AccessionNumber"]
    for zeros in ("00", "000"):
        shutil.copytree(study.root / name, study.root / (zeros + name))
    shutil.rmtree(study.root / name)
    study.cohort(**ALL)
    assert "several_folders" in [row["reason"] for row in study.rows("findings")]


def test_zeros_alone_make_no_other_id_equal():
    padded = ZeroPadded(["0012", "A01", "0", "1.2.3"])
    assert [padded.of(text) for text in ("12", "12.0", "A1", "00", "1.2.3", "120")] == [
        *("0012", "0012", "A1", "0", "1.2.3", "120")
    ]


def give_uids(study):
    """An export named by StudyInstanceUID, flat below folders of patients; uid of each exam."""
    uids = {}
    for folder in sorted(study.root.iterdir()):
        uids[folder.name] = generate_uid(entropy_srcs=[folder.name])
        for path in folder.iterdir():
            film = dcmread(path)
            film.StudyInstanceUID = uids[folder.name]
            film.save_as(path)
        folder.rename(study.root / uids[folder.name])
    return uids


@pytest.mark.parametrize("by", ["accession", "study_uid"])
def test_an_export_named_otherwise_is_found_by_its_headers(study, by):
    before = study.cohort()
    uids = give_uids(study)
    if by == "study_uid":
        rows = [{**row, "AccessionNumber": uids[row["AccessionNumber"]]} for row in table_of(study)]
        write_table(study, rows)
    flow = study.cohort(match="header", **ALL)
    assert flow["images_matched"] == before["images_matched"]
    assert not [row for row in study.rows("findings") if row["reason"] == "other_accession"]
    first = study.rows("labels")
    assert study.cohort(match="header", **ALL) == flow and study.rows("labels") == first
    assert f"{flow['images_matched']} images matched" in check_lines(study, match="header")


def test_folders_that_fit_no_id_are_told_by_their_shape_alone(study):
    uids = give_uids(study)
    with pytest.raises(FoldwiseError, match=r"6 digits \(.*folders there a UID .*header") as r:
        study.cohort()
    assert not [uid for uid in uids.values() if uid in str(r.value)]
    with pytest.raises(FoldwiseError, match="none of the table's"):
        write_table(
            study, [{**row, "AccessionNumber": f"X{n}"} for n, row in enumerate(table_of(study))]
        )
        study.cohort(match="header")


def test_a_root_that_is_one_level_off_is_named(study):
    above = replace(study, root=study.root.parent)
    number = len(table_of(study))
    with pytest.raises(FoldwiseError, match=f"archive/ inside it fits {number} of {number}"):
        above.cohort()
    with pytest.raises(FoldwiseError, match=r"Study mine: .*archive/ inside it"):
        check_lines(above)


def test_an_accession_column_in_a_table_of_paths_says_which_setting_is_meant(study):
    study.layout = "paths"
    with pytest.raises(FoldwiseError, match=r"Set data\.table\.format: accession"):
        study.cohort(columns=Columns(accession="AccessionNumber"))


def test_a_reader_of_another_kind_is_named(study):
    study.reader = "images"
    with pytest.raises(FoldwiseError, match=r"reader is images.*\.dcm \(\d+\).*reader: dicom"):
        study.cohort(**ALL)


@pytest.mark.parametrize(
    ("text", "stated", "named"), [("a\tb\n1\t2\n", ",", "tab"), ("a;b\n", "\t", "semicolon")]
)
def test_a_wrong_separator_is_named_in_words(tmp_path, text, stated, named):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FoldwiseError, match=f"by {named} it has 2. Set it to auto") as raised:
        read_table(table_settings(str(path), "paths", separator=stated))
    assert "\t" not in str(raised.value)


def test_one_column_is_one_column(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id\n1\n")
    assert read_table(table_settings(str(path), "paths", separator=";")).columns == ("id",)


def test_a_class_of_one_patient_is_not_mended_by_fewer_folds():
    rows = rows_of(20, shares=(1.0,))
    rows[0]["label"] = "rare"
    settings = fold_settings(n=3, where="x.yaml")
    with pytest.raises(FoldwiseError, match=r"only 1 patient has it.*Fewer folds do not help") as r:
        check_possible(group_rows(rows, "label", None), list(settings.shares), settings)
    assert "Lower folds.n" not in str(r.value)


def test_a_misspelt_zone_is_blamed_and_not_the_zone_of_the_program():
    zones = ["right_supp", *CHEST[1:]]
    data = {"columns": {"zones": zones}, "mirror": DEFAULTS["data"]["mirror"]}
    settings = {"data": data | {"classes": {"mapping": {}, "order": []}}}
    with pytest.raises(FoldwiseError, match=r"zones lacks 'right_sup'.*has right_supp"):
        check_zones(settings, True, "x.yaml")


def test_an_unreadable_table_is_a_message_and_no_traceback(study, monkeypatch):
    def refuse(*arguments, **named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    monkeypatch.setattr("foldwise.plan.state.file_digest", refuse)
    data = {"root": str(study.root), "exclusions": None, "splits": {}}
    asked = {"data": data | {"table": {"path": str(study.table)}}}
    assert archive_state(asked)["table"] == "unreadable"
    with pytest.raises(FoldwiseError, match=r"data.table.path\) cannot be read \(Permission"):
        read_table(table_settings(str(study.table)))


def test_the_start_says_what_was_understood_and_names_nobody(study):
    rows = table_of(study)
    write_table(study, [*rows, {**rows[0], "AccessionNumber": "999999"}])
    text = check_lines(study)
    assert f"{len(rows) + 1} rows of the table, 1 row without an image" in text
    assert "patients not counted before" in text and "Line 4 of the table: 4 images" in text
    flow = study.cohort(**ALL)
    text = check_lines(study)
    assert f"{flow['images_matched']} images matched of 12 patients" in text
    for row in study.rows("private/id_map"):
        assert row["patient"] not in text and row["accession"] not in text
    counts = dict.fromkeys("ABCD", 0)
    for row in study.rows("labels"):
        counts[row["label"]] += 1
    assert ", ".join(f"{name} {number}" for name, number in counts.items()) in text


def test_the_start_names_rows_that_contradict_each_other(study):
    rows = table_of(study)
    other = next(row for row in rows if row["Classification"] != rows[0]["Classification"])
    again = {**rows[0], "Classification": other["Classification"]}
    write_table(study, [*rows, rows[1], again])
    text = check_lines(study)
    assert "would stop the run: 1 exam with two different labels (4 images). Correct" in text
    assert rows[0]["AccessionNumber"] not in text
    listed = study.table.with_name("excluded.csv")
    listed.write_text(f"id,reason\n{int(rows[0]['AccessionNumber'])},two readers\n")
    assert "would stop" not in check_lines(study, exclusions=str(listed))
