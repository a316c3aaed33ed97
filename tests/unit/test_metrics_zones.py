"""Zone scores against scikit-learn and numpy on the known zones."""

import numpy as np
import pytest
from sklearn import metrics as sk

from foldwise.evaluate.metrics import zones as ours

NAMES = ["right_sup", "left_sup", "right_mid", "left_mid", "right_inf", "left_inf"]


@pytest.fixture
def made():
    random = np.random.default_rng(3)
    labels = random.integers(0, 5, (80, 6))
    odds = np.exp(random.normal(size=(80, 6, 5)) + 1.5 * np.eye(5)[labels])
    return labels, odds / odds.sum(axis=2, keepdims=True)


def test_zone_scores_agree_with_scikit_learn(made):
    labels, p = made
    got = ours.scores(labels, p)
    truth, guess = labels.ravel(), p.argmax(axis=2).ravel()
    known = truth != 4
    t, g = truth[known], guess[known]
    both = g != 4
    four = [0, 1, 2, 3]
    assert got["exact"] == pytest.approx(sk.accuracy_score(t, g))
    assert got["macro_f1"] == pytest.approx(sk.f1_score(t, g, labels=four, average="macro"))
    assert got["weighted_f1"] == pytest.approx(sk.f1_score(t, g, labels=four, average="weighted"))
    kappa = sk.cohen_kappa_score(t[both], g[both], weights="quadratic", labels=four)
    assert got["kappa"] == pytest.approx(kappa)
    assert got["zone_mae"] == pytest.approx(sk.mean_absolute_error(t[both], g[both]))
    assert got["within_one"] == pytest.approx(
        np.mean([abs(a - b) <= 1 and b != 4 for a, b in zip(t, g, strict=True)])
    )
    assert got["coverage"] == pytest.approx(both.mean())


def test_unknown_is_a_detection_of_its_own(made):
    labels, p = made
    got = ours.scores(labels, p)
    truth, found = labels.ravel() == 4, p.argmax(axis=2).ravel() == 4
    assert got["unknown_precision"] == pytest.approx(sk.precision_score(truth, found))
    assert got["unknown_recall"] == pytest.approx(sk.recall_score(truth, found))
    assert got["unknown_f1"] == pytest.approx(sk.f1_score(truth, found))
    auc = sk.roc_auc_score(truth, p.reshape(-1, 5)[:, 4])
    assert got["unknown_auc"] == pytest.approx(auc)


def test_mean_score_agrees_with_numpy(made):
    labels, p = made
    guess = p.argmax(axis=2)
    masked = [np.ma.masked_equal(table, 4).mean(axis=1).filled(np.nan) for table in (labels, guess)]
    truth, mine = (column[~np.isnan(masked[0] + masked[1])] for column in masked)
    got = ours.scores(labels, p)
    assert got["mean_score_mae"] == pytest.approx(sk.mean_absolute_error(truth, mine))
    assert got["mean_score_rmse"] == pytest.approx(sk.root_mean_squared_error(truth, mine))
    assert got["mean_score_r"] == pytest.approx(np.corrcoef(truth, mine)[0, 1])


def test_bands_include_their_upper_bound():
    assert ours.severity(np.array([0, 1.3, 1.31, 2.2, 2.21, 3])).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_study_without_unknown_zones_has_no_unknown_recall(made):
    labels, p = made
    got = ours.scores(np.minimum(labels, 3), p)
    assert np.isnan(got["unknown_recall"])
    assert np.isnan(got["unknown_auc"])


def test_rows_give_the_same_as_arrays(made):
    labels, p = made
    rows = []
    for i in range(len(labels)):
        row = {}
        for z, zone in enumerate(NAMES):
            label, columns = ours.columns(zone)
            row[label] = str(labels[i, z])
            row |= {name: repr(float(p[i, z, k])) for k, name in enumerate(columns)}
        rows.append(row)
    assert ours.scorer(rows, NAMES)(None) == ours.scores(labels, p)
    found = ours.details(rows, NAMES)
    matrix = sk.confusion_matrix(labels[:, 2], p[:, 2].argmax(axis=1))
    assert found["per_zone"]["right_mid"]["confusion"] == matrix.tolist()
    assert sum(map(sum, found["bands"]["confusion"])) + found["bands"]["left_out"] == 80


@pytest.mark.parametrize("score", [0, ours.UNKNOWN])
def test_whatever_has_no_value_says_why(score):
    """One image, all of whose zones are scored alike, or none of which is scored."""
    row = {}
    for zone in NAMES:
        label, names = ours.columns(zone)
        row |= {label: str(score)} | {name: str(float(name.endswith(str(score)))) for name in names}
    measured = ours.scorer([row], NAMES)(None)
    lacking = {name for name, value in measured.items() if np.isnan(value)}
    reasons = ours.details([row], NAMES)["undefined"]
    assert set(reasons) == lacking and len(lacking) > 4
    assert all(reasons.values())
