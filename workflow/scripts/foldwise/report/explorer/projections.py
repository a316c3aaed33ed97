"""Embeddings in two dimensions, each fold by itself, and what lies next to what in all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.heads import classes_of, columns_of
from foldwise.files import read_csv, write_json

DIGITS = 3  # of a point, whose farthest is at 1
BLOCK = 1024  # images whose distances to all others are in memory at a time
# UMAP's graph of neighbours means nothing of fewer.
FEWEST_OF_UMAP = 16


def write_projections(
    params: Mapping[str, Any],
    predictions: Sequence[str | Path],
    embeddings: Sequence[str | Path],
    out: str | Path,
) -> None:
    """Write projections.json: of each fold its samples and a point each by each method.

    `embeddings`: embeddings_val.npy of each fold, (N, D), whose rows are those of `predictions`.
    Each fold's model has a space of its own, so that no two folds are projected together. Images
    whose features are not finite are left out. UMAP is among the methods where it is installed.
    """
    folds = [
        _fold(read_csv(table), np.load(path), path, params)
        for table, path in zip(predictions, embeddings, strict=True)
    ]
    methods = [m for m in ("PCA", "UMAP") if folds and all(m in one["points"] for one in folds)]
    write_json(out, {"methods": methods, "folds": folds})


def _fold(
    rows: list[dict[str, str]], features_nd: np.ndarray, path: str | Path, params: Mapping[str, Any]
) -> dict[str, Any]:
    if len(rows) != len(features_nd):
        raise FoldwiseError(
            f"{path} has {len(features_nd)} rows, the table of predictions beside it {len(rows)}. "
            "Delete both: they are made anew."
        )
    finite = np.isfinite(features_nd).all(axis=1)
    rows = [row for row, usable in zip(rows, finite, strict=True) if usable]
    # Neighbours are found by differences of squares, in which float32 would lose its digits.
    usable_nd = features_nd[finite].astype(np.float64)
    points, explained = principal(usable_nd)
    drawn = {"PCA": points, "UMAP": umap(usable_nd, params["seed"])}
    return {
        "fold": int(rows[0]["fold"]) if rows else 0,
        "images": len(rows),
        "samples": [row["sample"] for row in rows],
        "features": features_nd.shape[1],
        "explained": [round(float(share), 4) for share in explained],
        "shown": round(float(explained.sum()), 4) if len(rows) > 1 else None,
        "points": {name: scaled(xy).tolist() for name, xy in drawn.items() if xy is not None},
        "neighbours": [
            neighbours(usable_nd, [row.get(column, "") for row in rows], rows)
            for column in label_columns(params["task"])
        ],
    }


def label_columns(task: Mapping[str, Any]) -> list[str]:
    """Column of the truth of each part of an answer; none of a mask."""
    parts = task["zones"] if "zones" in task else classes_of(task)
    return [columns_of(part)[0] for part in parts]


def principal(features_nd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) places along the two directions of most variance, and the share of each.

    A direction has no sign of its own: its largest weight is made positive.
    """
    points, shares = np.zeros((len(features_nd), 2)), np.zeros(2)
    if len(features_nd) < 2:
        return points, shares
    centred = features_nd - features_nd.mean(axis=0)
    _, spread, directions = np.linalg.svd(_small(centred), full_matrices=False)
    total = (spread**2).sum()
    for k, direction in enumerate(directions[:2] if total > 0 else []):
        # Else a page made anew on another machine may be mirrored.
        sign = np.sign(direction[np.abs(direction).argmax()])
        points[:, k], shares[k] = centred @ direction * sign, spread[k] ** 2 / total
    return points, shares


def _small(centred_nd: np.ndarray) -> np.ndarray:
    """A (D, D) matrix with the same directions and spread, where there are more images than D."""
    tall = centred_nd.shape[0] > centred_nd.shape[1]
    return np.linalg.qr(centred_nd, mode="r") if tall else centred_nd


def umap(features_nd: np.ndarray, seed: int) -> np.ndarray | None:
    """(N, 2) by UMAP (McInnes et al 2018, arXiv:1802.03426); None where it is not installed."""
    try:
        from umap import UMAP
    except ImportError:
        return None
    if len(features_nd) < FEWEST_OF_UMAP:
        return None
    # With a seed it takes one thread, and gives the same each time.
    points = UMAP(n_components=2, random_state=seed, n_jobs=1).fit_transform(features_nd)
    return points - (points.max(axis=0) + points.min(axis=0)) / 2


def scaled(points_n2: np.ndarray) -> np.ndarray:
    """Both axes by the same factor, so that distances keep their proportions."""
    largest = np.abs(points_n2).max(initial=0)
    return np.round(points_n2 / (largest or 1), DIGITS)


def neighbours(
    features_nd: np.ndarray, truth: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> dict[str, float | None]:
    """Share of images whose nearest of another group has the same truth (`same`), and of all images
    of other groups that have it (`chance`): an image's own group lies close for other reasons.

    Images without a truth are left out; None where no image has one of another group beside it.
    """
    there = np.array([value != "" for value in truth], bool)
    label = np.array(truth)[there]
    group = np.array([row.get("group") or row["sample"] for row in rows])[there]
    features = features_nd[there]
    same, chance = [], []
    squares = (features**2).sum(axis=1)
    for start in range(0, len(features), BLOCK):
        part = slice(start, start + BLOCK)
        # Less each image's own square: the order of its neighbours is the same without.
        distances = squares - 2 * features[part] @ features.T
        # Left and right of one patient are near for the patient's sake, not for the label's.
        others = group[part, None] != group
        usable = others.any(axis=1)
        nearest = np.where(others, distances, np.inf).argmin(axis=1)
        alike = label[part, None] == label
        same += (label[nearest] == label[part])[usable].tolist()
        chance += ((alike & others).sum(axis=1)[usable] / others.sum(axis=1)[usable]).tolist()
    if not same:
        return {"same": None, "chance": None}
    return {"same": round(float(np.mean(same)), 4), "chance": round(float(np.mean(chance)), 4)}
