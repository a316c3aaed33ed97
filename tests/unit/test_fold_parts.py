"""Parts of folds: those that the data name themselves, and the audit that nothing leaks."""

import pytest

from folding import cohort, folds_of
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv
from foldwise.folds.assign import write_fold
from foldwise.folds.checks import assert_no_leak
from foldwise.hashing import digest


def preset(rows, part_of):
    return [row | {"split": part_of(row["group"])} for row in rows]


def thirds(group):
    return ("train", "train", "val", "holdout")[int(digest(group), 16) % 4]


def test_a_preset_split_is_one_fold(tmp_path):
    rows = preset(cohort(40), thirds)
    folds_of(tmp_path, rows, preset="split")
    write_fold(tmp_path / "a" / "folds.csv", 1, tmp_path / "fold_1.csv")
    parts = {row["sample"]: row["part"] for row in read_csv(tmp_path / "fold_1.csv")}
    assert parts == {row["sample"]: row["split"] for row in rows}
    assert set(parts.values()) == {"train", "val", "holdout"}


def test_preset_folds_are_taken_by_number(tmp_path):
    rows = preset(cohort(40), lambda group: str(1 + int(digest(group), 16) % 3))
    folds, balance = folds_of(tmp_path, rows, preset="folds", n=3)
    assert all(folds[row["content"]] == row["split"] for row in rows)
    assert balance["made"] == "folds"
    with pytest.raises(FoldwiseError, match=r"has 1, 2, 3 to validate, and 1 to 5 are due"):
        folds_of(tmp_path, rows, preset="folds", n=5)


def test_a_preset_test_part_is_the_holdout(tmp_path):
    rows = preset(cohort(60), thirds)
    folds, _ = folds_of(tmp_path, rows, preset="test", n=3)
    for row in rows:
        assert (folds[row["content"]] == "holdout") == (row["split"] == "holdout")
    assert set(folds.values()) == {"1", "2", "3", "holdout"}


def test_a_preset_that_tears_a_patient_is_named(tmp_path):
    rows = preset(cohort(40), thirds)
    torn = next(row for row in rows if row["split"] == "train" and row["view"] == "CC")
    rows = [row | {"split": "val"} if row is torn else row for row in rows]
    with pytest.raises(FoldwiseError) as raised:
        folds_of(tmp_path, rows, preset="split")
    assert f"puts 1 group into two parts: {torn['group']}." in str(raised.value)
    assert "private/id_map.csv" in str(raised.value)


@pytest.mark.parametrize(
    ("part_of", "name", "said"),
    [
        (lambda group: "", "split", r"have no part\. Name the column in data\.columns\.split"),
        (lambda group: "2", "split", "the split column says '2'"),
        (lambda group: "train", "folds", "the split column says 'train'"),
        (lambda group: "train", "split", "has nothing to validate"),
        (lambda group: "val", "split", "leaves nothing to train on"),
        (thirds, "sprit", "Did you mean 'split'"),
    ],
)
def test_presets_that_do_not_fit_are_named(tmp_path, part_of, name, said):
    with pytest.raises(FoldwiseError, match=said):
        folds_of(tmp_path, preset(cohort(20), part_of), preset=name)


# One fold's file, and the leak audit


def test_each_fold_validates_its_own_and_trains_on_the_rest(tmp_path):
    rows = cohort(60)
    folds, _ = folds_of(tmp_path, rows, n=3, holdout=0.2)
    for number in (1, 2, 3):
        write_fold(tmp_path / "a" / "folds.csv", number, tmp_path / "fold.csv")
        fold = read_csv(tmp_path / "fold.csv")
        parts = {row["sample"]: row["part"] for row in fold}
        expected = {str(number): "val", "holdout": "holdout"}
        for row in rows:
            assert parts[row["sample"]] == expected.get(folds[row["content"]], "train")
        assert_no_leak(fold, rows)
    with pytest.raises(FoldwiseError, match="has no fold 4"):
        write_fold(tmp_path / "a" / "folds.csv", 4, tmp_path / "fold.csv")


def leaky(rows, place, part):
    fold = [{"sample": row["sample"], "part": "train"} for row in rows]
    fold[place]["part"] = part
    return fold


def test_a_patient_in_two_parts_is_a_leak(tmp_path):
    rows = cohort(10, images=(2, 2))
    with pytest.raises(
        FoldwiseError, match=r"1 group stands in more than one part \(train and val"
    ):
        assert_no_leak(leaky(rows, 3, "val"), rows)


@pytest.mark.parametrize("what", ["pixels", "content"])
def test_a_picture_in_two_parts_is_a_leak(what):
    rows = cohort(10, images=(1, 1))
    rows[4][what] = rows[3][what]
    with pytest.raises(FoldwiseError, match="1 picture stands in more than one part"):
        assert_no_leak(leaky(rows, 3, "holdout"), rows)
    assert_no_leak([{"sample": row["sample"], "part": "train"} for row in rows], rows)


def test_a_fold_of_another_cohort_is_refused():
    rows = cohort(10)
    fold = [{"sample": row["sample"], "part": "train"} for row in rows]
    for odd in (fold[1:], [*fold, fold[0]], [*fold[1:], {"sample": "s0", "part": "val"}]):
        with pytest.raises(FoldwiseError, match="does not fit"):
            assert_no_leak(odd, rows)
