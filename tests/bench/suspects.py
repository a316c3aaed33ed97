"""Planted wrong labels, and how many of the first suspects they are: precision among as many.

    python tests/bench/suspects.py labels.csv --label site --group patient --text caption
    python tests/bench/suspects.py table.csv --label site --group patient --numbers mean spread

Logistic regression on words (TF-IDF) or numbers, out of fold by group; 5 % of the labels moved to
another class, ten times over.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from foldwise.reliability.suspects import confident_learning

SHARE, REPEATS = 0.05, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--label", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--text")
    parser.add_argument("--numbers", nargs="*")
    asked = parser.parse_args()
    lines = asked.table.endswith(".jsonl")
    table = pd.read_json(asked.table, lines=True) if lines else pd.read_csv(asked.table)
    needed = [asked.label, asked.group, *([asked.text] if asked.text else asked.numbers)]
    table = table.dropna(subset=needed)
    names, truth = np.unique(table[asked.label].astype(str), return_inverse=True)
    vectors = TfidfVectorizer(sublinear_tf=True) if asked.text else StandardScaler()
    given = table[asked.text].astype(str) if asked.text else table[asked.numbers].to_numpy(float)
    model = make_pipeline(vectors, LogisticRegression(max_iter=500))
    found = [precision(model, given, truth, table[asked.group], s) for s in range(REPEATS)]
    print(f"{len(truth)} samples, {len(names)} classes, {REPEATS} x {SHARE:.0%} planted:")
    print("precision among as many  mean {:.3f}  {:.3f}-{:.3f}".format(*_spread(found)))


def _spread(values: list[float]) -> tuple[float, float, float]:
    return float(np.mean(values)), min(values), max(values)


def precision(model, given, truth, groups, seed: int) -> float:
    """Share of planted labels among as many first suspects."""
    random, k = np.random.default_rng(seed), truth.max() + 1
    planted = random.choice(len(truth), round(SHARE * len(truth)), replace=False)
    labels = truth.copy()
    labels[planted] = (truth[planted] + random.integers(1, k, len(planted))) % k
    cv, method = GroupKFold(5), "predict_proba"
    p = cross_val_predict(model, given, labels, groups=groups, cv=cv, method=method)
    return float(np.isin(confident_learning(labels, p).order[: len(planted)], planted).mean())


if __name__ == "__main__":
    main()
