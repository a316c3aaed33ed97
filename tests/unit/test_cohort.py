"""The cohort: rows and files joined, each rule of the config, and what no file may tell."""

import json
import os
import random
import shutil
import stat

import pytest

from cohorts import CLASSES, Study
from foldwise.data.conflicts import Conflicts
from foldwise.data.readers.base import Columns
from foldwise.data.shards import split_evenly
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, write_csv
from made import density_archive, feature_s_archive, picture_archive

ALL = {"max_quarantine": 1.0}


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return density_archive(tmp_path_factory.mktemp("made"), patients=12, size=32)


@pytest.fixture
def study(made, tmp_path):
    """A study on a copy of the archive, so that a test may change it."""
    shutil.copytree(made, tmp_path / "made")
    return Study(tmp_path / "results", tmp_path / "made/archive", tmp_path / "made/labels.csv")


def table_of(study):
    """Rows of the table, with the zeros that it has lost."""
    rows = read_csv(study.table)
    return [{**row, "AccessionNumber": row["AccessionNumber"].zfill(6)} for row in rows]


def write_table(study, rows):
    write_csv(study.table, list(rows[0]), rows)


def first_file(study, accession):
    return sorted((study.root / accession).iterdir())[0]


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


def test_rows_are_in_order_of_contents_whatever_the_key(study):
    study.cohort()
    first = [row["content"] for row in study.rows("images")]
    shutil.rmtree(study.folder)
    study.cohort()
    assert [row["content"] for row in study.rows("images")] == first == sorted(first)


def test_shards_hold_each_image_once_in_the_row_that_is_named(study):
    study.cohort()
    lists = study.folder / "cache" / "lists"
    for row in study.rows("images"):
        held = (lists / f"{row['shard']}.txt").read_text().split()
        assert held[int(row["row"])] == row["content"]


@pytest.mark.parametrize(
    ("images", "sizes"),
    [
        (1, [1]),
        (31, [31]),
        (32, [16, 16]),
        (64, [16] * 4),
        (1024, [256] * 4),
        (1025, [205] * 5),
        (100, [25] * 4),
    ],
)
def test_sizes_of_shards(images, sizes):
    contents = [f"{number:032x}" for number in range(images)]
    parts = split_evenly(contents)
    assert [len(part) for part in parts] == sizes
    assert [one for part in parts for one in part] == contents


def lists_of(study):
    return {path.stem: path.read_text() for path in (study.folder / "cache/lists").glob("*.txt")}


def test_one_more_patient_is_one_more_small_shard(study):
    patient = {row["accession"]: row["patient"] for row in _id_map(study)}
    rows, whole = table_of(study), {row["content"] for row in study.rows("images")}
    shutil.rmtree(study.folder)
    last = patient[rows[-1]["AccessionNumber"]]
    write_table(study, [row for row in rows if patient[row["AccessionNumber"]] != last])
    study.cohort()
    before, known = lists_of(study), {row["content"] for row in study.rows("images")}
    write_table(study, rows)
    study.cohort()
    after = lists_of(study)
    (added,) = set(after) - set(before)
    assert before.items() <= after.items()
    assert set(after[added].split()) == whole - known


def test_two_studies_on_one_archive_share_shards_and_reading(study):
    study.cohort(views=("CC",))
    other = Study(study.folder, study.root, study.table, name="other")
    other.cohort()
    shards = {row["content"]: row["shard"] for row in other.rows("images")}
    for row in study.rows("images"):
        assert shards[row["content"]] == row["shard"]
    # The first study's images are still found after the second wrote its own.
    study.decode()
    other.decode()
    assert study.decoded + other.decoded == len(other.rows("images"))


def test_a_list_that_nothing_can_fill_any_more_is_not_used(study):
    study.cohort()
    lost = study.rows("private/id_map")[0]
    (study.root / lost["file"]).unlink()
    study.cohort()
    study.decode()  # Would stop if a shard had to be made of a file that is gone.
    assert lost["content"] not in {row["content"] for row in study.rows("images")}


def test_a_changed_file_is_another_content(study):
    study.cohort()
    row = study.rows("private/id_map")[0]
    path = study.root / row["file"]
    path.write_bytes(path.read_bytes() + b"\0\0")
    study.cohort()
    contents = {one["file"]: one["content"] for one in study.rows("private/id_map")}
    assert contents[row["file"]] != row["content"]


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


