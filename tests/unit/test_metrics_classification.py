"""Held against scikit-learn to 1e-9, and against figures published for real predictions."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binned_statistic
from sklearn import metrics as sk

from foldwise.evaluate.metrics import classification as ours
from foldwise.evaluate.metrics.averaging import average
from foldwise.files import read_csv, read_json

CLOSE = {"abs": 1e-9, "rel": 1e-9}


def predictions(n: int, n_classes: int, seed: int, informative: float = 1.0):
    """Labels (n,) and probabilities (n, n_classes) that know something of them; with ties."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, n_classes, n)
    logits = random.normal(size=(n, n_classes)) + informative * np.eye(n_classes)[labels]
    odds = np.exp(np.round(logits, 1))
    return labels, odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 3, 4, 8])
@pytest.mark.parametrize("seed", range(5))
def test_scores_agree_with_scikit_learn(n_classes, seed):
    labels, p = predictions(97, n_classes, seed)
    guess, every = p.argmax(axis=1), list(range(n_classes))
    got = ours.scores(labels, p)
    auc = sk.roc_auc_score(labels, p[:, 1] if n_classes == 2 else p, multi_class="ovr")
    expected = {
        "accuracy": sk.accuracy_score(labels, guess),
        "kappa": sk.cohen_kappa_score(labels, guess, weights="quadratic", labels=every),
        "macro_f1": sk.f1_score(labels, guess, average="macro"),
        "weighted_f1": sk.f1_score(labels, guess, average="weighted"),
        "macro_precision": sk.precision_score(labels, guess, average="macro"),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, guess),
        "balanced_accuracy_adjusted": sk.balanced_accuracy_score(labels, guess, adjusted=True),
        "auc": auc,
        "log_loss": sk.log_loss(labels, p, labels=every),
        "brier": np.mean([n_classes * sk.mean_squared_error(np.eye(n_classes)[labels], p)]),
    }
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, **CLOSE), name
    assert set(got) == {*expected, "ece"}


@pytest.mark.parametrize("seed", range(5))
def test_scores_with_absent_classes_agree_with_scikit_learn(seed):
    labels, p = predictions(12, 6, seed, informative=3)
    labels[labels == 5] = 0
    guess = p.argmax(axis=1)
    got = ours.scores(labels, p)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert got["macro_f1"] == pytest.approx(sk.f1_score(labels, guess, average="macro"))
        recall = sk.balanced_accuracy_score(labels, guess)
    assert got["balanced_accuracy"] == pytest.approx(recall)
    assert np.isnan(got["auc"])
    absent = ", ".join(name for k, name in enumerate("ABCDEF") if k not in labels)
    assert ours.undefined(labels, p, list("ABCDEF"))["auc"] == f"no sample of class {absent}"


def test_per_class_and_confusion_agree_with_scikit_learn():
    labels, p = predictions(60, 4, 1)
    guess = p.argmax(axis=1)
    table = ours.per_class(labels, p, list("ABCD"))
    by_metric = sk.precision_recall_fscore_support(labels, guess, labels=range(4))
    for k, name in enumerate("ABCD"):
        row = table[name]
        got = (row["precision"], row["recall"], row["f1"], row["support"])
        assert got == pytest.approx([column[k] for column in by_metric], **CLOSE)
        assert row["auc"] == pytest.approx(sk.roc_auc_score(labels == k, p[:, k]), **CLOSE)
        specificity = sk.recall_score(labels != k, guess != k)
        assert row["specificity"] == pytest.approx(specificity, **CLOSE)
    assert (ours.confusion(labels, guess, 4) == sk.confusion_matrix(labels, guess)).all()


def test_calibration_error_against_scipy_bins():
    labels, p = predictions(300, 3, 2)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    # Negated, since scipy's bins are closed on the left and ours on the right.
    share = [
        binned_statistic(-confidence, values, "sum", bins=10, range=(-1, 0)).statistic
        for values in (confidence, right)
    ]
    expected = np.abs(share[0] - share[1]).sum() / 300
    assert ours.scores(labels, p)["ece"] == pytest.approx(expected, **CLOSE)


def test_one_class_alone_is_undefined_with_a_reason():
    labels, p = np.zeros(5, dtype=int), np.tile([0.7, 0.3], (5, 1))
    got, reasons = ours.scores(labels, p), ours.undefined(labels, p, ["A", "B"])
    for name in ("auc", "kappa", "balanced_accuracy_adjusted"):
        assert np.isnan(got[name])
        assert reasons[name]
    assert got["accuracy"] == 1
    assert not ours.details(labels, p, ["A", "B"])["collapsed"]


def test_no_samples_give_no_numbers():
    got = ours.scores(np.zeros(0, dtype=int), np.zeros((0, 3)))
    assert all(np.isnan(value) for value in got.values())


def test_collapse_is_flagged_with_the_counts():
    labels, p = np.array([0, 1, 2, 2]), np.tile([0.2, 0.5, 0.3], (4, 1))
    found = ours.details(labels, p, ["A", "B", "C"])
    assert found["collapsed"]
    assert found["predicted_counts"] == {"A": 0, "B": 4, "C": 0}


def reference(name: str) -> tuple[list[dict[str, str]], dict]:
    root = os.environ.get("FOLDWISE_TEST_DATA")
    folder = Path(root or ".") / "no_explicit_licence" / "reference_density_predictions"
    if not root or not folder.is_dir():
        pytest.skip("FOLDWISE_TEST_DATA does not hold reference_density_predictions")
    expected = read_json(folder / "expected.json")
    views = ["CC_R", "MLO_R"] if name == "right" else [name]
    rows = [row for view in views for row in read_csv(folder / f"{view}.csv")]
    return rows, expected["published"][name] | expected["recomputed"][name]


@pytest.mark.parametrize("name", ["CC_R", "MLO_R", "right"])
def test_published_density_figures(name):
    rows, expected = reference(name)
    rows, left_out = average(rows, "exam_index")
    assert (len(rows), left_out) == (128, 0)
    got = ours.scorer(rows, list("ABCD"))(None)
    ours_of = {
        "recall_macro": "balanced_accuracy",
        "precision_macro": "macro_precision",
        "f1_macro": "macro_f1",
        "qwk": "kappa",
        "auc_ovr_macro": "auc",
        "accuracy": "accuracy",
    }
    for theirs, metric in ours_of.items():
        assert round(got[metric], 6) == pytest.approx(expected[theirs], abs=1e-9), metric
