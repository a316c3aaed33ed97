"""The probe of texts: against scikit-learn by hand, and on a column that gives the label away."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from foldwise.baselines.text_probe import probe, text_probe
from foldwise.files import write_csv

WORDS = ["dark", "bright", "round", "sharp"]


def made(number=60, seed=1):
    random = np.random.default_rng(seed)
    labels = random.choice(["CT", "MR"], number)
    vague = [" ".join(random.choice(WORDS, 3)) for _ in labels]
    leaky = [f"{label} - plain {word}" for label, word in zip(labels, vague, strict=True)]
    groups = [f"g{random.integers(20)}" for _ in labels]
    order = [f"{n:03d}" for n in range(number)]
    return labels.tolist(), vague, leaky, groups, order


def test_it_is_scikit_learns_grouped_cross_validation():
    labels, vague, _, groups, order = made()
    first = {}
    numbers = [first.setdefault(group, len(first)) for group in groups]
    counts = CountVectorizer().fit_transform(vague)
    predicted = cross_val_predict(
        LogisticRegression(max_iter=1000), counts, labels, groups=numbers, cv=GroupKFold(5)
    )
    found = probe(vague, labels, groups, order)
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, predicted))


def test_names_of_groups_and_order_of_rows_decide_nothing():
    labels, vague, _, groups, order = made()
    turned = [list(reversed(values)) for values in (vague, labels, groups, order)]
    turned[2] = [f"other{group}" for group in turned[2]]
    assert probe(*turned) == probe(vague, labels, groups, order)


def test_a_column_that_names_the_label_is_warned_of(tmp_path):
    labels, vague, leaky, groups, order = made()
    rows = zip(labels, groups, order, strict=True)
    write_csv(
        tmp_path / "cohort.csv",
        ["sample", "group", "content", "label_modality"],
        [
            {"sample": f"s{c}", "group": g, "content": c, "label_modality": label}
            for label, g, c in rows
        ],
    )
    told = zip(order, vague, leaky, strict=True)
    write_csv(
        tmp_path / "texts.csv",
        ["sample", "caption", "scanner"],
        [{"sample": f"s{c}", "caption": v, "scanner": s} for c, v, s in told],
    )
    found = text_probe(tmp_path / "cohort.csv", tmp_path / "texts.csv", tmp_path / "out.json")
    assert [one["column"] for one in found["columns"]] == ["caption", "scanner"]
    (warning,) = found["warnings"]
    assert "'scanner'" in warning["text"] and "modality" in warning["text"]


def test_one_class_and_too_few_groups_are_said():
    labels, vague, _, groups, order = made()
    assert probe(vague, ["CT"] * 60, groups, order)["balanced_accuracy"] is None
    assert "groups" in probe(vague, labels, ["g"] * 60, order)["reason"]
    assert probe(["."] * 60, labels, groups, order)["reason"] == "no words"
