"""Does one column of text give a label away? A bag of words on each column alone.

A label that words alone predict almost perfectly is often written out in the text, by whoever
made the table; then a study of images and texts learns to read it off.
"""

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from foldwise.contents import read_cohort
from foldwise.files import read_csv, write_json

log = logging.getLogger("foldwise")

# Balanced accuracy from which a column is said to give a label away.
THRESHOLD = 0.95
FOLDS = 5
METHOD = (
    "Bag of words and logistic regression on the column alone; accuracy and balanced accuracy of "
    "the predictions of a grouped cross-validation."
)


def text_probe(cohort: str | Path, texts: str | Path, out: str | Path) -> dict[str, Any]:
    """Write and return {"columns": [{column, head, balanced_accuracy, ...}], "warnings", ...}.

    Labels are the cohort's columns `label` and `label_<head>`. A column or label without two
    classes, or with fewer groups than folds, has None and why.
    """
    text_rows = {row["sample"]: row for row in read_csv(texts)}
    rows = [row for row in read_cohort(cohort) if row["sample"] in text_rows]
    labels = [name for name in (rows[0] if rows else {}) if name.partition("_")[0] == "label"]
    columns = [name for name in next(iter(text_rows.values()), {}) if name != "sample"]
    probes = [
        {"column": column, "head": label.removeprefix("label_")}
        | probe(
            [text_rows[row["sample"]][column] for row in rows],
            [row[label] for row in rows],
            [row["group"] for row in rows],
            [row["content"] for row in rows],
        )
        for column in columns
        for label in labels
    ]
    warnings = [_warning(one) for one in probes if (one["balanced_accuracy"] or 0) >= THRESHOLD]
    for warning in warnings:
        log.warning("Text probe: %s", warning["text"])
    result = {"columns": probes, "warnings": warnings, "threshold": THRESHOLD, "method": METHOD}
    write_json(out, result)
    return result


def _warning(one: dict[str, Any]) -> dict[str, str]:
    return {
        "kind": "label_in_text",
        "text": f"The text column '{one['column']}' alone gives {one['head']} away: balanced "
        f"accuracy {one['balanced_accuracy']:.3f} by a bag of words (limit {THRESHOLD}). Take it "
        "out of data.columns.texts unless it is known when the model is used.",
    }


def probe(
    texts: list[str], labels: list[str], groups: list[str], order: list[str]
) -> dict[str, Any]:
    """Accuracy and balanced accuracy of a grouped cross-validation.

    `order` (one a text) decides the order of samples and groups, since names of groups are random.
    """
    rank = sorted(range(len(texts)), key=lambda number: order[number])
    words, truth = np.array(texts, object)[rank], np.array(labels)[rank]
    first: dict[str, int] = {}
    # Numbers in order of content: GroupKFold breaks ties by them, and names are random.
    group = np.array([first.setdefault(groups[number], len(first)) for number in rank])
    nothing = {"accuracy": None, "balanced_accuracy": None, "majority": None}
    if len(set(labels)) < 2 or len(first) < FOLDS:
        return nothing | {"reason": "fewer than two classes, or than five groups"}
    predicted = np.empty_like(truth)
    # By groups: texts of one patient are alike, and would give away what they say themselves.
    for train, val in GroupKFold(FOLDS).split(words, truth, group):
        if len(set(truth[train])) < 2:
            return nothing | {"reason": "a class in one group only"}
        try:
            predicted[val] = _fitted(words[train], truth[train]).predict(words[val])
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            return nothing | {"reason": "no words"}
    return {
        "accuracy": float(accuracy_score(truth, predicted)),
        "balanced_accuracy": float(balanced_accuracy_score(truth, predicted)),
        "majority": float(np.unique(truth, return_counts=True)[1].max() / len(truth)),
        "reason": "",
    }


def _fitted(words: np.ndarray, truth: np.ndarray) -> Any:
    model = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=1000))
    with warnings.catch_warnings():
        # A fit that has not settled predicts well enough to see whether words give labels away.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(words, truth)
