"""Two heads against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from foldwise.evaluate.metrics import heads as ours
from foldwise.metrics import judging

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


def test_kappa_is_told_of_labels_with_an_order_alone(made):
    got = ours.scorer(made, HEADS, {"location"})(None)
    truth, guess = (
        [HEADS["location"].index(name) for name in names]
        for names in (
            [row["label_location"] for row in made],
            [max(HEADS["location"], key=lambda n: float(row["p_location_" + n])) for row in made],
        )
    )
    assert got["location_kappa"] == pytest.approx(
        sk.cohen_kappa_score(truth, guess, weights="quadratic")
    )
    assert "modality_kappa" not in got
    one_kind = [row for row in made if row["label_location"] == "head"]
    for head in HEADS:
        row = one_kind[0] | {f"label_{head}": HEADS[head][0]}
        row |= {f"p_{head}_{n}": str(float(k == 0)) for k, n in enumerate(HEADS[head])}
        one_kind = [row]
    assert "location_kappa" in ours.details(one_kind, HEADS, {"location"})["undefined"]
    assert "modality_kappa" not in ours.details(one_kind, HEADS, {"location"})["undefined"]


def test_trials_are_judged_by_kappa_of_ordered_labels_alone():
    said = judging(
        "distillation", {"heads": HEADS, "ordered": {"modality": False, "location": True}}
    )
    assert "location_kappa" in said
    assert "modality_kappa" not in said
    assert "modality_macro_f1" in said


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
