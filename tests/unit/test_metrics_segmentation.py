"""Overlaps against scikit-learn, objects against scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label, regionprops
from sklearn import metrics as sk

from foldwise.evaluate.metrics import segmentation as ours
from foldwise.evaluate.metrics.numbers import median_defined


@pytest.fixture
def pictures():
    """Eight (48, 40) pairs: blobs, and blobs moved by a pixel with noise, as probabilities."""
    random = np.random.default_rng(5)
    pairs = []
    for _ in range(8):
        field = ndimage.gaussian_filter(random.normal(size=(48, 40)), 2)
        noise = ndimage.gaussian_filter(random.normal(size=(48, 40)), 2) * 0.4
        mask = field > 0.12
        probability = 1 / (1 + np.exp(-40 * (np.roll(field, 1, axis=0) + noise - 0.12)))
        pairs.append((probability, mask))
    return pairs


def score(pairs):
    rows = [{k: str(v) for k, v in ours.image_row(p, m, 0.5).items()} for p, m in pairs]
    return ours.scorer(rows)(None), rows


def test_overlaps_agree_with_scikit_learn(pictures):
    got, _ = score(pictures)
    truth = [mask.ravel() for _, mask in pictures]
    found = [(p >= 0.5).ravel() for p, _ in pictures]
    each = list(zip(truth, found, strict=True))
    assert got["jaccard"] == pytest.approx(np.mean([sk.jaccard_score(*one) for one in each]))
    assert got["dice"] == pytest.approx(np.mean([sk.f1_score(*one) for one in each]))
    pooled = np.concatenate(truth), np.concatenate(found)
    assert got["pooled_jaccard"] == pytest.approx(sk.jaccard_score(*pooled))
    assert got["pooled_dice"] == pytest.approx(sk.f1_score(*pooled))
    assert got["precision"] == pytest.approx(sk.precision_score(*pooled))
    assert got["recall"] == pytest.approx(sk.recall_score(*pooled))


def test_soft_overlap_of_a_hard_prediction_is_the_hard_one(pictures):
    got, _ = score([((p >= 0.5).astype(np.float32), mask) for p, mask in pictures])
    for name in ("jaccard", "dice"):
        assert got[f"soft_{name}"] == pytest.approx(got[name])
        assert got[f"pooled_soft_{name}"] == pytest.approx(got[f"pooled_{name}"])


def test_soft_dice_of_the_worked_example():
    # y = [1, 0, 1, 0], p = [.9, .1, .8, .2]: 2 * 1.7 / (2 + 2)
    got, _ = score([(np.array([[0.9, 0.1, 0.8, 0.2]]), np.array([[1, 0, 1, 0]]))])
    assert got["soft_dice"] == pytest.approx(0.85)
    assert got["soft_jaccard"] == pytest.approx(1.7 / 2.3)


def test_objects_agree_with_scikit_image(pictures):
    got, rows = score(pictures)
    for (p, mask), row in zip(pictures, rows, strict=True):
        for foreground, side in ((mask, "true"), (p >= 0.5, "predicted")):
            areas = [r.area for r in regionprops(label(foreground, connectivity=2))]
            assert int(row[f"objects_{side}"]) == len(areas)
            assert float(row[f"object_pixels_{side}"]) == np.median(areas)
        assert int(row["objects_matched"]) == brute_force_matches(mask, p >= 0.5)
    assert 0 < got["objects_f1"] < 1


def brute_force_matches(truth, found):
    true_map, found_map = label(truth, connectivity=2), label(found, connectivity=2)
    return sum(
        sk.jaccard_score((true_map == i).ravel(), (found_map == j).ravel()) > 0.5
        for i in range(1, true_map.max() + 1)
        for j in range(1, found_map.max() + 1)
    )


def test_an_image_empty_on_both_sides_is_left_out_and_counted(pictures):
    empty = (np.zeros((4, 4)), np.zeros((4, 4)))
    with_it, rows = score([*pictures, empty])
    assert with_it["jaccard"] == score(pictures)[0]["jaccard"]
    assert ours.details(rows)["images_empty_on_both_sides"] == 1


def test_nothing_found_is_zero_and_collapse():
    got, rows = score([(np.zeros((4, 4)), np.ones((4, 4)))])
    assert got["jaccard"] == 0
    assert ours.details(rows)["collapsed"]


def test_whatever_has_no_value_says_why():
    nothing = np.zeros((8, 8))
    rows = [{k: str(v) for k, v in ours.image_row(nothing, nothing, 0.5).items()}]
    measured = ours.scorer(rows)(None)
    lacking = {name for name, value in measured.items() if np.isnan(value)}
    reasons = ours.details(rows)["undefined"]
    assert set(reasons) == lacking and {"jaccard", "precision", "objects_f1"} < lacking
    assert reasons["precision"] == "nothing is predicted"


@pytest.mark.parametrize("n", [1, 2, 3, 10, 121, 997])
def test_the_median_of_draws_is_numpys_of_the_drawn_values(n):
    random = np.random.default_rng(n)
    values = random.integers(0, 40, n) / 8
    values[random.random(n) < 0.2] = np.nan
    weights = random.poisson(0.7, (64, n)).astype(float)
    weights[0] = 0
    drawn = (np.repeat(values, row.astype(int)) for row in weights)
    there = (one[~np.isnan(one)] for one in drawn)
    expected = [np.median(one) if len(one) else np.nan for one in there]
    assert np.array_equal(median_defined(values, weights), expected, equal_nan=True)
