"""Overlap of a predicted and a true foreground, and the objects in them.

A prediction table holds sums of pixels an image (`image_row`), from which every metric follows, per
image and pooled; so no mask has to be kept. A metric of an image is undefined (and left out of
the mean, and counted) if neither truth nor prediction has foreground.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage

from foldwise.evaluate.metrics.numbers import (
    Measured,
    Weights,
    mean_defined,
    median_defined,
    pearson,
    plain,
    ratio,
    total,
    undefined,
)
from foldwise.metrics import monitors

OBJECT_OVERLAP = 0.5
MEASURED = Measured()
SUMS = ("truth", "predicted", "both", "soft_predicted", "soft_both")
OBJECTS = ("objects_true", "objects_predicted", "objects_matched")
COUNTS = (*SUMS[:3], *OBJECTS)  # whole numbers, of pixels and of objects
SIZES = ("object_pixels_true", "object_pixels_predicted")


def image_row(probability: np.ndarray, mask: np.ndarray, threshold: float) -> dict[str, Any]:
    """Sums and objects of one image: the columns of a prediction table.

    probability: (H, W) 0..1; mask: (H, W), foreground where not 0. Predicted foreground is where
    probability >= threshold. All but the counts of objects are in pixels; `object_pixels_*` are
    median areas, empty without an object.
    """
    truth, predicted = mask != 0, probability >= threshold
    areas_true, areas_pred = object_areas(truth), object_areas(predicted)
    return {
        "truth": int(truth.sum()),
        "predicted": int(predicted.sum()),
        "both": int((truth & predicted).sum()),
        # float64: a million probabilities added in float32 lose the last three digits.
        "soft_predicted": float(probability.sum(dtype=np.float64)),
        "soft_both": float(probability[truth].sum(dtype=np.float64)),
        "objects_true": len(areas_true),
        "objects_predicted": len(areas_pred),
        "objects_matched": matched_objects(truth, predicted),
        "object_pixels_true": float(np.median(areas_true)) if len(areas_true) else "",
        "object_pixels_predicted": float(np.median(areas_pred)) if len(areas_pred) else "",
    }


def object_areas(foreground: np.ndarray) -> np.ndarray:
    """(n,) areas in pixels of the 8-connected components of a (H, W) bool foreground."""
    # Number 0 is what lies outside of all.
    return np.bincount(_components(foreground)[0].ravel())[1:]


def matched_objects(truth: np.ndarray, predicted: np.ndarray) -> int:
    """Pairs of true and predicted components with Jaccard above 0.5, one to one.

    As in the Data Science Bowl 2018 (Caicedo et al. 2019, Nat Methods 16:1247). (H, W) bool each.
    """
    (true_map, _), (predicted_map, n_predicted) = _components(truth), _components(predicted)
    pairs, common = np.unique(true_map * (n_predicted + 1) + predicted_map, return_counts=True)
    true_of, predicted_of = np.divmod(pairs, n_predicted + 1)
    area_true = np.bincount(true_map.ravel())[true_of]
    area_predicted = np.bincount(predicted_map.ravel())[predicted_of]
    inside = (true_of > 0) & (predicted_of > 0)
    overlap = common / (area_true + area_predicted - common)
    # Above one half no object can have two partners, so that no assignment has to be solved.
    return int((overlap[inside] > OBJECT_OVERLAP).sum())


def _components(foreground: np.ndarray) -> tuple[np.ndarray, int]:
    """(H, W) int64 component numbers from 1, 0 outside; and how many there are."""
    # Neighbours at corners too: thin objects drawn at an angle would fall into pieces.
    numbered, n = ndimage.label(foreground, structure=np.ones((3, 3)))
    # int64: pairs of numbers are made one number, which 32 bits may not hold.
    return numbered.astype(np.int64), n


def jaccard(both: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """|A and B| / |A or B| of sums of pixels, any shape; soft if `both`, `predicted` are sums of
    probabilities. NaN where both sides are empty."""
    return ratio(both, truth + predicted - both)


def dice(both: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """2 |A and B| / (|A| + |B|), as `jaccard`."""
    return ratio(2 * both, truth + predicted)


class Images:
    """sums: column of `image_row` -> (N,) float64; weights: (R, N)."""

    def __init__(self, sums: dict[str, np.ndarray], weights: Weights = None) -> None:
        self.sums, self.weights = sums, weights
        # Several metrics ask for the same ones, and each reads the weights of all draws.
        self.total, self.number = functools.cache(self._total), functools.cache(self._number)

    def __getitem__(self, name: str) -> np.ndarray:
        """(N,) a column."""
        return self.sums[name]

    def _total(self, name: str) -> np.ndarray:
        """() or (R,) a column summed over images."""
        if name in COUNTS and self.weights is not None:
            return self.counts[name]
        return total(self.sums[name], self.weights)

    @functools.cached_property
    def counts(self) -> dict[str, np.ndarray]:
        """(R,) of each column of whole numbers: of those one product has the same bits as many."""
        sums = self.weights @ np.stack([self.sums[name] for name in COUNTS], axis=1)
        return dict(zip(COUNTS, sums.T, strict=True))

    def mean(self, values: np.ndarray) -> np.ndarray | float:
        """Over images that have a value."""
        if self.weights is None:
            return mean_defined(values)
        there = ~np.isnan(values)
        return ratio(self.weights @ np.where(there, values, 0), self.number(there.tobytes()))

    def _number(self, there: bytes) -> np.ndarray:
        """(R,) how many of the images that a mask (N,) names are in each draw."""
        return self.weights @ np.frombuffer(there, bool)


def _hard(images: Images) -> list[np.ndarray]:
    return [images[name] for name in ("both", "truth", "predicted")]


def _soft(images: Images) -> list[np.ndarray]:
    return [images[name] for name in ("soft_both", "truth", "soft_predicted")]


def _pooled(images: Images, soft: str = "") -> list[np.ndarray]:
    return [images.total(name) for name in (f"{soft}both", "truth", f"{soft}predicted")]


def _of_overlap() -> None:
    """Means over images, and of all images as one; of the mask and of probabilities."""
    for name, of in (("jaccard", jaccard), ("dice", dice)):
        MEASURED[name] = lambda images, of=of: images.mean(of(*_hard(images)))
        MEASURED[f"soft_{name}"] = lambda images, of=of: images.mean(of(*_soft(images)))
        MEASURED[f"pooled_{name}"] = lambda images, of=of: of(*_pooled(images))
        MEASURED[f"pooled_soft_{name}"] = lambda images, of=of: of(*_pooled(images, "soft_"))


_of_overlap()


@MEASURED.metric("precision")
def _precision(images: Images) -> np.ndarray:
    return ratio(images.total("both"), images.total("predicted"))


@MEASURED.metric("recall")
def _recall(images: Images) -> np.ndarray:
    return ratio(images.total("both"), images.total("truth"))


@MEASURED.metric("objects_f1")
def _objects_f1(images: Images) -> np.ndarray:
    both = images.total("objects_true") + images.total("objects_predicted")
    return ratio(2 * images.total("objects_matched"), both)


@MEASURED.metric("objects_mae")
def _objects_mae(images: Images) -> np.ndarray | float:
    return images.mean(np.abs(images["objects_predicted"] - images["objects_true"]))


@MEASURED.metric("objects_bias")
def _objects_bias(images: Images) -> np.ndarray | float:
    return images.mean(images["objects_predicted"] - images["objects_true"])


@MEASURED.metric("objects_r")
def _objects_r(images: Images) -> np.ndarray | float:
    return pearson(images["objects_true"], images["objects_predicted"], images.weights)


@MEASURED.metric("object_size_error")
def _object_size_error(images: Images) -> np.ndarray | float:
    size = images["object_pixels_predicted"] / images["object_pixels_true"] - 1
    return median_defined(np.abs(size), images.weights)


def scores(sums: dict[str, np.ndarray], weights: Weights = None) -> dict[str, Any]:
    """Every scalar metric of N images. sums: column of `image_row` -> (N,) float64.

    jaccard, dice, soft_jaccard, soft_dice are means over images, pooled_* are of the summed
    pixels; objects_*: F1 of matched objects, mean absolute error, bias and r of the counts, and
    the median relative error of the median object size. Floats, or (R,) arrays with `weights`.
    """
    return plain(MEASURED.of(Images(sums, weights)))


def arrays(rows: Sequence[dict[str, str]]) -> dict[str, np.ndarray]:
    """Column -> (N,) float64 of prediction rows; an empty cell is NaN."""
    names = (*SUMS, *OBJECTS, *SIZES)
    return {
        name: np.array([float(row[name]) if row[name] != "" else np.nan for row in rows])
        for name in names
    }


def scorer(rows: Sequence[dict[str, str]]) -> Callable[[Weights], dict[str, Any]]:
    """A function from weights (None: each row once) to `scores`: the table is read once."""
    sums = arrays(rows)
    return lambda weights: scores(sums, weights)


def details(rows: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Images without foreground on either side, spread over images, collapse to one class; what is
    undefined and why."""
    sums = arrays(rows)
    overlap = jaccard(sums["both"], sums["truth"], sums["predicted"])
    defined = overlap[~np.isnan(overlap)]
    quartiles = np.quantile(defined, [0, 0.25, 0.5, 0.75, 1]).tolist() if len(defined) else []
    return {
        "images_empty_on_both_sides": int(np.isnan(overlap).sum()),
        "jaccard_quartiles": quartiles,
        "undefined": undefined(scores(sums)),
        "objects_true": int(sums["objects_true"].sum()),
        "objects_predicted": int(sums["objects_predicted"].sum()),
        "collapsed": bool(sums["truth"].sum() > 0 and sums["predicted"].sum() == 0),
    }


class Measures:
    """Segmentation as evaluation asks for it; see `foldwise.evaluate.fold.Measured`."""

    monitors: ClassVar[dict[str, str]] = monitors("segmentation")

    def __init__(self, task: dict[str, Any]) -> None:
        del task  # The table of sums says all; the threshold was applied when it was made.

    def scorer(self, rows: Sequence[dict[str, str]]) -> Callable[[Weights], dict[str, Any]]:
        return scorer(rows)

    def score(self, rows: Sequence[dict[str, str]]) -> dict[str, float]:
        return scorer(rows)(None)

    def details(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        return details(rows)
