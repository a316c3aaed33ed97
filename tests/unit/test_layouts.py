"""Tables of paths, featureS.txt, and folders of plain images."""

from pathlib import Path
from unicodedata import normalize

import pytest
from pandas._libs.parsers import STR_NA_VALUES

from cohorts import ALL, Study, pictures_of, table_of, write_table
from foldwise.cohort.readers.base import Columns
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, write_csv
from made import feature_s_archive, picture_archive

# What pandas reads as missing, but for the empty cell and numbers of Windows that are none.
NOBODY = sorted(
    {name.lower() for name in STR_NA_VALUES if name and " " not in name and ".#" not in name}
)


def test_a_path_table_needs_no_column_named(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    flow = pictures.cohort()
    assert flow["usable"] == flow["table_rows"]
    by_file = {row["image_path"]: row for row in read_csv(pictures.table)}
    for row in pictures.rows("private/id_map"):
        known = by_file[row["file"]]
        assert (row["patient"], row["accession"]) == (known["patient_id"], known["accession"])
    found = {row["sample"]: row for row in pictures.rows("labels")}
    for row in pictures.rows("private/id_map"):
        known = by_file[row["file"]]
        one = found[row["sample"]]
        assert (one["label"], one["view"]) == (known["density_label"], known["view"])


def test_numbers_mean_letters_in_a_path_table(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    mapping = {"A": "low", "B": "low", "C": "high", "D": "high"}
    pictures = pictures_of(study, classes={"mapping": mapping})
    rows = read_csv(pictures.table)
    for row in rows:
        row["density_label"] = str("ABCD".index(row["density_label"]) + 1)
    write_csv(pictures.table, list(rows[0]), rows)
    assert pictures.cohort()["quarantine"] == {}


@pytest.mark.parametrize("spelling", ["absolute", "backslash", "dotted", "roundabout"])
def test_paths_may_be_written_otherwise(study, spelling):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    write = {
        "absolute": lambda path: str(pictures.root.absolute() / path),
        "backslash": lambda path: path.replace("/", "\\"),
        "dotted": lambda path: "./" + path,
        "roundabout": lambda path: "images/../" + path,
    }[spelling]
    rows = [{**row, "image_path": write(row["image_path"])} for row in read_csv(pictures.table)]
    write_csv(pictures.table, list(rows[0]), rows)
    assert pictures.cohort()["usable"] == len(rows)


@pytest.mark.parametrize("root", ["with dots", "a link", "a link in the table"])
def test_absolute_paths_fit_a_root_by_any_of_its_names(study, monkeypatch, root):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures, link = pictures_of(study), study.folder / "linked"
    link.symlink_to(pictures.root)
    monkeypatch.chdir(link.parent)
    named = {"with dots": pictures.root / ".." / "pictures", "a link": link}.get(root)
    told = link if root == "a link in the table" else pictures.root
    rows = [
        {**row, "image_path": str(told.absolute() / row["image_path"])}
        for row in read_csv(pictures.table)
    ]
    write_csv(pictures.table, list(rows[0]), rows)
    pictures.root = named or link
    assert pictures.cohort()["usable"] == len(rows)


@pytest.mark.parametrize(("disk", "table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_letters_with_accents_are_found_in_either_spelling(study, disk, table):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    rows = read_csv(pictures.table)
    for row in rows:
        name = "Größe_é_" + Path(row["image_path"]).name
        path = Path(row["image_path"]).with_name(name)
        (pictures.root / row["image_path"]).rename(pictures.root / normalize(disk, str(path)))
        row["image_path"] = normalize(table, str(path))
    write_csv(pictures.table, list(rows[0]), rows)
    assert pictures.cohort()["usable"] == len(rows)


@pytest.mark.parametrize(("disk", "table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_folders_of_exams_are_found_in_either_spelling(study, disk, table):
    rows = table_of(study)
    name = "Prüfung-é"
    (study.root / rows[0]["AccessionNumber"]).rename(study.root / normalize(disk, name))
    rows[0]["AccessionNumber"] = normalize(table, name)
    write_table(study, rows)
    assert study.cohort()["quarantine"] == {}
    assert not [row for row in study.rows("findings") if row["reason"] == "no_folder"]


def test_an_image_column_by_another_usual_name_is_found_and_none_is_named(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    text = pictures.table.read_text()
    pictures.table.write_text(text.replace("image_path", "image"))
    assert pictures.cohort()["usable"] == len(read_csv(pictures.table))
    pictures.table.write_text(text.replace("image_path", "image_pth"))
    said = r"no image column\. Name it in data\.columns\.image\. Did you mean 'image_pth'"
    with pytest.raises(FoldwiseError, match=said):
        pictures.cohort()


def test_two_label_columns_are_not_chosen_between(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    rows = [{**row, "label": "A"} for row in read_csv(pictures.table)]
    write_csv(pictures.table, list(rows[0]), rows)
    with pytest.raises(FoldwiseError, match=r"density_label, label.*data\.columns\.label"):
        pictures.cohort()
    assert pictures.cohort(columns=Columns(label="density_label"))["usable"] == len(rows)


def test_plain_images_without_patients_are_refused_with_the_way_out(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    rows = read_csv(pictures.table)
    columns = [name for name in rows[0] if name != "patient_id"]
    write_csv(pictures.table, columns, [{name: row[name] for name in columns} for row in rows])
    with pytest.raises(FoldwiseError, match=r"data\.columns\.patient, or set data\.group"):
        pictures.cohort(**ALL)
    assert pictures.cohort(group="accession")["usable"] == len(rows)


@pytest.mark.parametrize("said", NOBODY)
def test_what_pandas_writes_for_nobody_is_no_patient_and_no_exam(study, said):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    rows = read_csv(pictures.table)
    for row in rows[::3]:
        row["accession"] = said
    for row in rows[:3]:
        row["patient_id"] = said
    write_csv(pictures.table, list(rows[0]), rows)
    assert pictures.cohort(**ALL)["quarantine"] == {"no_patient": 3}


def test_a_misspelt_patient_column_is_an_error_not_a_guess(study):
    with pytest.raises(FoldwiseError, match=r"no column 'Patient' \(data\.columns\.patient\)"):
        study.cohort(columns=Columns(patient="Patient"))


def test_feature_s_groups_by_folder(study):
    folder = feature_s_archive(study.folder / "features", patients=8, size=32)
    made = Study(
        study.folder / "r", folder, folder / "featureS.txt", reader="images", layout="feature_s",
        data={"classes": {"mapping": dict(zip("0123", "ABCD", strict=True))}},
    )  # fmt: skip
    assert made.cohort()["usable"] == made.cohort()["table_rows"]
    for row in made.rows("private/id_map"):
        assert row["patient"] == row["file"].split("/")[0]


def test_accession_folders_may_hold_plain_images(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    rows = read_csv(study.folder / "pictures/paths.csv")
    table = study.folder / "exams.csv"
    exams = {row["accession"]: row for row in rows}
    write_csv(
        table,
        ["AccessionNumber", "Classification", "who"],
        [
            {"AccessionNumber": name, "Classification": "ABCD".index(row["density_label"]) + 1,
             "who": row["patient_id"]}
            for name, row in exams.items()
        ],
    )  # fmt: skip
    made = Study(study.folder / "r", study.folder / "pictures/images", table, reader="images")
    assert made.cohort(columns=Columns(patient="who"))["usable"] == len(rows)


@pytest.mark.parametrize("way", ["the folder above", "a folder in it"])
def test_a_root_that_is_one_folder_off_says_so(study, way):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = pictures_of(study)
    pictures.root = pictures.root / "images" if way == "the folder above" else study.folder
    with pytest.raises(FoldwiseError, match=f"would be if data.root were {way}"):
        pictures.cohort()
