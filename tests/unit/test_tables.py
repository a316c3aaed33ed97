"""Lookup tables, windows, palettes and padding: what is usable is used, the data decide."""

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicoms import write
from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.picture import Picture, UnreadableImage
from foldwise.pixels.prepare import prepare, prepared
from foldwise.pixels.window import grey, tone_of
from usual import image_settings

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 4096, (40, 50)).astype(np.uint16)
CURVE = (np.linspace(0, 1, 4096) ** 2 * 4095).astype(np.uint16)
SHARES = (0.5, 99.5)


def shown(path, window: str = "voi") -> np.ndarray:
    picture = read_picture(path)
    return grey(picture.stored, tone_of(picture, window, SHARES), picture.padding)


def item(entries, first: int, bits: int, vr: str = "OW", count: int | None = None) -> Dataset:
    found = Dataset()
    number = len(entries) if count is None else count
    found.add_new("LUTDescriptor", "SS" if first < 0 else "US", [number, first, bits])
    data = entries if vr == "US" else np.asarray(entries).astype("<u2").tobytes()
    found.add_new("LUTData", vr, [int(value) for value in data] if vr == "US" else data)
    return found


@pytest.mark.parametrize("vr", ["OW", "US"])
@pytest.mark.parametrize("encoding", ["raw", "implicit", "big_endian"])
@pytest.mark.parametrize("bits", [16, 12, 8, 0])
def test_white_is_what_the_table_holds_not_what_its_descriptor_says(tmp_path, vr, encoding, bits):
    lut = item(CURVE, 0, bits, vr)
    if encoding == "big_endian" and vr == "OW":
        lut.LUTData = CURVE.astype(">u2").tobytes()
    write(tmp_path / "a", PIXELS, encoding, 12, VOILUTSequence=[lut])
    np.testing.assert_allclose(shown(tmp_path / "a"), CURVE[PIXELS] / 4095, atol=1e-6)


def test_modality_table_of_fewer_bits_than_it_says(tmp_path):
    write(tmp_path / "a", PIXELS, bits=12, ModalityLUTSequence=[item(CURVE, 0, 16)])
    np.testing.assert_allclose(shown(tmp_path / "a", "none"), CURVE[PIXELS] / 4095, atol=1e-6)


def test_entries_of_eight_bits_packed_in_words(tmp_path):
    bytes_ = (255 - np.arange(256)).astype(np.uint8)
    lut = item([], 0, 8, count=256)
    lut.LUTData = bytes_.tobytes()
    eight = (PIXELS >> 4).astype(np.uint8)
    write(tmp_path / "a", eight, VOILUTSequence=[lut])
    np.testing.assert_allclose(shown(tmp_path / "a"), bytes_[eight] / 255, atol=1e-6)
    write(tmp_path / "b", eight, VOILUTSequence=[item(bytes_.astype(np.uint16) << 8, 0, 8)])
    np.testing.assert_allclose(shown(tmp_path / "b"), bytes_[eight] / 255, atol=1e-6)


def test_descriptors_of_65536_entries_and_of_negative_starts(tmp_path):
    whole = np.arange(65536)[::-1]
    wide = RANDOM.integers(0, 65536, (40, 50)).astype(np.uint16)
    write(tmp_path / "a", wide, VOILUTSequence=[item(whole, 0, 16, count=0)])
    np.testing.assert_allclose(shown(tmp_path / "a"), whole[wide] / 65535, atol=1e-6)
    signed = PIXELS.astype(np.int16) - 2048
    for first in (-2048, 63488):  # the second is the first without a sign
        write(tmp_path / "b", signed, bits=12, VOILUTSequence=[item(CURVE, first, 12)])
        np.testing.assert_allclose(shown(tmp_path / "b"), CURVE[PIXELS] / 4095, atol=1e-6)