@pytest.mark.parametrize("by", ["accession", "patient", "file"])
def test_exclusions_leave_out_with_their_reason(study, by):
    study.cohort()
    id_map = study.rows("private/id_map")
    one = next(row for row in id_map if row["accession"].startswith("0"))
    identity = one[by].lstrip("0") if by == "accession" else one[by]
    path = study.folder / "exclusions.csv"
    write_csv(path, ["id", "reason"], [{"id": identity, "reason": "implant"}, {"id": "x"}])
    flow = study.cohort(exclusions=str(path))
    gone = [row for row in id_map if row[by] == one[by]]
    assert flow["left_out"] == {"excluded": len(gone)}
    found = study.rows("private/findings")
    assert {row["detail"] for row in found if row["reason"] == "excluded"} == {"implant"}
    assert [row["file"] for row in found if row["reason"] == "unused_exclusion"] == ["x"]


def test_an_exclusion_list_without_its_columns_is_named(study):
    path = study.folder / "exclusions.csv"
    write_csv(path, ["ID", "why"], [{"ID": "1", "why": "x"}])
    with pytest.raises(FoldwiseError, match="no column 'id'"):
        study.cohort(exclusions=str(path))


# What contradicts itself


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
    flow = study.cohort(conflicts=Conflicts(labels="drop"), **ALL)
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
    patient = {row["accession"]: row["patient"] for row in _id_map(study)}
    other = next(one for one in accessions if patient[one] != patient[accessions[0]])
    strayed = first_file(study, other)
    shutil.move(strayed, study.root / accessions[0] / "strayed.dcm")
    refused(study, "patients", "1 exam under two patients (5 images)")
    flow = study.cohort(conflicts=Conflicts(patients="drop"), **ALL)
    assert flow["quarantine"] == {"two_patients": 5}


def _id_map(study):
    study.cohort()
    return study.rows("private/id_map")


def test_a_copied_file_under_another_patient(study):
    # A picture format whose file names no patient: equal bytes, two patients.
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = _pictures(study)
    rows = read_csv(pictures.table)
    far = next(row for row in rows if row["patient_id"] != rows[0]["patient_id"])
    shutil.copy(pictures.root / rows[0]["image_path"], pictures.root / far["image_path"])
    refused(pictures, "pixels", "1 picture that two groups have (2 images)")
    flow = pictures.cohort(conflicts=Conflicts(pixels="drop"), **ALL)
    assert flow["quarantine"] == {"same_pixels": 2}
    assert flow["to_decode"] == flow["images_matched"] - 1


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


# Other layouts


def _pictures(study, **data):
    return Study(
        study.folder / "r", study.folder / "pictures", study.folder / "pictures/paths.csv",
        reader="images", layout="paths", data=data,
    )  # fmt: skip


