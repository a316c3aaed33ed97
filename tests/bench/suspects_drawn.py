"""Planted wrong masks and zone scores, and how many of the first suspects they are.

    python tests/bench/suspects_drawn.py masks labels.csv --root data --group specimen
    python tests/bench/suspects_drawn.py zones labels.csv --root data --group patient \
        --zones zone_A zone_B --boxes 0,0,.5,.5 .5,0,1,.5

5 % of the masks are emptied, shifted by a quarter of the side or swapped with another image's; 5 %
of the zones get another score. Answers are out of fold by group: of masks gradient boosting on
pixels, of zones logistic regression on small pictures of the zone. The table has the column
`image`, and `mask` or the zones.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pandas as pd
from cleanlab.segmentation.rank import get_label_quality_scores
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from foldwise.evaluate.metrics.segmentation import image_row
from foldwise.reliability.mask_suspects import agreement, own_agreement, suspect_masks
from foldwise.reliability.parts import zone_parts
from foldwise.reliability.suspects import confident_learning, find_suspects

SHARE, FOLDS, PIXELS = 0.05, 5, 250


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["masks", "zones"])
    parser.add_argument("table")
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--group", required=True)
    parser.add_argument("--zones", nargs="*", default=[])
    parser.add_argument("--boxes", nargs="*", default=[], help="left,top,right,bottom of a zone")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    table = pd.read_csv(asked.table)
    (of_masks if asked.what == "masks" else of_zones)(table, asked)


def pictures(names: pd.Series, asked: argparse.Namespace, mask: bool = False) -> np.ndarray:
    """(N, side, side) grey pictures of 0..1 by their own range, or bool masks."""
    made = []
    for name in names:
        # A mask may number its objects in 16 bits, of which a reading as grey keeps the upper 8.
        read = cv2.IMREAD_UNCHANGED if mask else cv2.IMREAD_GRAYSCALE
        grey = cv2.imread(str(asked.root / name), read)
        grey = (
            255 * (grey.reshape(*grey.shape[:2], -1).max(-1) > 0).astype(np.uint8) if mask else grey
        )
        small = cv2.resize(grey, (asked.side, asked.side), interpolation=cv2.INTER_AREA)
        made.append(small > 127 if mask else small.astype(np.float32))
    stack = np.stack(made)
    if mask:
        return stack
    low, high = (np.percentile(stack, q, axis=(1, 2), keepdims=True) for q in (1, 99))
    return np.clip((stack - low) / np.maximum(high - low, 1), 0, 1)


def print_range(name: str, found: list[float]) -> None:
    print(f"{name:52} {np.mean(found):.2f}  {min(found):.2f}-{max(found):.2f}", flush=True)


def of_masks(table: pd.DataFrame, asked: argparse.Namespace) -> None:
    images, truth = pictures(table["image"], asked), pictures(table["mask"], asked, mask=True)
    features, groups = _pixel_features(images), table[asked.group].to_numpy()
    print(f"{len(images)} masks, {asked.repeats} x {SHARE:.0%} planted; precision among as many:")
    for name, spoil in SPOILT.items():
        found: dict[str, list[float]] = {}
        for seed in range(asked.repeats):
            random = np.random.default_rng(seed)
            planted = random.choice(len(truth), max(1, round(SHARE * len(truth))), replace=False)
            given = truth.copy()
            for i in planted:
                given[i] = spoil(truth, i, random)
            p = _out_of_fold(features, given, groups, random)
            for way, value in _judged(given, p, planted).items():
                found.setdefault(way, []).append(value)
        for way, values in found.items():
            print_range(f"{name}, {way}", values)


SPOILT: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "emptied": lambda truth, i, _: np.zeros_like(truth[i]),
    "shifted": lambda truth, i, _: np.roll(truth[i], truth.shape[1] // 4, axis=(0, 1)),
    "swapped": lambda truth, i, random: truth[(i + random.integers(1, len(truth))) % len(truth)],
}


def _judged(given: np.ndarray, p: np.ndarray, planted: np.ndarray) -> dict[str, float]:
    """Precision among as many, and of all that are called suspects; cleanlab's beside it."""
    rows = [image_row(one, mask, 0.5) for one, mask in zip(p, given, strict=True)]
    with TemporaryDirectory() as folder:
        np.save(f"{folder}/maps_val.npy", np.round(255 * p).astype(np.uint8))
        own = own_agreement([f"{folder}/maps_val.npy"], 0.5)
    places, short = suspect_masks(rows, own)
    two = np.stack([1 - p, p], axis=1)
    theirs = get_label_quality_scores(given.astype(int), two, verbose=False)[0]

    def among(order: np.ndarray) -> float:
        return float(np.isin(order[: len(planted)], planted).mean())

    return {
        "shortfall": among(np.argsort(-short, kind="stable")),
        "agreement alone": among(np.argsort(agreement(rows), kind="stable")),
        "cleanlab softmin": among(np.argsort(theirs, kind="stable")),
        "suspects: precision": float(np.isin(places, planted).mean()) if len(places) else 0.0,
        "suspects: recall": float(np.isin(planted, places).mean()),
    }


def _pixel_features(images: np.ndarray) -> np.ndarray:
    """(N, pixels, F): grey, blurred, local contrast."""
    made = []
    for image in images:
        blurred = [cv2.GaussianBlur(image, (0, 0), sigma) for sigma in (1, 2, 4, 8)]
        spread = cv2.GaussianBlur((image - blurred[1]) ** 2, (0, 0), 2)
        made.append(np.stack([image, *blurred, image - blurred[3], spread], -1).reshape(-1, 7))
    return np.stack(made)


