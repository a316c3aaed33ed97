"""Compressed pictures that lack a part, or hold zeros where data were, with their end in place."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

import dicoms
from dicoms import write
from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.jpeg import check_lossless, headers_of
from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.picture_files import read_picture as read_plain

END = b"\xff\xd9"
ENCODINGS = [
    *("jpeg", "jpeg_extended", "jpeg_lossless", "jpeg_sv1", "jpeg_ls", "jpeg_2000"),
    *("htj2k", "htj2k_lossy", "rle"),
]


def film(rows: int = 300, columns: int = 240, bits: int = 12) -> np.ndarray:
    """Structure with grain over black: bottom and right side are of one value, as films are."""
    y, x = np.mgrid[0:rows, 0:columns]
    grain = np.random.default_rng(0).normal(0, 8, (rows, columns))
    values = 1500 + 900 * np.sin(x / 31) * np.cos(y / 23) + 500 * np.sin(x * y / 900) + grain
    values[(y > rows * 0.8) | (x > columns * 0.8)] = 0
    return (np.clip(values, 0, 4095).astype(np.uint16) >> (12 - bits)).astype(
        np.uint8 if bits <= 8 else np.uint16
    )


def half(stream: bytes) -> bytes:
    return stream[: len(stream) // 2] + END


def zeroed(stream: bytes) -> bytes:
    start, stop = int(len(stream) * 0.4), int(len(stream) * 0.7)
    return stream[:start] + bytes(stop - start) + stream[stop:]


def tail_lost(stream: bytes) -> bytes:
    return stream[: int(len(stream) * 0.93)] + END


def reason_of(path, read=read_picture) -> str:
    try:
        read(path)
    except UnreadableImage as error:
        return error.reason
    return "ok"


def with_stream(path, monkeypatch, encoding: str, change) -> None:
    plain = dicoms.codestream
    monkeypatch.setattr(dicoms, "codestream", lambda *how: change(plain(*how)))
    bits = 8 if encoding == "jpeg" else 12
    write(path, film(bits=bits), encoding, bits)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("change", [half, zeroed, tail_lost], ids=lambda change: change.__name__)
def test_what_lacks_a_part_is_damage(tmp_path, monkeypatch, encoding, change):
    with_stream(tmp_path / "a", monkeypatch, encoding, change)
    assert reason_of(tmp_path / "a") in ("damaged", "truncated", "decode_failed")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_whole_is_not(tmp_path, monkeypatch, encoding):
    with_stream(tmp_path / "a", monkeypatch, encoding, lambda stream: stream)
    assert reason_of(tmp_path / "a") == "ok"


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("noise", [0, 1])
def test_bits_of_lossless_jpeg_are_counted_to_the_byte(predictor, bits, noise):
    pixels = film(90, 70, bits) if bits < 16 else film(90, 70).astype(np.uint16) * 16
    if noise:
        dtype = pixels.dtype
        pixels = np.random.default_rng(0).integers(0, 1 << bits, pixels.shape).astype(dtype)
    how = {"lossless": True, "predictor": predictor, "bitspersample": bits}
    stream = imagecodecs.jpeg8_encode(pixels, **how)
    check_lossless(stream, pixels)
    end = stream.rindex(END)
    for spoilt in (stream[: end - 3] + END, stream[:end] + bytes(40) + END):
        with pytest.raises(UnreadableImage):
            check_lossless(spoilt, imagecodecs.jpeg8_decode(spoilt))
    assert headers_of(stream).predictor == predictor


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_plain_jpeg(tmp_path, options, mode):
    image = Image.fromarray(film(bits=8)).convert(mode)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90, **options)
    path = tmp_path / "a.jpg"
    path.write_bytes(stream.getvalue())
    assert reason_of(path, read_plain) == "ok"
    changes = (half, zeroed, tail_lost) if not options.get("progressive") else (half, zeroed)
    for change in changes:
        path.write_bytes(change(stream.getvalue()))
        assert reason_of(path, read_plain) in ("damaged", "truncated")


def test_nothing_of_the_check_is_printed(tmp_path, capfd):
    stream = io.BytesIO()
    Image.fromarray(film(bits=8)).save(stream, "JPEG")
    (tmp_path / "a.jpg").write_bytes(half(stream.getvalue()))
    assert reason_of(tmp_path / "a.jpg", read_plain) == "damaged"
    assert capfd.readouterr() == ("", "")


def test_bytes_that_encoders_leave_before_the_end_are_no_damage(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(film(bits=8)).save(stream, "JPEG")
    content = stream.getvalue()
    (tmp_path / "a.jpg").write_bytes(content[:-2] + bytes(4) + END)
    assert reason_of(tmp_path / "a.jpg", read_plain) == "ok"
    (tmp_path / "a.jpg").write_bytes(content + bytes(500))
    assert reason_of(tmp_path / "a.jpg", read_plain) == "ok"


@pytest.mark.parametrize("pixels", [np.zeros((512, 512), np.uint16), np.eye(512, dtype=np.uint16)])
@pytest.mark.parametrize("encoding", ["jpeg_2000", "htj2k", "jpeg_sv1", "jpeg_ls", "rle"])
def test_flat_pictures_are_not_taken_for_zeroed_ones(tmp_path, pixels, encoding):
    write(tmp_path / "a", pixels, encoding, 12)
    assert reason_of(tmp_path / "a") == "ok"
