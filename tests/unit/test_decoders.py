"""Decoders against the pixels that were encoded and against other decoders."""

import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.pixels import get_decoder

from dicoms import ENCODINGS, write
from foldwise.errors import FoldwiseError
from foldwise.pixels.dicom import decoders, health
from foldwise.pixels.dicom.file import read_frames, read_picture
from foldwise.pixels.picture import UnreadableImage


def noisy(rows: int, columns: int, bits: int, seed: int = 0) -> np.ndarray:
    """Smooth and rough parts, both ends of the range, a flat part for run lengths."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    top = (1 << bits) - 1
    values = top * (0.5 + 0.6 * np.sin(x / 9) * np.cos(y / 7)) + random.normal(0, top / 40, y.shape)
    values[: rows // 3, : columns // 2] = 0
    values[-3:, -3:] = top
    return np.clip(values, 0, top).astype(np.uint8 if bits <= 8 else np.uint16)


def test_all_syntaxes_are_read_here():
    found = health.health()
    assert len(found) == len(decoders.SYNTAXES)
    assert [entry.name for entry in found if not entry.readable_by] == []


def test_imagecodecs_comes_before_gdcm_and_pydicom():
    for syntax in (uid.JPEGLosslessSV1, uid.JPEG2000Lossless, uid.RLELossless):
        assert decoders.plugins(syntax)[0] == "imagecodecs"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_lossless_encodings_give_the_pixels_back(tmp_path, encoding, bits):
    pixels = noisy(61, 47, bits)
    write(tmp_path / "a", pixels, encoding, bits)
    read = read_picture(tmp_path / "a").stored
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("encoding", ["rle", "jpeg_sv1", "jpeg_ls", "jpeg_2000", "htj2k"])
def test_other_decoders_agree(tmp_path, encoding):
    write(tmp_path / "a", noisy(61, 47, 12), encoding, 12)
    dataset = dcmread(tmp_path / "a")
    syntax = dataset.file_meta.TransferSyntaxUID
    others = [label for label in decoders.plugins(syntax) if label != decoders.LABEL]
    assert others
    for label in others:
        pixels, _ = get_decoder(syntax).as_array(dataset, decoding_plugin=label)
        np.testing.assert_array_equal(read_frames(tmp_path / "a"), pixels, err_msg=label)


@pytest.mark.parametrize("encoding", ["rle", "jpeg_sv1", "jpeg_ls", "jpeg_2000", "htj2k"])
def test_signed_values(tmp_path, encoding):
    pixels = (noisy(33, 40, 12).astype(np.int32) - 2048).astype(np.int16)
    if encoding in ("jpeg_sv1", "jpeg_ls"):  # these codecs know no sign: bits only
        unsigned = (pixels.view(np.uint16) & 0xFFF).astype(np.uint16)
        write(tmp_path / "a", unsigned, encoding, 12, PixelRepresentation=1)
    else:
        write(tmp_path / "a", pixels, encoding, 16 if encoding == "htj2k" else 12)
    np.testing.assert_array_equal(read_picture(tmp_path / "a").stored, pixels)


@pytest.mark.parametrize("encoding", ["raw", "rle", "jpeg_sv1", "jpeg_ls", "jpeg_2000", "htj2k"])
def test_colour(tmp_path, encoding):
    pixels = np.stack([noisy(30, 25, 8, seed) for seed in range(3)], axis=-1)
    kind = "YBR_RCT" if encoding in ("jpeg_2000", "htj2k") else "RGB"
    write(tmp_path / "a", pixels, encoding, 8, PhotometricInterpretation=kind)
    picture = read_picture(tmp_path / "a")
    np.testing.assert_array_equal(picture.stored, pixels)
    assert picture.photometric == "RGB"


@pytest.mark.parametrize("encoding", ["jpeg", "jpeg_extended"])
def test_lossy_jpeg_is_near(tmp_path, encoding):
    bits = 8 if encoding == "jpeg" else 12
    pixels = noisy(64, 64, bits)
    write(tmp_path / "a", pixels, encoding, bits)
    error = read_picture(tmp_path / "a").stored.astype(int) - pixels
    assert np.abs(error).mean() < (1 << bits) / 100


def test_lossy_htj2k_does_not_wrap_at_white(tmp_path):
    pixels = np.where(noisy(64, 64, 8) > 100, 255, 0).astype(np.uint8)
    write(tmp_path / "a", pixels, "htj2k_lossy", 8)
    error = read_picture(tmp_path / "a").stored.astype(int) - pixels
    assert np.abs(error).max() < 40


@pytest.mark.parametrize("encoding", ["jpeg_2000", "htj2k"])
def test_reduced_levels_are_the_low_band(tmp_path, encoding):
    y, x = np.mgrid[0:101, 0:77]
    pixels = (2000 + 10 * x + 5 * y).astype(np.uint16)  # a plane: the low band samples it
    write(tmp_path / "a", pixels, encoding, 12)
    picture = read_picture(tmp_path / "a", reduce_levels=1)
    assert (picture.reduced, picture.full_shape) == (1, (101, 77))
    error = picture.stored[2:-2, 2:-2].astype(int) - pixels[::2, ::2][2:-2, 2:-2]
    assert np.abs(error).max() <= 2


def test_no_decoder_names_the_package(tmp_path, monkeypatch):
    write(tmp_path / "a", noisy(20, 20, 12), "jpeg_2000", 12)
    monkeypatch.setattr(decoders, "is_available", lambda syntax: False)
    monkeypatch.setattr(decoders, "plugins", lambda syntax: [])
    with pytest.raises(UnreadableImage, match="install imagecodecs or pylibjpeg-openjpeg") as info:
        read_picture(tmp_path / "a")
    assert info.value.reason == "missing_decoder"
    syntaxes = {str(uid.JPEG2000Lossless): 3, str(uid.ExplicitVRLittleEndian): 4}
    with pytest.raises(FoldwiseError, match="3 of 7 DICOM files: 3 files in JPEG 2000"):
        health.require(syntaxes)


def test_the_next_decoder_is_tried(tmp_path, monkeypatch):
    pixels = noisy(20, 20, 12)
    write(tmp_path / "a", pixels, "jpeg_2000", 12)

    def refuse(*_args, **_options):
        raise ValueError("no")

    monkeypatch.setattr(decoders, "decode", refuse)
    np.testing.assert_array_equal(read_picture(tmp_path / "a").stored, pixels)