def _out_of_fold(
    features: np.ndarray, given: np.ndarray, groups: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """(N, side, side) probabilities of foreground by models that had not seen the group."""
    n, size, flat = *features.shape[:2], given.reshape(len(given), -1)
    p = np.zeros((n, size), np.float32)
    for train, judged in GroupKFold(FOLDS).split(features, groups=groups):
        some = random.integers(0, size, (len(train), PIXELS))
        x = features[train[:, None], some].reshape(-1, features.shape[2])
        model = HistGradientBoostingClassifier(max_iter=40, early_stopping=False)
        model.fit(x, flat[train[:, None], some].ravel())
        p[judged] = model.predict_proba(features[judged].reshape(-1, features.shape[2]))[
            :, 1
        ].reshape(len(judged), size)
    return p.reshape(given.shape)


def of_zones(table: pd.DataFrame, asked: argparse.Namespace) -> None:
    images, groups = pictures(table["image"], asked), table[asked.group].to_numpy()
    scores = table[asked.zones].to_numpy(int)
    looks = np.stack([_cut(images, box) for box in asked.boxes], axis=1)
    print(f"{len(images)} images, {scores.size} zones, {asked.repeats} x {SHARE:.0%} planted:")
    found: dict[str, list[float]] = {}
    for seed in range(asked.repeats):
        random = np.random.default_rng(seed)
        planted = random.choice(scores.size, round(SHARE * scores.size), replace=False)
        given = scores.copy().ravel()
        given[planted] = (given[planted] + random.integers(1, 4, len(planted))) % 4
        given = given.reshape(scores.shape)
        p = _of_scores(looks, given, groups)
        rows, spoilt = _rows(given, p, asked.zones, groups), np.unique(planted // scores.shape[1])
        listed = find_suspects(rows, {"zones": asked.zones})[1]
        alone = confident_zones(rows, asked.zones)
        ways = {
            "zones": (_places(listed, asked.zones), planted),
            "zones, by the model alone": (_places(alone, asked.zones), planted),
            "images": (list(dict.fromkeys(int(one["sample"]) for one in listed)), spoilt),
        }
        for name, (values, of) in ways.items():
            for what, value in _hits(values, of).items():
                found.setdefault(f"{name}: {what}", []).append(value)
    for name, values in found.items():
        print_range(name, values)


def _hits(values: list[int], planted: np.ndarray) -> dict[str, float]:
    """How many of the first, of as many as planted, and of all listed are planted."""
    first = np.isin(values[: len(planted)], planted)
    return {
        # Divided by their number, though fewer be listed: no way gains by listing little.
        "precision among as many": float(first.sum() / len(planted)),
        "listed": len(values),
        "precision of the list": float(np.isin(values, planted).mean()) if values else 0.0,
        "recall of the list": float(np.isin(planted, values).mean()),
    }


def _cut(images: np.ndarray, box: str) -> np.ndarray:
    """(N, 256) the zone as a picture of 16 x 16."""
    left, top, right, bottom = (round(float(one) * images.shape[1]) for one in box.split(","))
    parts = [cv2.resize(image[top:bottom, left:right], (16, 16)) for image in images]
    return np.stack(parts).reshape(len(images), -1)


def _of_scores(looks: np.ndarray, given: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(N, Z, 5) probabilities: one model for all zones, which share their scale."""
    p = np.zeros((*given.shape, 5))
    for train, judged in GroupKFold(FOLDS).split(looks, groups=groups):
        model = make_pipeline(
            StandardScaler(), PCA(30, random_state=0), LogisticRegression(C=0.1, max_iter=500)
        )
        model.fit(looks[train].reshape(-1, looks.shape[2]), given[train].ravel())
        answer = model.predict_proba(looks[judged].reshape(-1, looks.shape[2]))
        p[judged[:, None], :, model[-1].classes_] = answer.reshape(
            len(judged), given.shape[1], -1
        ).transpose(0, 2, 1)
    return p


def confident_zones(rows: list[dict[str, str]], zones: list[str]) -> list[dict]:
    """Suspects by confident learning on the model's own probabilities, zone by zone."""
    listed = []
    for part in zone_parts(rows, zones):
        suspects = confident_learning(part.labels, part.probabilities)
        of_part = ((rows[i]["sample"], suspects.own[i]) for i in suspects.order)
        listed += [
            {"sample": sample, "label": part.name, "probability_of_given": own}
            for sample, own in of_part
        ]
    return listed


def _places(listed: list[dict], zones: list[str]) -> list[int]:
    """Numbers of the listed zones, image by image, the least likely score first."""
    ranked = sorted(listed, key=lambda one: one["probability_of_given"])
    return [int(one["sample"]) * len(zones) + zones.index(one["label"]) for one in ranked]


def _rows(
    given: np.ndarray, p: np.ndarray, zones: list[str], groups: np.ndarray
) -> list[dict[str, str]]:
    fold = np.zeros(len(given), int)
    for number, (_, judged) in enumerate(GroupKFold(FOLDS).split(given, groups=groups)):
        fold[judged] = number
    return [
        {"sample": str(i), "group": str(groups[i]), "fold": str(fold[i])}
        | {f"label_{zone}": str(given[i, z]) for z, zone in enumerate(zones)}
        | {
            f"p_{zone}_{k}": repr(float(p[i, z, k]))
            for z, zone in enumerate(zones)
            for k in range(5)
        }
        for i in range(len(given))
    ]


if __name__ == "__main__":
    main()