UNUSABLE = {
    "short": item(CURVE[:9], 0, 12, count=4096),
    "constant": item(np.full(4096, 7), 0, 12),
    "far away": item(CURVE, 50000, 12),
    "no data": Dataset(),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_an_unusable_table_gives_way_to_the_window(tmp_path, fault):
    window = {"WindowCenter": 2048.5, "WindowWidth": 2001}
    write(tmp_path / "a", PIXELS, bits=12, VOILUTSequence=[UNUSABLE[fault]], **window)
    expected = np.clip((PIXELS - 1048.0) / 2000, 0, 1)
    np.testing.assert_allclose(shown(tmp_path / "a"), expected, atol=1e-6)
    write(tmp_path / "b", PIXELS, bits=12, VOILUTSequence=[UNUSABLE[fault], item(CURVE, 0, 12)])
    np.testing.assert_allclose(shown(tmp_path / "b"), CURVE[PIXELS] / 4095, atol=1e-6)


@pytest.mark.parametrize("centre", [90000, -90000, "1e300"])
def test_a_window_that_shows_nothing_gives_way_to_percentiles(tmp_path, centre):
    write(tmp_path / "a", PIXELS, bits=12, WindowCenter=centre, WindowWidth=100)
    np.testing.assert_array_equal(shown(tmp_path / "a"), shown(tmp_path / "a", "percentile"))
    found = prepared(read_picture(tmp_path / "a"), image_settings(window="voi"))
    assert found.facts["voi"] is False
    write(tmp_path / "a", PIXELS, bits=12, WindowCenter=2000, WindowWidth=100)
    assert prepared(read_picture(tmp_path / "a"), image_settings(window="voi")).facts["voi"] is True


def test_centres_and_widths_are_paired_by_position(tmp_path):
    write(tmp_path / "a", PIXELS, bits=12, WindowCenter=[1000, 2048], WindowWidth=[0, 2001])
    expected = np.clip((PIXELS - 1047.5) / 2000, 0, 1)
    np.testing.assert_allclose(shown(tmp_path / "a"), expected, atol=1e-6)
    write(tmp_path / "b", PIXELS, bits=12, WindowCenter=["1000", "2048"], WindowWidth=[7, 2001])
    content = (tmp_path / "b").read_bytes()
    (tmp_path / "b").write_bytes(content.replace(b"1000\\2048", b"abcd\\2048"))
    np.testing.assert_allclose(shown(tmp_path / "b"), expected, atol=1e-6)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("low", [0, 3_000_000_000, -(1 << 31)])
def test_windows_on_words_of_32_bits(tmp_path, function, photometric, low):
    """Values that differ by little beside their size: single precision would merge them."""
    kind = np.int32 if low < 0 else np.uint32
    pixels = (PIXELS.astype(np.int64) + low).astype(kind)
    window = {"WindowCenter": low + 2000, "WindowWidth": 1501, "VOILUTFunction": function}
    write(tmp_path / "a", pixels, PhotometricInterpretation=photometric, **window)
    values = PIXELS.astype(float) - 2000
    expected = {
        "LINEAR": np.clip((values + 0.5) / 1500 + 0.5, 0, 1),
        "LINEAR_EXACT": np.clip(values / 1501 + 0.5, 0, 1),
        "SIGMOID": 1 / (1 + np.exp(-4 * values / 1501)),
    }[function]
    expected = 1 - expected if photometric == "MONOCHROME1" else expected
    np.testing.assert_allclose(shown(tmp_path / "a"), expected, atol=1e-6)
    found = prepare(read_picture(tmp_path / "a"), image_settings(size=50, window="voi", fit="crop"))
    assert found.min() < 60 and found.max() > 190


def test_windows_on_float_pixels(tmp_path):
    write(
        tmp_path / "a",
        PIXELS,
        bits=12,
        WindowCenter=0.5,
        WindowWidth=0.5,
        VOILUTFunction="LINEAR_EXACT",
    )
    dataset = dcmread(tmp_path / "a")
    values = (PIXELS / 4095).astype(np.float32)
    del dataset.PixelData
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = values.tobytes()
    dataset.save_as(tmp_path / "a")
    expected = np.clip((values - 0.25) / 0.5, 0, 1)
    np.testing.assert_allclose(shown(tmp_path / "a"), expected, atol=1e-6)


def palette(entries: np.ndarray, bits: int, vr: str = "OW") -> dict:
    tables = {}
    for turn, colour in enumerate(("Red", "Green", "Blue")):
        name = f"{colour}PaletteColorLookupTable"
        tables |= {f"{name}Data": np.roll(entries, turn).tobytes()}
        tables |= {f"{name}Descriptor": [len(entries), 0, bits]}
    return tables | {"PhotometricInterpretation": "PALETTE COLOR"}


def test_palettes_of_16_bits_keep_their_scale(tmp_path):
    indices = (PIXELS % 4).astype(np.uint8)
    ramp = np.array([0, 20000, 40000, 65535], np.uint16)
    write(tmp_path / "a", indices, **palette(ramp, 16))
    picture = read_picture(tmp_path / "a")
    expected = np.stack([np.roll(ramp, turn)[indices] for turn in range(3)], -1)
    np.testing.assert_array_equal(picture.stored, expected)
    assert picture.bits_stored == 16
    settings = image_settings(size=40, window="none", channels=3, fit="crop", bits=16)
    assert prepare(picture, settings).max() == 65535


GROUPED = {"RescaleSlope": 2, "RescaleIntercept": -100, "RescaleType": "US"}


@pytest.mark.parametrize(
    "keyword", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
)
def test_slope_and_window_in_a_functional_group(tmp_path, keyword):
    rescale, window, group = Dataset(), Dataset(), Dataset()
    for name, value in GROUPED.items():
        setattr(rescale, name, value)
    window.WindowCenter, window.WindowWidth = 4000, 2001
    group.PixelValueTransformationSequence = [rescale]
    group.FrameVOILUTSequence = [window]
    write(tmp_path / "a", PIXELS, bits=12, NumberOfFrames=1, **{keyword: [group]})
    picture = read_picture(tmp_path / "a")
    assert (picture.slope, picture.intercept) == (2, -100)
    expected = np.clip((PIXELS * 2.0 - 100 - 3999.5) / 2000 + 0.5, 0, 1)
    np.testing.assert_allclose(shown(tmp_path / "a"), expected, atol=1e-6)


PADDED = PIXELS.copy() // 2 + 1000
PADDED[:, :12] = 4095
INSIDE = PADDED[:, 12:]


@pytest.mark.parametrize("window", ["percentile", "minmax", "none", "voi"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("lut", [False, True])
def test_padding_is_black_and_counts_in_nothing(tmp_path, window, photometric, lut):
    header = {"PhotometricInterpretation": photometric, "WindowCenter": 2000, "WindowWidth": 1000}
    header |= {"ModalityLUTSequence": [item(np.arange(4096), 0, 12)]} if lut else {}
    write(tmp_path / "a", PADDED, bits=12, PixelPaddingValue=4095, **header)
    write(tmp_path / "b", np.ascontiguousarray(INSIDE), bits=12, **header)
    found = shown(tmp_path / "a", window)
    assert found[:, :12].max() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(found[:, 12:], shown(tmp_path / "b", window), atol=1e-6)
    settings = image_settings(size=50, window=window, fit="stretch")
    facts = [prepared(read_picture(tmp_path / name), settings).facts for name in "ab"]
    assert (facts[0]["min"], facts[0]["max"]) == (facts[1]["min"], facts[1]["max"])
    cached = prepare(read_picture(tmp_path / "a"), settings)[0]
    assert cached[:, :12].max() == 0


def test_padding_alone_is_no_picture(tmp_path):
    write(tmp_path / "a", np.full((20, 20), 5, np.uint16), bits=12, PixelPaddingValue=5)
    with pytest.raises(UnreadableImage) as info:
        prepare(read_picture(tmp_path / "a"), image_settings())
    assert info.value.reason == "constant"


@pytest.mark.parametrize("top", [1e300, 3e38])
def test_values_beyond_single_precision(top):
    pixels = np.linspace(-top, top, 400).reshape(20, 20)
    settings = image_settings(size=20, window="minmax", bits=16)
    if top == 3e38:
        found = prepare(Picture(pixels.astype(np.float32), bits_stored=32), settings)
        assert np.abs(found[0] - np.linspace(0, 65535, 400).reshape(20, 20)).max() <= 1
    else:
        with pytest.raises(UnreadableImage) as info:
            prepare(Picture(pixels, bits_stored=64), settings)
        assert info.value.reason in ("bad_rescale", "not_finite")
