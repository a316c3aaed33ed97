"""DICOM files as they come: odd headers read with tolerance, damage named, nothing told."""

import logging
import os
import random
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from dicoms import ENCODINGS, write
from foldwise.pixels.cache import write_shard
from foldwise.pixels.dicom.file import read_frames, read_picture
from foldwise.pixels.dicom.header import read_header
from foldwise.pixels.picture import REASONS, UnreadableImage
from foldwise.pixels.prepared import Prepared

PIXELS = (np.arange(40 * 30).reshape(40, 30) * 3).astype(np.uint16)


def reason_of(path: Path) -> str:
    """Why the picture cannot be read; `ok` if it can."""
    try:
        read_picture(path)
    except UnreadableImage as error:
        return error.reason
    return "ok"


def test_header_holds_what_is_allowed(tmp_path):
    named = {
        "PatientID": "P-1",
        "AccessionNumber": "A-1",
        "ViewPosition": "MLO",
        "ImageLaterality": "L",
        "BurnedInAnnotation": "NO",
        "PatientName": "Nobody^Known",
    }
    write(tmp_path / "a", PIXELS, "jpeg_ls", 12, **named)
    header = read_header(tmp_path / "a")
    assert (header.patient_id, header.accession, header.view) == ("P-1", "A-1", "MLO")
    assert (header.laterality, header.burned_in, header.rows) == ("L", "NO", 40)
    assert header.transfer_syntax == pydicom.dcmread(tmp_path / "a").file_meta.TransferSyntaxUID
    assert "Nobody" not in repr(header)