def test_a_path_table_needs_no_column_named(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = _pictures(study)
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
    pictures = _pictures(study, classes={"mapping": mapping})
    rows = read_csv(pictures.table)
    for row in rows:
        row["density_label"] = str("ABCD".index(row["density_label"]) + 1)
    write_csv(pictures.table, list(rows[0]), rows)
    assert pictures.cohort()["quarantine"] == {}


@pytest.mark.parametrize("spelling", ["absolute", "backslash", "dotted"])
def test_paths_may_be_written_otherwise(study, spelling):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = _pictures(study)
    write = {
        "absolute": lambda path: str(pictures.root.absolute() / path),
        "backslash": lambda path: path.replace("/", "\\"),
        "dotted": lambda path: "./" + path,
    }[spelling]
    rows = [{**row, "image_path": write(row["image_path"])} for row in read_csv(pictures.table)]
    write_csv(pictures.table, list(rows[0]), rows)
    assert pictures.cohort()["usable"] == len(rows)


def test_two_label_columns_are_not_chosen_between(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = _pictures(study)
    rows = [{**row, "label": "A"} for row in read_csv(pictures.table)]
    write_csv(pictures.table, list(rows[0]), rows)
    with pytest.raises(FoldwiseError, match=r"density_label, label.*data\.columns\.label"):
        pictures.cohort()
    assert pictures.cohort(columns=Columns(label="density_label"))["usable"] == len(rows)


def test_plain_images_without_patients_are_refused_with_the_way_out(study):
    picture_archive(study.folder / "pictures", patients=8, size=32)
    pictures = _pictures(study)
    rows = read_csv(pictures.table)
    columns = [name for name in rows[0] if name != "patient_id"]
    write_csv(pictures.table, columns, [{name: row[name] for name in columns} for row in rows])
    with pytest.raises(FoldwiseError, match=r"data\.columns\.patient, or set data\.group"):
        pictures.cohort(**ALL)
    assert pictures.cohort(group="accession")["usable"] == len(rows)


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


# Messages


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
        "label that data.classes does not name", "table row without an accession number: 1",
        "data.max_quarantine (10.0%)", "private/stopped.csv", "map it or drop it by name",
    ):  # fmt: skip
        assert part in text
    assert not (study.folder / "cache").exists()
    assert study.cohort(max_quarantine=0.5)["usable"] > 0


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
    import pydicom

    path = first_file(study, table_of(study)[0]["AccessionNumber"])
    dataset = pydicom.dcmread(path)
    dataset.ViewPosition = "SEEN BY CANARY"
    dataset.ImageLaterality = "CANARY"
    dataset.save_as(path)
    study.cohort()
    assert "CANARY" not in study.public_text()
    assert "" in {row["view"] for row in study.rows("labels")}


def test_burned_in_text_is_quarantined_unless_allowed(study):
    import pydicom

    path = first_file(study, table_of(study)[0]["AccessionNumber"])
    dataset = pydicom.dcmread(path)
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(path)
    flow = study.cohort(**ALL)
    assert flow["quarantine"] == {"burned_in": 1}
    assert flow["to_decode"] == flow["images_matched"] - 1
    assert study.cohort(allow_burned_in=True)["quarantine"] == {}


def test_objects_that_are_no_images_are_left_out_not_quarantined(study):
    import pydicom

    path = first_file(study, table_of(study)[0]["AccessionNumber"])
    dataset = pydicom.dcmread(path)
    for name in ("Rows", "Columns", "PixelData"):
        del dataset[name]
    dataset.save_as(path.with_name("report.dcm"))
    flow = study.cohort()
    assert (flow["quarantine"], flow["left_out"]) == ({}, {"not_an_image": 1})


# Preset parts


def test_parts_come_from_a_column_in_one_spelling(study):
    rows = table_of(study)
    for row, part in zip(rows, ["Training", "validation", "TEST"] * 99, strict=False):
        row["part"] = part
    write_table(study, rows)
    study.cohort(columns=Columns(split="part"))
    assert {row["split"] for row in study.rows("labels")} == {"train", "val", "holdout"}


def test_a_part_that_is_none_is_named_by_its_line_alone(study):
    rows = [{**row, "part": "train"} for row in table_of(study)]
    rows[0]["part"] = "CANARY"
    write_table(study, rows)
    with pytest.raises(FoldwiseError, match=r"line 2: data\.columns\.split") as raised:
        study.cohort(columns=Columns(split="part"))
    assert "CANARY" not in str(raised.value)


def test_parts_come_from_files(study):
    rows = table_of(study)
    files = []
    for part, own in (("train", rows[4:]), ("val", rows[2:4]), ("test", rows[:2])):
        path = study.folder / f"{part}.csv"
        write_csv(path, ["id"], [{"id": row["AccessionNumber"]} for row in own])
        files.append((part, str(path)))
    study.cohort(splits=tuple(files))
    found = {row["sample"]: row["split"] for row in study.rows("labels")}
    parts = {row["accession"]: found[row["sample"]] for row in study.rows("private/id_map")}
    assert [parts[row["AccessionNumber"]] for row in rows[:5]] == [
        "holdout", "holdout", "val", "val", "train"
    ]  # fmt: skip


def test_the_flow_adds_up(study):
    rows = table_of(study)
    rows[0]["Classification"], rows[1]["Classification"] = "5", "7"
    write_table(study, rows)
    flow = study.cohort(views=("CC",), **ALL)
    gone = sum(flow["left_out"].values()) + sum(flow["quarantine"].values())
    assert flow["images_matched"] - gone == flow["usable"] == len(study.rows("labels"))
    assert json.loads((study.results / "flow.json").read_text()) == flow
    assert CLASSES["order"] == sorted({row["label"] for row in study.rows("labels")})
