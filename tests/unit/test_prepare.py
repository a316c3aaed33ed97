"""The whole preparation against a float64 computation by other libraries."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.transform import downscale_local_mean

from foldwise.pixels.picture import Picture
from foldwise.pixels.prepare import breast_box, prepare, prepared
from foldwise.pixels.window import tone_of
from usual import image_settings

RANDOM = np.random.default_rng(0)


def phantom(rows: int, columns: int) -> np.ndarray:
    """12 bits: a breast at the left edge, a label beside it, grain on black."""
    y, x = np.mgrid[0:rows, 0:columns]
    inside = ((y - rows * 0.5) / (rows * 0.41)) ** 2 + (x / (columns * 0.62)) ** 2 < 1
    image = inside * (1500 + 800 * np.sin(x / 17) * np.cos(y / 23)) + RANDOM.normal(20, 6, y.shape)
    image[rows // 12 : rows // 9, -columns // 8 : -columns // 12] = 4000
    return np.clip(image, 0, 4095).astype(np.uint16)


FILM = phantom(640, 512)


def windowed(image: np.ndarray, shares=(0.5, 99.5)) -> np.ndarray:
    low, high = np.percentile(image, shares)
    return np.clip((image - low) / (high - low), 0, 1)


@pytest.mark.parametrize(("bits", "top"), [(8, 255), (16, 65535)])
def test_letterbox_is_the_exact_area_mean_rounded_once(bits, top):
    found = prepare(Picture(FILM, bits_stored=12), image_settings(size=160, bits=bits))
    expected = np.zeros((160, 160))
    expected[:, 16:144] = downscale_local_mean(windowed(FILM), (4, 4)) * top
    assert found.shape == (1, 160, 160)
    assert np.abs(found[0] - expected).max() <= (0.5 + 1e-3 if bits == 8 else 0.6)


def test_crop_keeps_the_short_side_and_the_centre():
    found = prepare(Picture(FILM, bits_stored=12), image_settings(size=128, fit="crop"))
    expected = downscale_local_mean(windowed(FILM)[64:576], (4, 4)) * 255
    assert np.abs(found[0] - expected).max() <= 0.5 + 1e-3


def test_stretch_fills_the_square():
    found = prepare(Picture(FILM, bits_stored=12), image_settings(size=128, fit="stretch"))
    expected = downscale_local_mean(windowed(FILM), (5, 4)) * 255
    assert np.abs(found[0] - expected).max() <= 0.5 + 1e-3


def test_breast_box_as_by_labelling_the_whole_picture():
    parts = regionprops(label(windowed(FILM) > 0.05, connectivity=2))
    top, left, bottom, right = max(parts, key=lambda part: part.area).bbox
    assert right < 400  # the label is left out
    box = Picture(np.ascontiguousarray(FILM[top:bottom, left:right]), bits_stored=12)
    settings = image_settings(size=128, fit="breast", window="none")
    found = prepare(Picture(FILM, bits_stored=12), settings)
    # Without a window both see the same grey levels, so the crop is all that can differ.
    whole = prepare(box, image_settings(size=128, window="none"))
    np.testing.assert_array_equal(found, whole)


def test_breast_box_on_random_shapes():
    right = 0
    for seed in range(40):
        blobs = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(400, 360)), 45)
        image = (np.clip(blobs / blobs.max(), 0, 1) * 4000).astype(np.uint16)
        parts = regionprops(label(image / 4095 > 0.05, connectivity=2))
        top, left, bottom, end = max(parts, key=lambda part: part.area).bbox
        tone = tone_of(Picture(image, bits_stored=12), "none", (0, 100))
        right += breast_box(image, tone) == (top, bottom, left, end)
    # Two parts of nearly one size may change places on the coarse grid.
    assert right >= 38


def test_monochrome1_gives_the_same_array():
    dark = Picture((4095 - FILM).astype(np.uint16), "MONOCHROME1", 12)
    for fit in ("letterbox", "breast", "crop"):
        settings = image_settings(size=100, fit=fit)
        bright = prepare(Picture(FILM, bits_stored=12), settings).astype(int)
        off = np.abs(prepare(dark, settings) - bright)
        # Single-precision means may fall on either side of a rounding edge.
        assert off.max() <= 1 and off.mean() < 1e-3


def test_colour_to_grey_by_luma_or_kept():
    colours = RANDOM.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    picture = Picture(colours, "RGB")
    grey = prepare(picture, image_settings(size=16, window="none"))
    luma = colours @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[0] - downscale_local_mean(luma, (4, 4))).max() <= 1
    settings = image_settings(size=16, window="minmax")
    wide = prepare(Picture(colours.astype(np.int32), "RGB"), settings).astype(int)
    assert np.abs(wide - prepare(picture, settings)).max() <= 2
    kept = prepare(picture, image_settings(size=16, window="none", channels=3))
    expected = downscale_local_mean(colours.astype(float), (4, 4, 1)).transpose(2, 0, 1)
    assert np.abs(kept - expected).max() <= 0.5 + 1e-3
    three = prepare(Picture(colours[..., 0].copy()), image_settings(size=16, channels=3))
    assert (three[0] == three[1]).all() and (three[1] == three[2]).all()


@pytest.mark.parametrize("fit", ["letterbox", "crop", "breast", "stretch"])
@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (2, 2), (7, 300), (33, 32)])
def test_tiny_and_thin_pictures(fit, shape):
    image = RANDOM.integers(0, 4096, shape).astype(np.uint16)
    image.flat[:2] = 0, 4095
    found = prepare(Picture(image, bits_stored=12), image_settings(size=32, fit=fit))
    assert found.shape == (1, 32, 32)
    assert found.max() > 0


def test_prepared_notes_facts_without_names():
    found = prepared(Picture(FILM, bits_stored=12), image_settings(size=64))
    assert found.facts == {
        "rows": 640,
        "columns": 512,
        "bits_stored": 12,
        "min": float(FILM.min()),
        "max": float(FILM.max()),
    }
    assert len(found.digest) == 64
