"""Two heads against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from foldwise.evaluate.metrics import heads as ours

HEADS = {"modality": ["CT", "MR"], "location": ["head", "chest", "abdomen"]}


@pytest.fixture
def made():
    random = np.random.default_rng(0)
    rows = [{} for _ in range(50)]
    for head, names in HEADS.items():
        label, prefix = ours.columns(head)
        for row in rows:
            truth = random.integers(len(names))
            p = random.dirichlet(1 + 2 * np.eye(len(names))[truth])
            row[label] = names[truth]
            row |= {prefix + name: repr(float(v)) for name, v in zip(names, p, strict=True)}
    return rows


def test_heads_agree_with_scikit_learn(made):
    got = ours.scorer(made, HEADS)(None)
    f1 = []
    for head, names in HEADS.items():
        label, prefix = ours.columns(head)
        truth = [row[label] for row in made]
        guess = [max(names, key=lambda n: float(row[prefix + n])) for row in made]
        f1.append(sk.f1_score(truth, guess, average="macro"))
        assert got[f"{head}_accuracy"] == pytest.approx(sk.accuracy_score(truth, guess))
        assert got[f"{head}_macro_f1"] == pytest.approx(f1[-1])
        precision = sk.precision_score(truth, guess, average="macro")
        assert got[f"{head}_macro_precision"] == pytest.approx(precision)
        recall = sk.recall_score(truth, guess, average="macro")
        assert got[f"{head}_macro_recall"] == pytest.approx(recall)
    assert got["mean_f1"] == pytest.approx(np.mean(f1))


def test_details_are_per_head(made):
    found = ours.details(made, HEADS)
    assert sum(found["heads"]["location"]["predicted_counts"].values()) == 50
    assert not found["collapsed"]


def test_what_is_undefined_says_why_and_of_which_label(made):
    rows = [row for row in made if row["label_location"] != "abdomen"]
    assert np.isnan(ours.scorer(rows, HEADS)(None)["location_auc"])
    assert ours.details(rows, HEADS)["undefined"] == {"location_auc": "no sample of class abdomen"}


def test_other_rows_after_these_are_read_anew(made):
    measures = ours.Measures({"heads": HEADS})
    first, second = made[:25], made[25:]
    assert measures.score(first) == ours.scorer(first, HEADS)(None)
    assert measures.score(second) == ours.scorer(second, HEADS)(None)
    assert measures.score(second) != measures.score(first)
