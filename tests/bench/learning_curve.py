"""What a learning curve of parts up to one half foretells of the whole, and what the whole gives.

    python tests/bench/learning_curve.py table.csv --label site --group patient --numbers mean sd
    python tests/bench/learning_curve.py table.jsonl --label site --group patient --text caption
    python tests/bench/learning_curve.py table.csv --label site --group patient --images data

Logistic regression on numbers, on words (TF-IDF) or on statistics of the pictures in the column
`image`, in 5 folds by group. The curve is the product's own, of 10, 20, 30, 40 and 50 % of each
training part, whole groups, a smaller part within the larger; its `twice` is set against 100 %.
"""

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from foldwise.baselines.statistics import statistics
from foldwise.evaluate.learning_curve import Size, learning_curve
from foldwise.evaluate.metrics.classification import Measures
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.folds.subset import subset

PARTS, FOLDS, SIDE = (10, 20, 30, 40, 50, 100), 5, 64
METRICS = ("accuracy", "kappa", "auc", "log_loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("--label", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--text")
    parser.add_argument("--numbers", nargs="*", default=[])
    parser.add_argument("--images", help="folder of the files in the column `image`")
    parser.add_argument("--repeats", type=int, default=10)
    asked = parser.parse_args()
    lines = asked.table.endswith(".jsonl")
    table = pd.read_json(asked.table, lines=True) if lines else pd.read_csv(asked.table)
    table = table.dropna(subset=[asked.label, asked.group, *asked.numbers]).reset_index(drop=True)
    given, names = _given(table, asked), sorted(table[asked.label].astype(str).unique())
    print(f"{len(table)} images of {table[asked.group].nunique()} groups, {len(names)} classes")
    print("metric      foretold  measured  mean error  abs. error  inside  width")
    found = [_of_seed(table, given, asked, names, seed) for seed in range(asked.repeats)]
    for metric in METRICS:
        rows = np.array([one[metric] for one in found if metric in one])
        twice, low, high, measured, half = rows.T
        inside = int(((low <= measured) & (measured <= high)).sum())
        print(
            f"{metric:11} {twice.mean():8.3f}  {measured.mean():8.3f}  "
            f"{(twice - measured).mean():+10.3f}  {np.abs(twice - measured).mean():10.3f}  "
            f"{inside:3}/{len(rows)}  {(high - low).mean():.3f}   half of it {half.mean():.3f}, "
            f"taken for the whole off by {np.abs(half - measured).mean():.3f}",
            flush=True,
        )


def _given(table: pd.DataFrame, asked: argparse.Namespace) -> np.ndarray:
    if asked.text:
        return table[asked.text].astype(str).to_numpy()
    if not asked.images:
        return table[asked.numbers].to_numpy(float)
    made = []
    for name in table["image"]:
        grey = cv2.imread(f"{asked.images}/{name}", cv2.IMREAD_GRAYSCALE)
        small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        made.append(statistics(small / np.float32(255)))
    return np.stack(made)


def _of_seed(
    table: pd.DataFrame,
    given: np.ndarray,
    asked: argparse.Namespace,
    names: list[str],
    seed: int,
) -> dict[str, tuple[float, ...]]:
    """Metric -> foretold for 100 % with its bounds, measured there, and measured at one half."""
    labels, groups = table[asked.label].astype(str).to_numpy(), table[asked.group].astype(str)
    split = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    folds = list(split.split(given, labels, groups))
    rows = [
        {"sample": f"s{i:05}", "group": group, "content": f"s{i:05}", "stratum": label, "place": i}
        for i, (group, label) in enumerate(zip(groups, labels, strict=True))
    ]
    task, sizes = Measures({"classes": names}), []
    for part in PARTS:
        made, counts = [], []
        for fold, (train, judged) in enumerate(folds, 1):
            kept = [row for row in rows if row["place"] in set(train)]
            kept = kept if part == PARTS[-1] else subset(kept, part / 100, seed)
            p = _fitted(given, labels, [row["place"] for row in kept], judged, names)
            made.append(_fold(fold, [rows[i] for i in judged], labels[judged], p, names))
            counts.append((len({row["group"] for row in kept}), len(kept)))
        sizes.append(Size(part, made, *np.mean(counts, axis=0)))
    found, bootstrap = {}, Bootstrap(seed, "patient", 300)
    whole = task.score([row for fold in sizes[-1].folds for row in fold.predictions])
    for metric in METRICS:
        curve = learning_curve(sizes[:-1], task, bootstrap, metric)
        if curve["sizes"]:
            twice = curve["twice"]
            half = curve["sizes"][-1]["value"]
            found[metric] = (twice["value"], *twice["interval"], whole[metric], half)
    return found


def _fitted(
    given: np.ndarray, labels: np.ndarray, train: list[int], judged: np.ndarray, names: list[str]
) -> np.ndarray:
    """(N, K) probabilities; of a class that the part has not, 0."""
    words = given.dtype == object
    first = TfidfVectorizer(sublinear_tf=True) if words else StandardScaler()
    model = make_pipeline(first, LogisticRegression(max_iter=500))
    model.fit(given[train], labels[train])
    p = np.zeros((len(judged), len(names)))
    p[:, [names.index(name) for name in model.classes_]] = model.predict_proba(given[judged])
    return p


def _fold(
    fold: int, rows: list[dict], labels: np.ndarray, p: np.ndarray, names: list[str]
) -> SimpleNamespace:
    made = [
        {"sample": row["sample"], "group": row["group"], "exam": "", "fold": str(fold)}
        | {"label": label}
        | {f"p_{name}": repr(float(value)) for name, value in zip(names, of_row, strict=True)}
        for row, label, of_row in zip(rows, labels, p, strict=True)
    ]
    return SimpleNamespace(predictions=made)


if __name__ == "__main__":
    main()