def test_header_of_a_deflated_file_needs_its_beginning_only(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 4096, (500, 500)).astype(np.uint16)
    write(tmp_path / "a", pixels, "deflated", 12, PatientID="P-1")
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "half").write_bytes(content[: len(content) // 2])
    assert read_header(tmp_path / "half").patient_id == "P-1"
    assert reason_of(tmp_path / "half") == "truncated"
    np.testing.assert_array_equal(read_picture(tmp_path / "a").stored, pixels)


def test_deflated_with_elements_after_the_pixels(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 4096, (500, 500)).astype(np.uint16)
    write(tmp_path / "a", pixels, "deflated", 12, DataSetTrailingPadding=b"\0" * 4000)
    np.testing.assert_array_equal(read_picture(tmp_path / "a").stored, pixels)


@pytest.mark.parametrize("encoding", ["raw", "implicit", "big_endian", "deflated"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4"])
def test_native_pixels_as_pydicom_reads_them(tmp_path, encoding, dtype):
    pixels = (PIXELS - 500 * (dtype == "i2")).astype(dtype)
    write(tmp_path / "a", pixels, encoding)
    picture = read_picture(tmp_path / "a")
    np.testing.assert_array_equal(picture.stored, pydicom.dcmread(tmp_path / "a").pixel_array)
    assert picture.signed == (dtype == "i2")
    assert picture.stored.dtype.isnative


@pytest.mark.parametrize("planar", [0, 1])
def test_native_colour(tmp_path, planar):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 16, 3)).astype(np.uint8)
    stored = pixels if planar == 0 else pixels.transpose(2, 0, 1).reshape(20, 16, 3)
    write(tmp_path / "a", stored, "raw", PlanarConfiguration=planar)
    np.testing.assert_array_equal(read_picture(tmp_path / "a").stored, pixels)


def test_bits_that_are_not_stored_are_dropped(tmp_path):
    overlay = PIXELS | np.uint16(0xA000)
    write(tmp_path / "a", overlay, "raw", bits=12)
    np.testing.assert_array_equal(read_picture(tmp_path / "a").stored, PIXELS)
    signed = PIXELS.astype(np.int16) - 2000
    write(tmp_path / "b", (signed & 0xFFF).astype(np.int16), "raw", bits=12)
    np.testing.assert_array_equal(read_picture(tmp_path / "b").stored, signed)


def test_no_preamble_and_no_meta(tmp_path):
    write(tmp_path / "a", PIXELS, "implicit", SpecificCharacterSet="ISO_IR 100")
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "b").write_bytes(content[132:])
    length = struct.unpack_from("<I", content, 140)[0]
    (tmp_path / "c").write_bytes(content[144 + length :])
    for name in "bc":
        np.testing.assert_array_equal(read_picture(tmp_path / name).stored, PIXELS)


def raw_value(path: Path, keyword: str, text: bytes) -> None:
    """Overwrite an element's value with bytes of the same length that its type refuses."""
    tag = pydicom.tag.Tag(keyword)
    content = path.read_bytes()
    start = content.index(struct.pack("<HH", tag.group, tag.element), 300)
    old = struct.unpack_from("<H", content, start + 6)[0]
    assert len(text) == old
    path.write_bytes(content[: start + 8] + text + content[start + 8 + old :])


@pytest.mark.parametrize(
    ("keyword", "valid", "text", "field", "expected"),
    [
        ("RescaleSlope", "0.50", b"0,50", "slope", 0.5),
        ("RescaleSlope", "0.12", b".5mm", "slope", 0.5),
        ("RescaleIntercept", "-100.0", b"-1e1\0\0", "intercept", -10.0),
    ],
)
def test_malformed_decimal_strings(tmp_path, keyword, valid, text, field, expected):
    header = {"RescaleSlope": "1.00", "RescaleIntercept": "0.0000"} | {keyword: valid}
    write(tmp_path / "a", PIXELS, **header)
    raw_value(tmp_path / "a", keyword, text)
    assert getattr(read_picture(tmp_path / "a"), field) == pytest.approx(expected)


def test_a_slope_that_is_no_number_is_not_guessed(tmp_path):
    write(tmp_path / "a", PIXELS, RescaleSlope="1.00", RescaleIntercept="0.00")
    raw_value(tmp_path / "a", "RescaleSlope", b"abcd")
    assert reason_of(tmp_path / "a") == "bad_rescale"


def test_frames_written_as_text_and_wrong_vr(tmp_path):
    write(tmp_path / "a", PIXELS, NumberOfFrames="1")
    raw_value(tmp_path / "a", "NumberOfFrames", b"1A")
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(content.replace(b"\x28\0\x04\0CS", b"\x28\0\x04\0LO"))
    np.testing.assert_array_equal(read_picture(tmp_path / "a").stored, PIXELS)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"AccessionNumber,Classification\n" * 40, "not_dicom"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "not_dicom"),
        (b"\0" * 128 + b"DICM", "no_pixels"),
    ],
)
def test_files_that_are_no_pictures(tmp_path, content, reason):
    (tmp_path / "a").write_bytes(content)
    assert reason_of(tmp_path / "a") == reason


