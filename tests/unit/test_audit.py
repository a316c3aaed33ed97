"""The audit: every kind of fault is found, named and counted; the rest is analysed."""

import re
import shutil

import pytest

from cohorts import Study
from foldwise.cohort.audit_files import manifest_of
from foldwise.contents import read_cohort
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.integrity import read_sealed, write_sealed
from foldwise.report.figures.flow import stages_of
from made import density_archive
from phantoms.damage import FAULTS, add_damage
from phantoms.density import plan_exams, write_labels
from usual import conflicts

DROP = {
    "max_quarantine": 1.0,
    "conflicts": {"labels": "drop", "patients": "drop", "pixels": "drop"},
}
# Fault -> (check, count of images, rows or folders, kind). Two pictures have the same pixels, two
# files are of two patients; everything else is one.
EXPECTED = {
    "truncated": ("truncated", 1, "quarantine"),
    "empty_file": ("empty", 1, "quarantine"),
    "text_file": ("not_dicom", 1, "quarantine"),
    "no_pixels": ("no_pixels", 1, "quarantine"),
    "wrong_syntax": ("wrong_transfer_syntax", 1, "quarantine"),
    "constant": ("constant", 1, "quarantine"),
    "same_pixels": ("same_pixels", 2, "quarantine"),
    "two_patients": ("two_patients", 2, "quarantine"),
    "burned_in": ("burned_in", 1, "quarantine"),
    "folder_without_row": ("no_row", 1, "left out"),
    "row_without_folder": ("no_folder", 1, "quarantine"),
    "empty_folder": ("empty_folder", 1, "quarantine"),
    "class_out_of_range": ("unknown_class", 1, "quarantine"),
    "class_missing": ("no_label", 1, "quarantine"),
    "row_without_accession": ("no_accession", 1, "quarantine"),
    "two_labels": ("two_labels", 1, "quarantine"),
}


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Make a study in a folder: a copy of one archive, with faults put in."""
    base = density_archive(tmp_path_factory.mktemp("base"), patients=12, size=32)
    exams = plan_exams(12, 1)

    def study(folder, faults=(), **data):
        made = shutil.copytree(base, folder / "made")
        write_labels(made, exams, add_damage(made, exams, 1, 32, faults)[1])
        return Study(folder / "results", made / "archive", made / "labels.csv", data=data)

    return study


@pytest.fixture(scope="module")
def damaged(make, tmp_path_factory):
    """A study with every fault at once, audited."""
    study = make(tmp_path_factory.mktemp("damaged"), FAULTS, **DROP)
    study.cohort()
    study.audit()
    return study


@pytest.fixture
def sound(make, tmp_path):
    return make(tmp_path)


def checks(study):
    return {
        row["check"]: (int(row["count"]), row["kind"]) for row in study.rows("audit/data_audit")
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_and_counted(damaged, fault):
    check, count, kind = EXPECTED[fault]
    assert checks(damaged)[check] == (count, kind)


def test_nothing_else_is_found(damaged):
    found = {check for check, (count, _) in checks(damaged).items() if count}
    assert found == {check for check, _, _ in EXPECTED.values()}


@pytest.mark.parametrize("fault", [one for one in FAULTS if one != "folder_without_row"])
def test_each_fault_has_its_file_or_row_in_private(damaged, fault):
    accession = str(900_001 + list(FAULTS).index(fault))
    rows = {row["reason"]: row for row in damaged.rows("private/quarantine")}
    found = [
        row
        for row in damaged.rows("private/quarantine")
        if row["reason"] == EXPECTED[fault][0]
        and (row["file"].startswith(accession) or row["accession"] in (accession, ""))
    ]
    assert found, rows
    lines = damaged.table.read_text().splitlines()
    for row in found:
        for line in row["row"].split():
            assert lines[int(line) - 1].startswith(row["accession"].lstrip("0") + ",")


def test_the_public_quarantine_names_sample_stage_and_reason(damaged):
    rows = damaged.rows("audit/data_quarantine")
    assert list(rows[0]) == ["sample", "stage", "reason"]
    private = {
        (row["key"], row["stage"], row["reason"]) for row in damaged.rows("private/quarantine")
    }
    assert {tuple(row.values()) for row in rows} == private


def test_nothing_public_identifies(damaged):
    # Without the keyed names: among so many random digits stands any number of six now and then.
    text = re.sub(r"\b[a-z]?[0-9a-f]{12,}\b", "", damaged.public_text())
    assert "data_audit.csv" in text and "cohort.csv" in text
    known = damaged.rows("private/id_map")
    for name in ("file", "accession", "patient"):
        values = {row[name] for row in known} - {""}
        assert len(values) > 10, name
        assert not [value for value in values if value in text]


def test_the_analysed_set_is_what_is_left(damaged):
    rows = damaged.rows("cohort")
    bad = {row["sample"] for row in damaged.rows("audit/data_quarantine")}
    usable = {row["sample"] for row in damaged.rows("labels")}
    assert {row["sample"] for row in rows} == usable - bad
    plain = [row["content"] for row in read_cohort(damaged.results / "cohort.csv")]
    assert plain == sorted(plain)
    assert list(rows[0]) == [
        *("sample", "group", "exam", "view", "side", "split", "stratum", "content"),
        *("shard", "row", "label", "pixels"),
    ]


def test_the_manifest_adds_up(damaged):
    manifest = damaged.json("audit/data_manifest")
    rows = damaged.rows("cohort")
    steps = manifest["flow"]
    taken = [step["images"] for step in steps if step["images"] < 0]
    assert steps[0]["images"] + sum(taken) == steps[-1]["images"] == len(rows)
    unmatched = {one["reason"]: one["count"] for one in manifest["unmatched"]}
    assert {"no_folder": 1, "no_row": 1, "empty_folder": 1}.items() <= unmatched.items()
    beside = "\n".join(stages_of(manifest)[0].aside)
    assert "1  table row without a folder" in beside and "1  folder or image without" in beside
    assert sum(one["images"] for one in manifest["classes"].values()) == manifest["images"]
    assert manifest["images"] == len(rows)
    assert manifest["groups"] == len({row["group"] for row in rows}) == 12
    assert manifest["quarantine"] == {
        check: count for check, (count, kind) in checks(damaged).items() if kind == "quarantine"
    }
    bad = len({row["sample"] for row in damaged.rows("audit/data_quarantine")})
    assert manifest["quarantine_share"] == pytest.approx(bad / (bad + len(rows)))
    shards = damaged.decode()
    status = [row["status"] for path in shards for row in read_json(path)["rows"]]
    assert manifest["readable_share"] == pytest.approx(status.count("ok") / len(status))


def test_a_sound_archive_passes_whole(sound):
    flow = sound.cohort()
    manifest = sound.audit()
    assert manifest["images"] == flow["images_matched"]
    assert manifest["quarantine"] == {}
    assert all(kind == "passed" for _, kind in checks(sound).values())


def test_the_manifest_keeps_the_order_of_classes_though_its_keys_are_sorted(tmp_path, damaged):
    """Of several labels too, of which a class is called by its head."""
    rows = damaged.rows("cohort")
    for row in rows:
        row["label_side"] = row["side"]
    orders = {"label": ("D", "A", "C", "B"), "label_side": ("R", "L")}
    made = manifest_of(damaged.results, rows, [], ["ok"] * len(rows), set(), orders)
    write_json(tmp_path / "manifest.json", made)
    manifest = read_json(tmp_path / "manifest.json")
    assert list(manifest["classes"]) == sorted(manifest["classes"])
    assert manifest["class_order"] == ["D", "A", "C", "B", "side: R", "side: L"]
    assert set(manifest["class_order"]) == set(manifest["classes"])


def test_above_the_share_it_stops_and_says_what_to_do(make, tmp_path):
    study = make(tmp_path, ["truncated", "constant", "no_pixels"], max_quarantine=0.04)
    study.cohort()
    with pytest.raises(FoldwiseError) as raised:
        study.audit()
    text = str(raised.value)
    for part in (
        "3 of 59 images and table rows (5.1%)", "data.max_quarantine (4.0%)",
        "file cut short: 1 (fetch it again)", "picture of one value only: 1 (exclude it)",
        "image file without pixels: 1", "private/stopped.csv", "raise data.max_quarantine",
    ):  # fmt: skip
        assert part in text, text
    rows = study.rows("private/stopped")
    assert sorted(row["accession"] for row in rows) == ["900001", "900004", "900006"]
    assert all(row["file"] and row["row"] and row["file"] not in text for row in rows)
    assert not (study.results / "cohort.csv").exists()
    assert study.audit(max_quarantine=0.06)["images"] == 56
    assert not (study.results / "private/stopped.csv").exists()


def test_equal_pixels_in_two_groups_are_refused_or_dropped(make, tmp_path):
    study = make(tmp_path, ["same_pixels"])
    study.cohort()
    with pytest.raises(
        FoldwiseError, match=r"1 picture that two groups have \(2 images\)"
    ) as raised:
        study.audit()
    assert "data.conflicts.pixels: drop" in str(raised.value)
    rows = study.rows("private/stopped")
    assert len({row["patient"] for row in rows}) == 2
    assert study.audit(conflicts=conflicts(pixels="drop"))["quarantine"] == {"same_pixels": 2}


def spoil(study, labels):
    """Cut the files of these classes short."""
    wanted = {row["sample"] for row in study.rows("labels") if row["label"] in labels}
    for row in study.rows("private/id_map"):
        if row["sample"] in wanted:
            path = study.root / row["file"]
            path.write_bytes(path.read_bytes()[:-500])


def test_a_class_that_decoding_empties_is_named(sound):
    sound.cohort()
    spoil(sound, "B")
    sound.cohort(max_quarantine=1)
    with pytest.raises(FoldwiseError, match=r"no image of class B can be used \(A: \d+, B: 0"):
        sound.audit(max_quarantine=1)


def test_nothing_left_is_named(sound):
    sound.cohort()
    spoil(sound, "ABCD")
    sound.cohort(max_quarantine=1)
    with pytest.raises(FoldwiseError, match="no image is left after decoding; 56 are"):
        sound.audit(max_quarantine=1)


def test_shards_of_another_cohort_are_refused(sound):
    sound.cohort()
    path = sound.decode()[0]
    record = read_sealed(path)
    write_sealed(path, {**record, "rows": record["rows"][1:]})
    with pytest.raises(FoldwiseError, match=r"1 of \d+ images stand in no cache shard"):
        sound.audit()


def test_a_reordered_table_brings_the_private_rows_up_to_date(make, tmp_path):
    study = make(tmp_path, ["truncated", "row_without_folder"], max_quarantine=1)
    study.cohort()
    study.audit()
    before = {row["accession"]: row["row"] for row in study.rows("private/quarantine")}
    header, *lines = study.table.read_text().splitlines()
    study.table.write_text("\n".join([header, *reversed(lines)]) + "\n")
    study.cohort()
    after = {row["accession"]: row["row"] for row in study.rows("private/quarantine")}
    assert after == {name: str(len(lines) + 3 - int(line)) for name, line in before.items()}


def test_one_label_changes_no_list_and_no_images(sound):
    sound.cohort()
    sound.audit()
    before = (sound.results / "images.csv").read_bytes()
    decoded = sound.decoded
    rows = read_csv(sound.table)
    rows[0]["Classification"] = "1" if rows[0]["Classification"] != "1" else "2"
    write_csv(sound.table, list(rows[0]), rows)
    sound.cohort()
    sound.audit()
    assert (sound.results / "images.csv").read_bytes() == before
    assert sound.decoded == decoded


def test_a_killed_study_leaves_no_half_of_a_file(sound):
    sound.cohort()
    sound.audit()
    assert not list(sound.folder.rglob("*.tmp.*"))
    shutil.rmtree(sound.results)
    sound.cohort()
    assert sound.audit()["images"] == 56
