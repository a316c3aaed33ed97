"""Grey levels against pydicom on whole pictures and against the standard's formulas."""

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from dicoms import write
from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.digest import pixel_digest
from foldwise.pixels.picture import Picture, UnreadableImage
from foldwise.pixels.window import grey, tone_of

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 4096, (40, 50)).astype(np.uint16)
SIGNED = (PIXELS.astype(np.int32) - 2048).astype(np.int16)
SHARES = (0.5, 99.5)


def shown(path, window: str = "voi") -> np.ndarray:
    picture = read_picture(path)
    return grey(picture.stored, tone_of(picture, window, SHARES))


def by_pydicom(path, low: float, high: float) -> np.ndarray:
    dataset = dcmread(path)
    values = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    values = (values.astype(float) - low) / (high - low)
    return 1 - values if dataset.PhotometricInterpretation == "MONOCHROME1" else values


def lut(first: int, entries: np.ndarray, bits: int) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new("LUTData", "US", [int(value) for value in entries])
    return item


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("pixels", [PIXELS, SIGNED], ids=["unsigned", "signed"])
@pytest.mark.parametrize("rescale", [(1, 0), (2, -1024), (0.0625, 3)])
def test_voi_windows_as_pydicom(tmp_path, function, photometric, pixels, rescale):
    slope, intercept = rescale
    header = {
        "WindowCenter": [1100 * slope + intercept, 7],
        "WindowWidth": [max(900 * slope, 2), 7],
        "VOILUTFunction": function,
        "RescaleSlope": slope,
        "RescaleIntercept": intercept,
        "PhotometricInterpretation": photometric,
    }
    write(tmp_path / "a", pixels, bits=12, **header)
    low, high = (0, 4095) if pixels is PIXELS else (-2048, 2047)
    expected = by_pydicom(tmp_path / "a", low * slope + intercept, high * slope + intercept)
    np.testing.assert_allclose(shown(tmp_path / "a"), expected, atol=2e-7)


def test_linear_window_by_the_formula(tmp_path):
    """PS3.3 C.11.2.1.2.1 by hand."""
    write(tmp_path / "a", PIXELS, bits=12, WindowCenter=2000, WindowWidth=1001)
    expected = np.clip((PIXELS - (2000 - 0.5)) / (1001 - 1) + 0.5, 0, 1)
    np.testing.assert_allclose(shown(tmp_path / "a"), expected, atol=2e-7)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_voi_lut_as_pydicom(tmp_path, photometric):
    entries = np.sqrt(np.linspace(0, 1, 3000)) * 1023
    header = {"VOILUTSequence": [lut(500, entries, 10)], "PhotometricInterpretation": photometric}
    write(tmp_path / "a", PIXELS, bits=12, **header, WindowCenter=5, WindowWidth=5)
    np.testing.assert_allclose(
        shown(tmp_path / "a"), by_pydicom(tmp_path / "a", 0, 1023), atol=2e-7
    )


@pytest.mark.parametrize("window", ["voi", "percentile", "minmax", "none"])
def test_modality_lut_as_pydicom(tmp_path, window):
    entries = 65535 - np.linspace(0, 65535, 4096) ** 2 / 65535
    write(tmp_path / "a", SIGNED, bits=12, ModalityLUTSequence=[lut(-2048, entries, 16)])
    dataset = dcmread(tmp_path / "a")
    values = apply_modality_lut(dataset.pixel_array, dataset).astype(float)
    ends = {
        "minmax": (values.min(), values.max()),
        "none": (0, 65535),
    }.get(window, np.percentile(values, SHARES))
    expected = np.clip((values - ends[0]) / (ends[1] - ends[0]), 0, 1)
    np.testing.assert_allclose(shown(tmp_path / "a", window), expected, atol=1e-6)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("slope", [1.0, -0.5])
@pytest.mark.parametrize("shares", [(0.5, 99.5), (10, 99)])
def test_percentiles_of_what_is_seen(photometric, slope, shares):
    """Polarity and a falling slope come before the percentiles: (10, 99) is not symmetric."""
    picture = Picture(PIXELS, photometric, 12, slope, 100.0)
    seen = (4095 - PIXELS if photometric == "MONOCHROME1" else PIXELS) * slope + 100
    low, high = np.percentile(seen, shares)
    expected = np.clip((seen - low) / (high - low), 0, 1)
    found = grey(picture.stored, tone_of(picture, "percentile", shares))
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("window", "ends"), [("minmax", (PIXELS.min(), PIXELS.max())), ("none", (0, 4095))]
)
def test_other_windows(window, ends):
    picture = Picture(PIXELS, bits_stored=12)
    found = grey(PIXELS, tone_of(picture, window, SHARES))
    np.testing.assert_allclose(found, (PIXELS - ends[0]) / (ends[1] - ends[0]), atol=2e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_wide_values(dtype):
    values = (RANDOM.normal(size=(50, 60)) * 1000).astype(dtype)
    found = grey(values, tone_of(Picture(values, bits_stored=32), "percentile", SHARES))
    low, high = np.percentile(values, SHARES)
    np.testing.assert_allclose(found, np.clip((values - low) / (high - low), 0, 1), atol=1e-5)


def test_a_speck_on_black_is_still_seen():
    pixels = np.zeros((100, 100), np.uint16)
    pixels[3, 4] = 200
    found = grey(pixels, tone_of(Picture(pixels, bits_stored=12), "percentile", SHARES))
    assert (found.min(), found.max(), found.sum()) == (0, 1, 1)


@pytest.mark.parametrize("window", ["percentile", "minmax", "none", "voi"])
def test_constant_pictures_have_a_reason(window):
    for pixels in (np.full((9, 9), 7, np.uint16), np.zeros((9, 9), np.float32)):
        with pytest.raises(UnreadableImage) as info:
            tone_of(Picture(pixels, bits_stored=12), window, SHARES)
        assert info.value.reason == "constant"
    with pytest.raises(UnreadableImage) as info:
        tone_of(Picture(np.array([[0, np.nan]], np.float32)), window, SHARES)
    assert info.value.reason == "not_finite"


def test_digest_sees_the_picture_not_the_encoding(tmp_path):
    eight = RANDOM.integers(0, 256, (30, 20)).astype(np.uint8)
    one = pixel_digest(Picture(eight))
    twelve = (eight.astype(np.uint16) * 16).astype(np.uint16)
    same = [
        Picture(255 - eight, "MONOCHROME1"),
        Picture(eight.astype(np.int16) - 100, bits_stored=12, intercept=3.0),
        Picture(twelve, bits_stored=12, slope=1 / 16),
        Picture((4080 - twelve).astype(np.uint16), "MONOCHROME1", 12, 1 / 16),
        Picture(eight.astype(np.float32)),
        Picture(eight.astype(np.int16) * -1, bits_stored=12, slope=-1.0),
    ]
    for index, picture in enumerate(same):
        assert pixel_digest(picture) == one, index
    other = eight.copy()
    other[0, 0] ^= 1
    assert pixel_digest(Picture(other)) != one
    assert pixel_digest(Picture(eight.T.copy())) != one
    assert pixel_digest(Picture(eight.reshape(20, 30))) != one
