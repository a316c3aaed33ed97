"""Augmentation against NumPy and SciPy; draws depend on seed, epoch and sample alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from foldwise.train.feed import draws
from foldwise.train.feed.augment import Augmentation, draw, toned, warp_pixels, warp_tensor
from training import make_rows

ALL = Augmentation(0.5, 0.5, 30, 0.2, 0.1, 0.2, 0.2)
KEYS = draws.content_keys([row["content"] for row in make_rows(5000)])
NONE = np.zeros(len(KEYS), dtype=np.int64)


def smooth(count: int, size: int, dtype: type = np.uint8) -> np.ndarray:
    noise = np.random.default_rng(1).normal(size=(count, 1, size, size))
    field = ndimage.gaussian_filter(noise, (0, 0, 3, 3))
    field = (field - field.min()) / (field.max() - field.min())
    return (field * np.iinfo(dtype).max).astype(dtype)


def test_draws_are_uniform_and_independent():
    u = draws.uniform(12345, KEYS, 8)
    for column in u.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4
    off_diagonal = np.corrcoef(u.T) - np.eye(8)
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(len(KEYS))
    neighbours = draws.uniform(0, np.arange(5000, dtype=np.uint64), 1)[:, 0]
    assert abs(np.corrcoef(neighbours[1:], neighbours[:-1])[0, 1]) < 0.05


def test_draws_depend_on_seed_epoch_and_sample_alone():
    whole = draw(ALL, 3, 5, KEYS, NONE)
    part = draw(ALL, 3, 5, KEYS[[40, 7]], NONE[:2])
    np.testing.assert_array_equal(part.matrix, whole.matrix[[40, 7]])
    np.testing.assert_array_equal(part.gain, whole.gain[[40, 7]])
    for other in (
        draw(ALL, 3, 6, KEYS, NONE),
        draw(ALL, 4, 5, KEYS, NONE),
        draw(ALL, 3, 5, KEYS, NONE + 1),
    ):
        assert not np.isclose(other.matrix, whole.matrix).all(axis=(1, 2)).any()


def test_strengths_are_met_and_not_passed():
    drawn = draw(ALL, 3, 5, KEYS, NONE)
    assert drawn.mirrored.mean() == pytest.approx(0.5, abs=0.03)
    scale = np.sqrt(np.abs(np.linalg.det(drawn.matrix[:, :, :2])))
    assert 1 / 1.2 <= scale.min() < 0.84
    assert 1.24 < scale.max() <= 1.25 + 1e-9
    shift = np.abs(drawn.matrix[:, :, 2])
    assert 0.099 < shift.max() <= 0.1
    angle = np.degrees(np.arccos(np.abs(drawn.matrix[:, 0, 0] / scale)))
    assert 29.5 < angle.max() <= 30 + 1e-9
    assert 0.8 <= drawn.gain.min() < 0.81


@pytest.mark.parametrize("vertical", [False, True])
def test_flip_is_exact(vertical):
    strength = {"flip_vertical": 1.0} if vertical else {"flip_horizontal": 1.0}
    pixels = smooth(4, 15)
    drawn = draw(Augmentation(**strength), 1, 1, KEYS[:4], NONE[:4])
    moved = pixels.copy()
    warp_pixels(moved, drawn.matrix, 1)
    np.testing.assert_array_equal(moved, np.flip(pixels, 2 if vertical else 3))


def test_a_quarter_turn_is_exact_and_each_is_as_likely():
    strength, pixels = Augmentation(quarter_turn=0.75), smooth(1, 15)
    drawn = draw(strength, 1, 1, KEYS, NONE)
    counts = np.zeros(4, int)
    for matrix in drawn.matrix[:400]:
        moved = pixels.copy()
        warp_pixels(moved, matrix[None], 1)
        same = [np.array_equal(moved[0, 0], np.rot90(pixels[0, 0], turns)) for turns in range(4)]
        assert sum(same) == 1
        counts += same
    assert stats.chisquare(counts).pvalue > 1e-3
    assert not drawn.mirrored.any()


def test_inverting_trades_dark_and_bright_after_the_tones():
    both = Augmentation(brightness=0.3, contrast=0.5, invert=0.4)
    values = np.linspace(0, 1, 11)
    drawn = draw(both, 3, 5, KEYS, NONE)
    plain = draw(Augmentation(brightness=0.3, contrast=0.5), 3, 5, KEYS, NONE)
    inverted = drawn.gain < 0
    assert inverted.mean() == pytest.approx(0.4, abs=0.03)
    for number in (*np.flatnonzero(inverted)[:20], *np.flatnonzero(~inverted)[:20]):
        upright = toned(values, plain.gain[number], plain.offset[number])
        expected = 1 - upright if inverted[number] else upright
        got = toned(values, drawn.gain[number], drawn.offset[number])
        np.testing.assert_allclose(got, expected, atol=1e-12)
    assert Augmentation(invert=0.1).tones and not Augmentation(quarter_turn=0.1).tones
    assert Augmentation(quarter_turn=0.1).moves and not Augmentation(invert=0.1).moves


def test_further_strengths_leave_the_draws_of_the_others_alone():
    plain, more = draw(ALL, 3, 5, KEYS, NONE), replace(ALL, quarter_turn=0.5, invert=0.5)
    drawn = draw(more, 3, 5, KEYS, NONE)
    np.testing.assert_array_equal(np.abs(drawn.gain), plain.gain)
    np.testing.assert_array_equal(drawn.corner, plain.corner)
    np.testing.assert_array_equal(drawn.matrix[:, :, 2], plain.matrix[:, :, 2])


def test_no_strength_changes_nothing():
    pixels = smooth(4, 15)
    drawn = draw(Augmentation(), 1, 1, KEYS[:4], NONE[:4])
    moved = pixels.copy()
    warp_pixels(moved, drawn.matrix, 1)
    np.testing.assert_array_equal(moved, pixels)
    assert not drawn.mirrored.any()
    assert (drawn.gain == 1).all()
    assert (drawn.offset == 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_both_ways_agree_with_scipy(dtype):
    pixels, size, top = smooth(6, 48, dtype), 48, np.iinfo(dtype).max
    drawn = draw(ALL, 2, 1, KEYS[:6], NONE[:6])
    on_cpu = pixels.copy()
    warp_pixels(on_cpu, drawn.matrix, 1)
    on_device = warp_tensor(torch.from_numpy(pixels).float(), drawn.matrix).numpy()
    middle = (size - 1) / 2
    for number, matrix in enumerate(drawn.matrix):
        # SciPy maps (row, column); ours maps (x, y) in sides from the centre.
        linear = matrix[::-1, 1::-1]
        shift = matrix[::-1, 2] * size + middle - linear @ [middle, middle]
        expected = ndimage.affine_transform(
            pixels[number, 0].astype(float), linear, shift, order=1, mode="grid-constant"
        )
        inside = ndimage.binary_erosion(expected > 0, iterations=2)
        # OpenCV places pixels to 1/32 of a pixel at worst.
        assert np.abs(on_cpu[number, 0] - expected)[inside].max() < 0.012 * top
        assert np.abs(on_device[number, 0] - expected)[inside].max() < 0.001 * top


def test_mask_moves_with_its_image():
    mask = (smooth(6, 64) > 128).astype(np.uint8)
    pixels = np.concatenate([mask * 255, mask], axis=1)
    drawn = draw(ALL, 2, 1, KEYS[:6], NONE[:6])
    warp_pixels(pixels, drawn.matrix, 1)
    assert set(np.unique(pixels[:, 1])) <= {0, 1}
    differs = (pixels[:, 0] > 127) != (pixels[:, 1] > 0)
    assert differs.mean() < 0.01
    on_device = warp_tensor(torch.from_numpy(mask).float(), drawn.matrix, mask=True).numpy()
    assert (on_device[:, 0] != pixels[:, 1]).mean() < 0.01


def test_tone_is_the_same_for_arrays_and_tensors():
    values = np.linspace(0, 1, 11, dtype=np.float32)
    drawn = draw(Augmentation(contrast=1.0), 1, 1, KEYS[:1], NONE[:1])
    array = toned(values, drawn.gain[0], drawn.offset[0])
    tensor = toned(torch.from_numpy(values), drawn.gain[0], drawn.offset[0])
    np.testing.assert_allclose(array, tensor.numpy(), atol=1e-6)
    assert array[5] == pytest.approx(0.5)
    assert array.min() >= 0
    assert array.max() <= 1


def test_order_depends_on_content_alone():
    order = draws.shuffled(3, 1, KEYS[:50])
    assert sorted(order) == list(range(50))
    fewer = draws.shuffled(3, 1, KEYS[:40])
    np.testing.assert_array_equal(order[order < 40], fewer)
    assert not np.array_equal(order, draws.shuffled(3, 2, KEYS[:50]))


def test_weighted_draws_follow_the_weights():
    weights = np.array([1.0, 2.0, 5.0, 0.0] * 2500)
    order = draws.weighted(3, 1, weights)
    counts = np.bincount(order % 4, minlength=4)
    assert counts[3] == 0
    assert stats.chisquare(counts[:3], len(order) * np.array([1, 2, 5]) / 8).pvalue > 1e-3


def test_repeated_rows_are_counted():
    np.testing.assert_array_equal(
        draws.occurrence(np.array([4, 1, 4, 4, 1, 0])), [0, 0, 1, 2, 1, 0]
    )
