"""Which bits of a word count, what sign they have, and what a header may say wrongly of them."""

import struct

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

import dicoms
from dicoms import write
from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.digest import pixel_digest
from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.prepare import prepare
from usual import image_settings

RANDOM = np.random.default_rng(0)
TWELVE = RANDOM.integers(0, 4096, (40, 30)).astype(np.uint16)
TWELVE[:20] = np.arange(20 * 30).reshape(20, 30)  # a codec that is off shows in smooth parts too
ENCODINGS = ["raw", "implicit", "big_endian", "rle", "jpeg_sv1", "jpeg_2000", "htj2k", "jpeg_ls"]


def stored(path) -> np.ndarray:
    return read_picture(path).stored


def reason_of(path) -> str:
    with pytest.raises(UnreadableImage) as info:
        read_picture(path)
    return info.value.reason


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("bits", "high_bit"), [(12, 15), (10, 15), (10, 11), (8, 15)])
def test_stored_bits_end_at_the_high_bit(tmp_path, encoding, bits, high_bit):
    values = TWELVE >> (12 - bits)
    words = (values << (high_bit + 1 - bits)).astype(np.uint16)
    write(tmp_path / "a", words, encoding, 16, BitsStored=bits, HighBit=high_bit)
    np.testing.assert_array_equal(stored(tmp_path / "a"), values)


