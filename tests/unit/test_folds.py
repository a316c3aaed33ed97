"""Folds: balanced, grouped, stratified, the same anywhere, and kept when patients are added."""

import itertools
import random

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from folding import cohort, folds_of, row_of
from foldwise.errors import FoldwiseError
from foldwise.hashing import digest


@pytest.mark.parametrize("n", [2, 3, 5, 10])
@pytest.mark.parametrize("mixed", [0.0, 0.5])
def test_groups_stay_whole_and_every_class_is_in_every_fold(tmp_path, n, mixed):
    rows = cohort(150, mixed=mixed)
    folds, balance = folds_of(tmp_path, rows, n=n)
    assert set(folds.values()) == {str(number) for number in range(1, n + 1)}
    of = {row["group"]: folds[row["content"]] for row in rows}
    assert all(folds[row["content"]] == of[row["group"]] for row in rows)
    for fold in set(folds.values()):
        assert {row["label"] for row in rows if folds[row["content"]] == fold} == set("ABCD")
    assert sum(part["images"] for part in balance["folds"].values()) == len(rows)
    assert sum(part["groups"] for part in balance["folds"].values()) == 150


def spread(rows, folds):
    """Largest difference of a class's share in a fold from its share of all."""
    labels = sorted({row["label"] for row in rows})
    overall = np.array([sum(row["label"] == one for row in rows) for one in labels]) / len(rows)
    worst = 0.0
    for fold in set(folds.values()):
        own = [row["label"] for row in rows if folds[row["content"]] == fold]
        shares = np.array([own.count(one) for one in labels]) / len(own)
        worst = max(worst, np.abs(shares - overall).max())
    return worst


def sklearns(rows, seed):
    """Fold by content as scikit-learn's StratifiedGroupKFold deals them."""
    labels, groups = [row["label"] for row in rows], [row["group"] for row in rows]
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    parts = enumerate(places for _, places in splitter.split(labels, labels, groups))
    return {rows[place]["content"]: str(fold) for fold, places in parts for place in places}


def test_balance_is_better_than_sklearns(tmp_path):
    ours, theirs = [], []
    for seed, mixed in itertools.product(range(8), (0.0, 0.4)):
        rows = cohort(100, seed=seed, mixed=mixed)
        folds, balance = folds_of(tmp_path, rows, name=f"{seed}{mixed}")
        assert balance["class_deviation"] == pytest.approx(spread(rows, folds))
        assert balance["group_deviation"] <= 0.05 + 1e-12
        ours.append(spread(rows, folds))
        theirs.append(spread(rows, sklearns(rows, seed)))
    assert np.mean(ours) < 0.85 * np.mean(theirs)
    assert np.max(ours) < 0.04


def test_a_class_of_as_many_patients_as_folds_is_in_every_fold(tmp_path):
    for seed in range(20):
        rows = cohort(50, shares=(0.4, 0.3, 0.3), seed=seed)
        rare = sorted({row["group"] for row in rows})[:5]
        rows = [row | {"label": "D"} if row["group"] in rare else row for row in rows]
        folds, _ = folds_of(tmp_path, rows, name=f"n{seed}")
        assert {folds[row["content"]] for row in rows if row["label"] == "D"} == set("12345")


def test_whenever_some_assignment_has_all_classes_one_is_found(tmp_path):
    """Against all assignments of small cohorts whose patients have images of several classes."""
    tried = 0
    for seed in range(60):
        rows = cohort(6, shares=(0.5, 0.3, 0.2), seed=seed, images=(1, 3), mixed=0.6)
        classes = sorted({row["label"] for row in rows})
        held = {}
        for row in rows:
            held.setdefault(row["group"], set()).add(row["label"])
        possible = any(
            all(
                set().union(
                    *(held[group] for group, of in zip(held, parts, strict=True) if of == p)
                )
                == set(classes)
                for p in (0, 1)
            )
            for parts in itertools.product((0, 1), repeat=len(held))
        )
        tried += possible
        if possible:
            folds_of(tmp_path, rows, name=f"p{seed}", n=2)
        else:
            with pytest.raises(FoldwiseError, match="has no sample of class"):
                folds_of(tmp_path, rows, name=f"p{seed}", n=2)
    assert 10 < tried < 60


