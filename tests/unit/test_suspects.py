"""Label suspects: those of cleanlab; planted flips found; of the list signed rows are left out."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from foldwise.cohort.tables.exclusions import IdList
from foldwise.files import csv_text
from foldwise.reliability.suspects import (
    PRIVATE,
    confident_learning,
    find_suspects,
    private_rows,
)

TASK = {"classes": ["A", "B", "C"]}


def noisy(n=400, seed=0):
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(3, 0.4), n)
    labels = np.array([random.choice(3, p=one) for one in p])
    flipped = random.random(n) < 0.08
    return np.where(flipped, (labels + 1) % 3, labels), p


@pytest.mark.parametrize("seed", range(4))
def test_suspects_are_those_of_cleanlab(seed):
    labels, p = noisy(seed=seed)
    expected = find_label_issues(
        labels,
        p,
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    found = confident_learning(labels, p).order
    assert len(found) > 20
    assert set(found) == set(expected)
    assert p[found, labels[found]] == pytest.approx(p[expected, labels[expected]])


def test_planted_flips_are_found_first():
    """Real digits, 5 % of the labels flipped, judged out of fold by groups."""
    pixels, truth = load_digits(return_X_y=True)
    random, groups = np.random.default_rng(0), np.arange(len(truth)) // 3
    planted = random.choice(len(truth), len(truth) // 20, replace=False)
    labels = truth.copy()
    labels[planted] = (truth[planted] + random.integers(1, 10, len(planted))) % 10
    model = LogisticRegression(max_iter=300, C=0.01)
    p = cross_val_predict(
        model, pixels / 16, labels, groups=groups, cv=GroupKFold(4), method="predict_proba"
    )
    first = confident_learning(labels, p).order[: len(planted)]
    assert np.isin(first, planted).mean() > 0.8


def table():
    labels, p = noisy(60)
    return [
        {"sample": f"s{i}", "group": f"g{i}", "fold": "1", "label": "ABC"[labels[i]]}
        | {f"p_{c}": repr(float(v)) for c, v in zip("ABC", p[i], strict=True)}
        for i in range(60)
    ]


def test_the_list_leaves_out_what_a_reader_signed_and_no_more(tmp_path):
    found, listed = find_suspects(table(), TASK)
    (part,) = found["parts"]
    assert part["suspects"] == len(listed) == sum(pair["n"] for pair in part["pairs"]) > 2
    ids = [
        {"sample": f"s{i}", "file": f"scans of {i}/a.png", "accession": f"a{i}", "patient": f"p{i}"}
        | {"row": str(i)}
        for i in range(60)
    ]
    rows = private_rows(listed, ids)
    assert all(
        row["id"] == f"scans of {row['accession'][1:]}/a.png" and row["reason"] == ""
        for row in rows
    )
    path = tmp_path / "suspects.csv"
    path.write_text(csv_text(PRIVATE, rows))
    assert not IdList(str(path), "data.exclusions", reasons=True).entries
    rows[1]["reason"] = "wrong side, Dr. Made-Up"
    path.write_text(csv_text(PRIVATE, rows))
    signed = IdList(str(path), "data.exclusions", reasons=True)
    assert signed.find([rows[1]["id"]]) == ["wrong side, Dr. Made-Up"]
    assert not signed.find([rows[0]["id"]])


def test_of_an_image_and_its_mask_the_image_is_listed():
    listed = find_suspects(table(), TASK)[1][:1]
    ids = [{"sample": listed[0]["sample"], "file": "my set/a 1.png my set/m 1.png"}]
    (row,) = private_rows(listed, [ids[0] | dict.fromkeys(("accession", "patient", "row"), "")])
    assert row["id"] == "my set/a 1.png"


def test_one_class_has_no_suspects():
    rows = [row | {"label": "A"} for row in table()]
    (part,) = find_suspects(rows, TASK)[0]["parts"]
    # Nothing reaches a class that no label names.
    assert part["suspects"] == 0 and part["pairs"] == []
