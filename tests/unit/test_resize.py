"""The area mean against float64 sums over exact overlaps, and against other libraries."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from skimage.transform import downscale_local_mean

from foldwise.pixels.resize import area_mean, area_weights
from foldwise.pixels.window import Tone

IMAGE = np.random.default_rng(0).integers(0, 4096, (133, 97)).astype(np.uint16)
PLAIN = Tone(1 / 4095, 0.0)


def exact_weights(length: int, out: int, start: Fraction, stop: Fraction) -> np.ndarray:
    """Overlap of each cell with each sample over the cell's width, in rational numbers."""
    width = (stop - start) / out
    weights = np.zeros((out, length))
    for cell in range(out):
        low, high = start + cell * width, start + (cell + 1) * width
        for sample in range(length):
            overlap = min(high, Fraction(sample + 1)) - max(low, Fraction(sample))
            weights[cell, sample] = float(max(overlap, Fraction(0)) / width)
    return weights


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((0, 133, 0, 97), 32, 23),
        ((0, 133, 0, 97), 132, 97),
        ((17, 120, 3, 90), 20, 31),
        ((0.5, 132.5, 10.25, 90.75), 40, 40),
    ],
)
def test_exact_in_float64(box, rows, columns):
    down = exact_weights(133, rows, Fraction(box[0]), Fraction(box[1]))
    across = exact_weights(97, columns, Fraction(box[2]), Fraction(box[3]))
    expected = down @ (IMAGE / 4095) @ across.T
    np.testing.assert_allclose(area_mean(IMAGE, PLAIN, box, rows, columns), expected, atol=3e-7)


def test_whole_factors_as_opencv_and_skimage():
    image = IMAGE[:128, :96].astype(np.float32)
    found = area_mean(image, Tone(1 / 4095, 0.0), (0, 128, 0, 96), 32, 24)
    np.testing.assert_allclose(found, downscale_local_mean(image, (4, 4)) / 4095, atol=1e-6)
    other = cv2.resize(image, (24, 32), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(found, other / 4095, atol=1e-6)


def test_clipping_comes_before_the_mean():
    tone = Tone(1 / 1000, -1.0)  # black at 1000, white at 2000
    clipped = np.clip(IMAGE / 1000.0 - 1, 0, 1)[:128, :96]
    found = area_mean(IMAGE, tone, (0, 128, 0, 96), 16, 12)
    np.testing.assert_allclose(found, downscale_local_mean(clipped, (8, 8)), atol=1e-6)


def test_table_and_ramp_agree():
    codes = np.arange(1 << 16, dtype=np.float64)
    table = Tone(table=np.clip(codes / 1000 - 1, 0, 1).astype(np.float32))
    box = (0, 133, 0, 97)
    ramp = area_mean(IMAGE, Tone(1 / 1000, -1.0), box, 20, 15)
    np.testing.assert_allclose(area_mean(IMAGE, table, box, 20, 15), ramp, atol=1e-6)


def test_enlarging_is_bilinear_as_opencv():
    image = IMAGE[:20, :30].astype(np.float32) / 4095
    found = area_mean(image, Tone(), (0, 20, 0, 30), 50, 75)
    other = cv2.resize(image, (75, 50), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found, other, atol=2e-6)


@pytest.mark.parametrize(("length", "out"), [(1, 1), (1, 5), (3, 2), (7, 7), (1000, 3), (2, 64)])
def test_weights_are_means(length, out):
    weights = area_weights(length, out, 0, length).toarray()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert weights.min() >= 0


def test_colours_are_planes():
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    tone = Tone(1 / 255, 0.0)
    found = area_mean(image, tone, (0, 40, 0, 30), 10, 10)
    planes = [
        area_mean(np.ascontiguousarray(image[..., channel]), tone, (0, 40, 0, 30), 10, 10)
        for channel in range(3)
    ]
    np.testing.assert_array_equal(found, np.stack(planes, axis=-1))