def test_equal_seed_and_contents_give_equal_folds_whatever_names_and_order(tmp_path):
    rows = cohort(60)
    first, _ = folds_of(tmp_path, rows, name="a")
    named_otherwise = cohort(60, key="another key")
    random.Random(1).shuffle(named_otherwise)
    assert folds_of(tmp_path, named_otherwise, name="b")[0] == first
    assert folds_of(tmp_path, rows, name="c", seed=43)[0] != first


def test_folds_of_a_seed_do_not_change_between_versions(tmp_path):
    folds, _ = folds_of(tmp_path, cohort(60), n=3)
    assert digest(sorted(folds.items())) == "24082f3c701b6ab2"


def test_a_holdout_is_of_its_share_and_of_every_class(tmp_path):
    rows = cohort(200)
    folds, balance = folds_of(tmp_path, rows, n=4, holdout=0.2)
    held = balance["folds"]["holdout"]
    assert held["groups"] == 40
    assert held["images"] == pytest.approx(0.2 * len(rows), rel=0.05)
    assert set(held["classes"]) == set("ABCD")
    assert set(folds.values()) == {"1", "2", "3", "4", "holdout"}


# Kept folds


def test_patients_keep_their_fold_when_others_are_added(tmp_path):
    before = None
    for patients in range(60, 121, 4):
        rows = cohort(patients)
        folds, balance = folds_of(tmp_path, rows)
        if before:
            assert before.items() <= folds.items()
            assert (balance["groups_kept"], balance["groups_new"]) == (patients - 4, 4)
        before = folds
    fresh = folds_of(tmp_path, rows, name="fresh")[1]
    # How balanced it stays: 60 patients that became 120, four at a time.
    assert balance["group_deviation"] <= 0.1
    assert balance["class_deviation"] <= fresh["class_deviation"] + 0.05


def test_a_patient_keeps_the_fold_with_new_images_and_new_names(tmp_path):
    rows = cohort(60)
    folds, _ = folds_of(tmp_path, rows)
    renamed = cohort(60, key="new key")
    more = [row_of(0, patient, 9, "A", "new key") for patient in range(10)]
    later, balance = folds_of(tmp_path, sorted(renamed + more, key=lambda row: row["content"]))
    assert folds.items() <= later.items()
    assert balance["groups_kept"] == 60


def test_patients_that_leave_move_nobody(tmp_path):
    folds, _ = folds_of(tmp_path, cohort(60))
    rows = [row for row in cohort(60) if row["group"] not in {"g" + digest(["k", 7], 12)}]
    assert folds_of(tmp_path, rows)[0].items() <= folds.items()


@pytest.mark.parametrize("change", [{"seed": 1}, {"n": 4}, {"holdout": 0.1}, {"strata": "none"}])
def test_other_settings_start_anew(tmp_path, change):
    folds_of(tmp_path, cohort(60))
    folds, balance = folds_of(tmp_path, cohort(60), **change)
    assert balance["groups_kept"] == 0
    assert folds == folds_of(tmp_path, cohort(60), name="fresh", **change)[0]


def test_kept_folds_that_lack_a_class_are_made_anew(tmp_path):
    rows = cohort(40, shares=(0.5, 0.5))
    folds, _ = folds_of(tmp_path, rows)
    # Five patients of fold 1 turn out to be of a third class.
    third = sorted({row["group"] for row in rows if folds[row["content"]] == "1"})[:5]
    relabelled = [row | {"label": "C"} if row["group"] in third else row for row in rows]
    later, balance = folds_of(tmp_path, relabelled)
    assert balance["groups_kept"] == 0
    for fold in "12345":
        assert "C" in {row["label"] for row in relabelled if later[row["content"]] == fold}


# Other strata


def test_a_column_of_the_cohort_may_be_the_stratum(tmp_path):
    rows = cohort(100, images=(1, 1))
    for place, row in enumerate(rows):
        row["stratum"] = f"site {place % 7 == 0:d}"
    folds, _ = folds_of(tmp_path, rows, strata="stratum")
    for fold in "12345":
        own = [row["stratum"] for row in rows if folds[row["content"]] == fold]
        assert own.count("site 1") == 3
    assert {row["label"] for row in rows if folds[row["content"]] == "1"} == set("ABCD")


