"""Images with masks: joined by table or by name, laid on each other exactly, faults named."""

import shutil

import cv2
import numpy as np
import pytest

from cohorts import ALL, Study
from folding import fold_settings
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, write_csv
from foldwise.folds.assign import make_folds
from made_segmentation import MASK_FAULTS, segmentation_archive
from pairing import by_folders, by_table

# Fault -> (check, kind).
EXPECTED = {
    "other_size": ("mask_size", "quarantine"),
    "grey_edges": ("grey_mask", "note"),
    "empty_mask": ("empty_mask", "note"),
    "mask_without_image": ("no_image", "quarantine"),
    "image_without_mask": ("no_mask", "quarantine"),
    "truncated_mask": ("mask_unreadable", "quarantine"),
}


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    segmentation_archive(folder / "made", 6, 64, faults=MASK_FAULTS)
    study = by_table(folder, **ALL)
    study.cohort()
    study.audit()
    return study


@pytest.fixture
def sound(tmp_path):
    segmentation_archive(tmp_path / "made", 3, 64)
    return by_table(tmp_path)


@pytest.mark.parametrize("fault", MASK_FAULTS)
def test_each_fault_is_named_and_counted(damaged, fault):
    check, kind = EXPECTED[fault]
    found = {row["check"]: (row["count"], row["kind"]) for row in damaged.rows("audit/data_audit")}
    assert found[check] == ("1", kind)


def test_what_is_sound_is_analysed_and_no_name_leaks(damaged):
    assert len(damaged.rows("cohort")) == 24 - 4
    assert "beads_" not in damaged.public_text()
    files = {row["file"] for row in damaged.rows("private/quarantine")}
    assert any("masks/beads_" in names or "images/beads_" in names for names in files)


def test_folders_of_equal_names_say_the_same_as_a_table(sound, tmp_path):
    sound.cohort()
    other = by_folders(tmp_path)
    other.name = "other"
    other.cohort()
    for name in ("images", "labels"):
        assert other.rows(name) == sound.rows(name)


def test_what_folders_lack_is_named(tmp_path):
    segmentation_archive(
        tmp_path / "made", 6, 64, faults=["mask_without_image", "image_without_mask"]
    )
    study = by_folders(tmp_path, **ALL)
    study.cohort()
    reasons = [row["reason"] for row in study.rows("findings") if row["kind"] == "quarantine"]
    assert sorted(reasons) == ["no_image", "no_mask"]


def test_two_masks_for_one_image_are_never_guessed(tmp_path):
    made = segmentation_archive(tmp_path / "made", 3, 64)
    first = sorted((made / "masks").iterdir())[0]
    shutil.copy(first, first.with_suffix(".tif"))
    study = by_folders(tmp_path, **ALL)
    # With the image's own ending it is clear which one is meant.
    assert study.cohort()["usable"] == 12
    first.rename(first.with_suffix(".pgm"))
    assert study.cohort()["usable"] == 11
    assert [row["reason"] for row in study.rows("findings")] == ["two_masks"]


@pytest.mark.parametrize(
    ("group", "words"),
    [("(", ["regular expression"]), ("specimen", ["no bracket"]), (None, ["data.group", "image"])],
)
def test_a_group_that_cannot_be_read_is_named(tmp_path, group, words):
    segmentation_archive(tmp_path / "made", 2, 64)
    with pytest.raises(FoldwiseError) as error:
        by_folders(tmp_path, group).cohort()
    for word in words:
        assert word in str(error.value)


def test_each_image_by_itself(tmp_path):
    segmentation_archive(tmp_path / "made", 2, 64)
    study = by_folders(tmp_path, None, group="image")
    study.cohort()
    assert len({row["group"] for row in study.rows("images")}) == 8


def test_a_folder_that_is_not_there_names_those_that_are(tmp_path):
    segmentation_archive(tmp_path / "made", 2, 64)
    study = by_folders(tmp_path)
    study.data["table"]["folders"] |= {"mask": "labels"}
    with pytest.raises(FoldwiseError, match=r"folders\.mask.*there are: images, masks"):
        study.cohort()


def test_other_layouts_have_no_masks(sound):
    sound.layout = "accession"
    with pytest.raises(FoldwiseError, match="names no masks"):
        sound.cohort()


def test_one_picture_with_two_masks_is_a_conflict(sound):
    rows = read_csv(sound.table)
    again = dict(rows[0], image="images/again.png", mask=rows[1]["mask"])
    shutil.copy(sound.root / rows[0]["image"], sound.root / again["image"])
    write_csv(sound.table, list(rows[0]), [*rows, again])
    sound.cohort()
    with pytest.raises(FoldwiseError, match="two different labels"):
        sound.audit()


def test_foreground_is_known_after_decoding_and_evens_the_folds(tmp_path):
    segmentation_archive(tmp_path / "made", 12, 64)
    study = by_table(tmp_path)
    study.cohort()
    study.audit()
    rows = study.rows("cohort")
    names = {row["sample"]: row["file"].split()[1] for row in study.rows("private/id_map")}
    for row in rows:
        mask = cv2.imread(str(study.root / names[row["sample"]]), cv2.IMREAD_UNCHANGED)
        assert float(row["foreground"]) == pytest.approx((mask > 127).mean(), abs=1e-6)
    means = {}
    for strata in ({"strata": "none"}, {"strata": "foreground", "bins": 5}):
        folder = tmp_path / strata["strata"]
        make_folds(fold_settings(n=3, **strata), study.results / "cohort.csv", folder)
        fold_of = {row["sample"]: row["fold"] for row in read_csv(folder / "folds.csv")}
        values = [
            np.mean([float(row["foreground"]) for row in rows if fold_of[row["sample"]] == fold])
            for fold in "123"
        ]
        means[strata["strata"]] = np.ptp(values)
    assert means["foreground"] < means["none"]


def test_folders_of_patients_are_counted_not_named(tmp_path):
    segmentation_archive(tmp_path / "made", 2, 64)
    for patient in ("CANARY_ANNA_1", "CANARY_BERTA_2"):
        (tmp_path / "made" / patient).mkdir()
    study = by_folders(tmp_path)
    study.data["table"]["folders"] |= {"mask": "labels"}
    with pytest.raises(FoldwiseError, match="4 folders, not named") as raised:
        study.cohort()
    assert "CANARY" not in str(raised.value)


def repainted(study: Study, change) -> None:
    """Change the masks of all tiles on the disk."""
    for row in read_csv(study.table):
        path = str(study.root / row["mask"])
        cv2.imwrite(path, change(cv2.imread(path, cv2.IMREAD_UNCHANGED)))


def test_masks_that_are_all_empty_stop_the_study(sound):
    repainted(sound, np.zeros_like)
    sound.cohort()
    with pytest.raises(FoldwiseError, match=r"all 12 masks are empty.*image\.mask: nonzero"):
        sound.audit()


def test_masks_drawn_in_black_on_white_get_a_word(sound):
    repainted(sound, lambda mask: np.where(np.indices(mask.shape).sum(axis=0) < 9, 0, 255))
    sound.cohort()
    sound.audit()
    found = {row["check"]: row["count"] for row in sound.rows("audit/data_audit")}
    assert found["full_mask"] == "12"


def test_image_and_mask_that_changed_places_are_told_so(sound):
    rows = read_csv(sound.table)
    swapped = [row | {"image": row["mask"], "mask": row["image"]} for row in rows]
    write_csv(sound.table, list(rows[0]), swapped)
    sound.cohort()
    with pytest.raises(FoldwiseError, match="two values whose mask has many"):
        sound.audit()