@pytest.mark.parametrize("encoding", ["raw", "big_endian", "rle", "jpeg_2000", "htj2k"])
def test_signed_bits_end_at_the_high_bit(tmp_path, encoding):
    values = TWELVE.astype(np.int16) - 2048
    write(tmp_path / "a", values << 4, encoding, 16, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(stored(tmp_path / "a"), values)


@pytest.mark.parametrize("encoding", ["raw", "rle", "jpeg_2000"])
@pytest.mark.parametrize("low", [0, -2048])
def test_a_high_bit_that_the_words_belie_is_not_believed(tmp_path, encoding, low):
    values = (TWELVE.astype(np.int32) + low).astype(np.int16 if low else np.uint16)
    write(tmp_path / "a", values, encoding, 16, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(stored(tmp_path / "a"), values)
    write(tmp_path / "b", values, encoding, 16, BitsStored=12, HighBit=3)
    np.testing.assert_array_equal(stored(tmp_path / "b"), values)


def test_colours_end_at_the_high_bit_too(tmp_path):
    values = RANDOM.integers(0, 4096, (20, 16, 3)).astype(np.uint16)
    write(tmp_path / "a", values << 4, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(stored(tmp_path / "a"), values)


def coded(path, monkeypatch, stream: np.ndarray, header: np.ndarray, encoding: str, bits: int):
    """A file whose code stream holds `stream`, under a header for pixels like `header`."""
    plain = dicoms.codestream
    monkeypatch.setattr(dicoms, "codestream", lambda _pixels, *how: plain(stream, *how))
    write(path, header, encoding, bits)


@pytest.mark.parametrize("encoding", ["jpeg_2000", "htj2k"])
def test_the_sign_of_a_code_stream_counts(tmp_path, monkeypatch, encoding):
    """A header that knows no sign would make what is darkest the brightest."""
    signed = TWELVE.astype(np.int16) - 2048
    coded(tmp_path / "a", monkeypatch, signed, TWELVE, encoding, 16)
    np.testing.assert_array_equal(stored(tmp_path / "a"), signed)


@pytest.mark.parametrize("encoding", ["jpeg_2000", "htj2k"])
def test_a_sign_that_the_header_alone_knows_is_read_off_the_bits(tmp_path, monkeypatch, encoding):
    """As pydicom does with the file J2K_pixelrep_mismatch.dcm of its own tests."""
    signed = TWELVE.astype(np.int16) - 2048
    coded(tmp_path / "a", monkeypatch, signed.view(np.uint16) & 0xFFF, signed, encoding, 12)
    np.testing.assert_array_equal(stored(tmp_path / "a"), signed)


EXPLICIT, IMPLICIT = (
    ExplicitVRLittleEndian.encode() + b"\0",
    ImplicitVRLittleEndian.encode() + b"\0",
)


def mislabel(path, other: bytes, own: bytes) -> None:
    """Let the meta information name another transfer syntax than the elements have."""
    content = path.read_bytes()
    start = content.index(b"UI", content.index(b"\x02\0\x10\0"))
    old = struct.unpack_from("<H", content, start + 2)[0]
    assert content[start + 4 : start + 4 + old].startswith(own.rstrip(b"\0"))
    length = content.index(b"\x02\0\0\0UL") + 8
    meta = bytearray(content)
    meta[start + 2 : start + 4 + old] = struct.pack("<H", len(other)) + other
    whole = struct.unpack_from("<I", content, length)[0] + len(other) - old
    meta[length : length + 4] = struct.pack("<I", whole)
    path.write_bytes(bytes(meta))


@pytest.mark.parametrize("side", [30, 200])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("lie", ["implicit", "explicit"])
def test_elements_are_read_as_they_are_written_not_as_the_syntax_says(tmp_path, side, depth, lie):
    pixels = RANDOM.integers(0, 250, (side, side)).astype(depth)
    if lie == "implicit":
        write(tmp_path / "a", pixels, "raw", PatientID="P")
        mislabel(tmp_path / "a", IMPLICIT + b"\0" * (len(IMPLICIT) % 2), EXPLICIT)
    else:
        write(tmp_path / "a", pixels, "implicit", PatientID="P")
        mislabel(tmp_path / "a", EXPLICIT + b"\0" * (len(EXPLICIT) % 2), IMPLICIT)
    np.testing.assert_array_equal(dcmread(tmp_path / "a").pixel_array, pixels)
    np.testing.assert_array_equal(stored(tmp_path / "a"), pixels)


@pytest.mark.parametrize("kind", ["RGB", "YBR"])
def test_colours_that_the_header_calls_subsampled_but_are_whole(tmp_path, kind):
    colours = RANDOM.integers(0, 256, (20, 16, 3)).astype(np.uint8)
    pixels = colours
    if kind == "YBR":
        pixels = convert_color_space(colours, "RGB", "YBR_FULL")
        colours = convert_color_space(pixels, "YBR_FULL", "RGB")
    write(tmp_path / "a", pixels, PhotometricInterpretation="YBR_FULL_422")
    assert np.abs(stored(tmp_path / "a").astype(int) - colours).max() <= 1
    assert read_picture(tmp_path / "a").photometric == "RGB"


def test_white_is_zero_in_colours_has_no_meaning(tmp_path):
    colours = RANDOM.integers(0, 256, (20, 16, 3)).astype(np.uint8)
    write(tmp_path / "a", colours, PhotometricInterpretation="MONOCHROME1")
    assert reason_of(tmp_path / "a") == "colour"


@pytest.mark.parametrize("slope", ["1e300", "-1e300", "1e-300"])
def test_slopes_that_leave_no_values_apart(tmp_path, slope):
    write(tmp_path / "a", TWELVE, bits=12, RescaleSlope=slope, RescaleIntercept="0")
    for window in ("percentile", "voi", "minmax", "none"):
        with pytest.raises(UnreadableImage) as info:
            prepare(read_picture(tmp_path / "a"), image_settings(window=window))
        assert info.value.reason == "bad_rescale"
    write(tmp_path / "a", TWELVE, bits=12, RescaleSlope="1", RescaleIntercept="1e20")
    with pytest.raises(UnreadableImage) as info:
        prepare(read_picture(tmp_path / "a"), image_settings())
    assert info.value.reason == "bad_rescale"


@pytest.mark.parametrize("encoding", ["raw", "implicit", "rle", "jpeg_2000"])
@pytest.mark.parametrize(("padding", "low"), [(4095, 0), (0, 0), (-2048, -2048), (63488, -2048)])
def test_padding_is_known_in_any_encoding(tmp_path, encoding, padding, low):
    """63488 is -2048 in words without a sign: writers mix the two."""
    values = (RANDOM.integers(100, 3000, (40, 30)) + low).astype(np.int16 if low else np.uint16)
    values[:7] = -2048 if low else padding
    write(tmp_path / "a", values, encoding, 12)
    content = dcmread(tmp_path / "a")
    content.add_new("PixelPaddingValue", "SS" if padding < 0 else "US", padding)
    content.save_as(tmp_path / "a")
    picture = read_picture(tmp_path / "a")
    np.testing.assert_array_equal(picture.padding, values == values[0, 0])


def test_padding_by_range_and_outside_of_the_stored_bits(tmp_path):
    values = RANDOM.integers(100, 3000, (40, 30)).astype(np.uint16)
    values[0], values[1], values[2] = 4000, 4050, 4095
    ends = {"PixelPaddingValue": 4095, "PixelPaddingRangeLimit": 4000}
    write(tmp_path / "a", values, bits=12, **ends)
    np.testing.assert_array_equal(read_picture(tmp_path / "a").padding, values >= 4000)
    words = values.copy()
    words[:3] = 0xF000
    write(tmp_path / "b", words, bits=12, PixelPaddingValue=0xF000)
    np.testing.assert_array_equal(read_picture(tmp_path / "b").padding, words == 0xF000)
    write(tmp_path / "c", values, bits=12, PixelPaddingValue=7)
    assert read_picture(tmp_path / "c").padding is None


def test_a_picture_is_the_same_whatever_its_padding_is(tmp_path):
    values = RANDOM.integers(100, 3000, (40, 30)).astype(np.uint16)
    digests = set()
    for padding in (0, 4095):
        values[:5] = padding
        write(tmp_path / "a", values, bits=12, PixelPaddingValue=padding)
        digests.add(pixel_digest(read_picture(tmp_path / "a")))
    assert len(digests) == 1