def test_named_faults(tmp_path):
    assert reason_of(tmp_path / "absent") == "missing"
    assert reason_of(tmp_path) == "not_readable"
    os.mkfifo(tmp_path / "pipe")
    assert reason_of(tmp_path / "pipe") == "not_readable"
    write(tmp_path / "a", PIXELS, Rows=0)
    assert reason_of(tmp_path / "a") == "bad_header"
    write(tmp_path / "a", PIXELS, Rows=41)
    assert reason_of(tmp_path / "a") == "truncated"
    write(tmp_path / "a", PIXELS, "jpeg_ls", Rows=41)
    assert reason_of(tmp_path / "a") == "bad_header"
    write(tmp_path / "a", PIXELS, Rows=20, NumberOfFrames=2)
    assert reason_of(tmp_path / "a") == "many_frames"
    assert read_frames(tmp_path / "a").shape == (2, 20, 30)
    write(tmp_path / "a", PIXELS, "jpeg_2000", 12)
    content = (tmp_path / "a").read_bytes()
    for lie in ("1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"):
        (tmp_path / "a").write_bytes(content.replace(b"1.2.840.10008.1.2.4.90", lie.encode()))
        assert reason_of(tmp_path / "a") == "wrong_transfer_syntax"
    (tmp_path / "a").write_bytes(
        content.replace(b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.99")
    )
    assert reason_of(tmp_path / "a") == "unknown_transfer_syntax"


def spoilt(whole: bytes, luck: random.Random) -> bytes:
    """Cut short, or a few bytes changed, or both."""
    content = bytearray(whole[: luck.randrange(140, len(whole))] if luck.random() < 0.4 else whole)
    for _ in range(luck.randrange(4)):
        content[luck.randrange(132, len(content))] = luck.randrange(256)
    return bytes(content)


@pytest.mark.parametrize("encoding", [*ENCODINGS, "implicit", "jpeg_extended"])
def test_any_damage_gives_a_picture_or_a_reason(tmp_path, encoding, capfd, monkeypatch):
    monkeypatch.setattr("foldwise.pixels.isolation.LIMIT_S", 2)
    write(tmp_path / "a", PIXELS, encoding, 12, PatientID="CANARY", NumberOfFrames="1")
    luck = random.Random(encoding)
    files = [spoilt((tmp_path / "a").read_bytes(), luck) for _ in range(60)]

    def read(name: str) -> Prepared:
        (tmp_path / "b").write_bytes(files[int(name)])
        picture = read_picture(tmp_path / "b")
        return Prepared(np.zeros((1, 1, 1), np.uint8), str(picture.full_shape))

    names = [str(number) for number in range(len(files))]
    outs = tmp_path / "s.npy", tmp_path / "s.json"
    # In child processes: some codecs (gdcm, OpenJPH) end theirs on some damage.
    rows = write_shard(read, names, (1, 1, 1), np.uint8, outs)
    assert {row["status"] for row in rows} <= {"ok", *REASONS}
    told = capfd.readouterr()
    assert "CANARY" not in told.out + told.err


def test_nothing_of_the_header_is_told(tmp_path, caplog, recwarn):
    write(tmp_path / "a", PIXELS, "jpeg_ls", 12, PatientName="CANARY^A", PatientID="CANARY")
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(content[:-80])
    with caplog.at_level(logging.DEBUG), pytest.raises(UnreadableImage) as info:
        read_picture(tmp_path / "a")
    texts = [str(info.value), repr(info.value), caplog.text, *(str(w.message) for w in recwarn)]
    assert not any("CANARY" in text or str(tmp_path) in text for text in texts)
    assert info.value.__suppress_context__ or info.value.__context__ is None


def test_voi_and_modality_elements_are_kept_alone(tmp_path):
    lut = Dataset()
    lut.LUTDescriptor, lut.LUTData = [4, 0, 8], [0, 80, 160, 255]
    lut["LUTDescriptor"].VR, lut["LUTData"].VR = "US", "US"
    write(tmp_path / "a", PIXELS, VOILUTSequence=[lut], PatientName="CANARY")
    picture = read_picture(tmp_path / "a")
    assert [list(lut.entries) for lut in picture.voi] == [[0, 80, 160, 255]]
    assert "CANARY" not in repr(picture)


def test_palette_pictures_become_rgb(tmp_path):
    indices = (PIXELS % 4).astype(np.uint8)
    ramp = np.array([0, 80, 160, 255], np.uint8)
    tables = {
        f"{colour}PaletteColorLookupTableData": np.roll(ramp, turn).tobytes()
        for turn, colour in enumerate(("Red", "Green", "Blue"))
    }
    descriptors = {f"{key[:-4]}Descriptor": [4, 0, 8] for key in tables}
    kind = {"PhotometricInterpretation": "PALETTE COLOR"}
    write(tmp_path / "a", indices, **tables, **descriptors, **kind)
    expected = np.stack([np.roll(ramp, turn)[indices] for turn in range(3)], axis=-1)
    np.testing.assert_array_equal(read_picture(tmp_path / "a").stored, expected)
