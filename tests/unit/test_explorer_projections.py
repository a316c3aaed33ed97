"""Projections: against scikit-learn, each fold by itself, neighbours of other groups, bad input."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from foldwise.errors import FoldwiseError
from foldwise.files import read_json, write_csv
from foldwise.report.explorer import projections

PARAMS = {"task": {"classes": ["A", "B"]}, "seed": 1}


def made(folder, *folds, params=PARAMS):
    """projections.json of made-up folds: the features of each, and its truth."""
    tables, arrays = [], []
    for k, (features, truth) in enumerate(folds, 1):
        rows = [
            {"sample": f"s{k}_{i}", "group": f"g{i // 2}", "fold": k, "label": one}
            for i, one in enumerate(truth)
        ]
        tables.append(folder / f"p{k}.csv")
        arrays.append(folder / f"e{k}.npy")
        write_csv(tables[-1], ["sample", "group", "fold", "label"], rows)
        np.save(arrays[-1], np.asarray(features, np.float32))
    projections.write_projections(params, tables, arrays, folder / "out.json")
    return read_json(folder / "out.json")


def two_classes(n, d, seed=0):
    random = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    features = random.normal(size=(n, d)) * np.arange(1, d + 1) + 4 * truth[:, None]
    return features.astype(np.float32), ["AB"[one] for one in truth]


@pytest.mark.parametrize(("n", "d"), [(60, 7), (12, 40)])
def test_points_are_the_principal_components_of_scikit_learn(tmp_path, n, d):
    features, truth = two_classes(n, d)
    (fold,) = made(tmp_path, (features, truth))["folds"]
    theirs = PCA(2).fit(features.astype(np.float64))
    assert fold["explained"] == pytest.approx(theirs.explained_variance_ratio_, abs=1e-4)
    ours, expected = np.array(fold["points"]["PCA"]), theirs.transform(features.astype(np.float64))
    for k in (0, 1):
        sign = np.sign(ours[:, k] @ expected[:, k])
        assert np.abs(ours[:, k] - sign * expected[:, k] / np.abs(expected).max()).max() < 1e-3


def test_each_fold_has_a_space_of_its_own(tmp_path):
    one, other = two_classes(30, 5), two_classes(24, 5, seed=1)
    together = made(tmp_path, one, other)["folds"]
    assert [fold["fold"] for fold in together] == [1, 2]
    # The first is what it is without the second, and a turned second space changes nothing of it.
    (single,) = made(tmp_path, one)["folds"]
    assert together[0] == single
    turned = other[0][:, ::-1] * 100, other[1]
    assert made(tmp_path, one, turned)["folds"][0] == single


def test_neighbours_are_of_other_groups(tmp_path):
    features, truth = two_classes(40, 3)
    (fold,) = made(tmp_path, (features, truth))["folds"]
    group, right, chance = np.arange(40) // 2, [], []
    for i in range(40):
        others = group != group[i]
        model = KNeighborsClassifier(1).fit(features[others], np.array(truth)[others])
        right.append(model.predict(features[i : i + 1])[0] == truth[i])
        chance.append(np.mean(np.array(truth)[others] == truth[i]))
    (found,) = fold["neighbours"]
    assert found["same"] == pytest.approx(np.mean(right), abs=1e-4)
    assert found["chance"] == pytest.approx(np.mean(chance), abs=1e-4)


def test_blocks_of_neighbours_change_nothing(tmp_path, monkeypatch):
    whole = made(tmp_path, two_classes(50, 4))
    monkeypatch.setattr(projections, "BLOCK", 7)
    assert made(tmp_path, two_classes(50, 4)) == whole


def test_little_and_odd_input_has_points(tmp_path):
    (single,) = made(tmp_path, ([[1, 2, 3]], ["A"]))["folds"]
    assert single["points"]["PCA"] == [[0, 0]] and single["shown"] is None
    assert single["neighbours"] == [{"same": None, "chance": None}]
    (flat,) = made(tmp_path, (np.ones((4, 3)), list("AABB")))["folds"]
    assert flat["points"]["PCA"] == [[0, 0]] * 4
    (narrow,) = made(tmp_path, (np.arange(6)[:, None], list("AABBAA")))["folds"]
    assert {y for _, y in narrow["points"]["PCA"]} == {0}
    (broken,) = made(tmp_path, ([[np.nan, 1], [0, 1], [1, 0]], list("ABA")))["folds"]
    assert (broken["images"], broken["samples"]) == (2, ["s1_1", "s1_2"])
    (one_class,) = made(tmp_path, (two_classes(8, 3)[0], ["A"] * 8))["folds"]
    assert one_class["neighbours"] == [{"same": 1, "chance": 1}]


def test_tasks_of_several_parts_and_of_none(tmp_path):
    several = {"task": {"zones": ["left", "right"]}, "seed": 1}
    assert len(made(tmp_path, two_classes(8, 3), params=several)["folds"][0]["neighbours"]) == 2
    masks = {"task": {"threshold": 0.5}, "seed": 1}
    assert made(tmp_path, two_classes(8, 3), params=masks)["folds"][0]["neighbours"] == []


def test_features_of_another_table_are_an_error(tmp_path):
    with pytest.raises(FoldwiseError, match="3 rows, the table of predictions beside it 2"):
        made(tmp_path, (np.ones((3, 2)), ["A", "B"]))


def test_umap_is_a_second_method_where_it_is_installed(tmp_path, monkeypatch):
    class Fake:
        def __init__(self, n_components, random_state, n_jobs):
            self.settings = n_components, random_state, n_jobs

        def fit_transform(self, features):
            assert self.settings == (2, 1, 1)
            return features[:, :2]

    monkeypatch.setitem(sys.modules, "umap", None)
    assert made(tmp_path, two_classes(20, 3))["methods"] == ["PCA"]
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Fake))
    found = made(tmp_path, two_classes(20, 3))
    assert found["methods"] == ["PCA", "UMAP"] and len(found["folds"][0]["points"]["UMAP"]) == 20
    # A method that one fold is too small for is none.
    assert made(tmp_path, two_classes(20, 3), two_classes(4, 3))["methods"] == ["PCA"]