def test_numbers_are_cut_into_quantiles(tmp_path):
    rng = np.random.default_rng(3)
    rows = [row | {"label": ""} for row in cohort(100, images=(1, 1))]
    for row, value in zip(rows, rng.lognormal(size=100), strict=True):
        row["stratum"] = repr(float(value))
    folds, _ = folds_of(tmp_path, rows, strata="stratum", bins=5)
    values = np.array([float(row["stratum"]) for row in rows])
    edges = np.quantile(values, [0.2, 0.4, 0.6, 0.8])
    for fold in "12345":
        own = values[[folds[row["content"]] == fold for row in rows]]
        assert np.bincount(np.searchsorted(edges, own), minlength=5).tolist() == [4] * 5


def test_strata_that_are_not_there_or_no_numbers_are_named(tmp_path):
    with pytest.raises(FoldwiseError, match=r"no column 'wiew'\. Did you mean 'view'"):
        folds_of(tmp_path, cohort(20), strata="wiew")
    with pytest.raises(FoldwiseError, match="column 'view' holds text"):
        folds_of(tmp_path, cohort(20), strata="view", bins=3)


# Errors


def test_a_class_with_too_few_patients_is_named_with_the_way_out(tmp_path):
    rows = cohort(40, shares=(0.5, 0.5))
    rare = sorted({row["group"] for row in rows})[:2]
    rows = [row | {"label": "D"} if row["group"] in rare else row for row in rows]
    with pytest.raises(FoldwiseError) as raised:
        folds_of(tmp_path, rows)
    assert str(raised.value) == (
        "Fold 3 has no sample of class D: only 2 patients have it. Lower folds.n (now 5) in "
        "config/studies/x.yaml, or merge the class in data.classes.mapping."
    )
    with pytest.raises(FoldwiseError, match=r"The holdout has no .* or drop folds\.holdout"):
        folds_of(tmp_path, rows, n=2, holdout=0.2)
    folds_of(tmp_path, rows, n=2)


def test_too_few_patients_are_named(tmp_path):
    with pytest.raises(FoldwiseError, match=r"3 patients cannot fill 4 folds.*now 4"):
        folds_of(tmp_path, cohort(3, shares=(1.0,)), n=4)


@pytest.mark.parametrize("n", [0, 11])
def test_the_number_of_folds_is_1_to_10(tmp_path, n):
    with pytest.raises(FoldwiseError, match=f"folds.n is {n}"):
        folds_of(tmp_path, cohort(40), n=n)


@pytest.mark.parametrize(("holdout", "wanted"), [(0.0, (0.85, 0.15)), (0.15, (0.7, 0.15))])
def test_a_single_split_has_its_shares_of_groups_and_classes(tmp_path, holdout, wanted):
    rows = cohort(200, images=(1, 3))
    folds, balance = folds_of(tmp_path, rows, n=1, holdout=holdout)
    groups = {row["group"]: folds[row["content"]] for row in rows}
    assert all(groups[row["group"]] == folds[row["content"]] for row in rows)
    found = [list(groups.values()).count(part) / 200 for part in ("train", "1")]
    assert found == pytest.approx(wanted, abs=0.011)
    assert set(folds.values()) == {"1", "train"} | ({"holdout"} if holdout else set())
    overall = {one: sum(row["label"] == one for row in rows) / len(rows) for one in "ABCD"}
    own = [row["label"] for row in rows if folds[row["content"]] == "1"]
    for one, share in overall.items():
        assert own.count(one) / len(own) == pytest.approx(share, abs=0.03)
    assert balance["folds"]["1"]["classes"].keys() == set("ABCD")


def test_a_single_split_without_enough_patients_says_which_part(tmp_path):
    rows = cohort(12, shares=(0.5, 0.5), images=(1, 1))
    rare = sorted({row["group"] for row in rows})[:1]
    rows = [row | {"label": "D"} if row["group"] in rare else row for row in rows]
    with pytest.raises(FoldwiseError, match=r"The training part has no sample of class D: only 1"):
        folds_of(tmp_path, rows, n=1)
