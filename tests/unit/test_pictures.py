"""Plain image files against what was written, by other writers and readers."""

import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.picture_files import read_picture

GREY8 = np.random.default_rng(0).integers(0, 256, (23, 31)).astype(np.uint8)
GREY16 = np.random.default_rng(1).integers(0, 65536, (23, 31)).astype(np.uint16)
RGB8 = np.random.default_rng(2).integers(0, 256, (23, 31, 3)).astype(np.uint8)
RGB16 = np.random.default_rng(3).integers(0, 65536, (23, 31, 3)).astype(np.uint16)


def read(path) -> np.ndarray:
    return read_picture(path).stored


def reason_of(path) -> str:
    with pytest.raises(UnreadableImage) as info:
        read_picture(path)
    assert str(path) not in str(info.value)
    return info.value.reason


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8", "16"])
def test_grey_as_written_by_opencv(tmp_path, ending, pixels):
    assert cv2.imwrite(str(tmp_path / f"a.{ending}"), pixels)
    picture = read_picture(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(picture.stored, pixels)
    assert picture.bits_stored == 8 * pixels.dtype.itemsize
    assert picture.photometric == "MONOCHROME2"


@pytest.mark.parametrize("ending", ["png", "tif", "ppm"])
@pytest.mark.parametrize("pixels", [RGB8, RGB16], ids=["8", "16"])
def test_colour_as_written_by_opencv(tmp_path, ending, pixels):
    assert cv2.imwrite(str(tmp_path / f"a.{ending}"), pixels[..., ::-1])
    picture = read_picture(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(picture.stored, pixels)
    assert picture.photometric == "RGB"


@pytest.mark.parametrize("kind", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8", "16"])
def test_tiff_as_written_by_tifffile(tmp_path, kind, pixels):
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric=kind)
    top = np.iinfo(pixels.dtype).max
    np.testing.assert_array_equal(
        read(tmp_path / "a.tif"), pixels if kind == "minisblack" else top - pixels
    )


def test_tiff_of_floats_and_of_16_bit_colour(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY16.astype(np.float32) / 7)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), GREY16.astype(np.float32) / 7)
    tifffile.imwrite(tmp_path / "b.tif", RGB16, photometric="rgb")
    np.testing.assert_array_equal(read(tmp_path / "b.tif"), RGB16)


def test_jpeg_as_pillow_decodes_it(tmp_path):
    smooth = cv2.GaussianBlur(RGB8, (0, 0), 3)
    for name, pixels in (("grey", smooth[..., 0]), ("rgb", smooth)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.jpg", quality=95)
        expected = np.asarray(Image.open(tmp_path / f"{name}.jpg"))
        np.testing.assert_array_equal(read(tmp_path / f"{name}.jpg"), expected)
        assert np.abs(expected.astype(int) - pixels).mean() < 3


def test_one_bit_palette_and_equal_channels_are_grey(tmp_path):
    Image.fromarray(GREY8 > 99).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), (GREY8 > 99) * 255)
    Image.fromarray(GREY8).convert("P").save(tmp_path / "b.png")
    np.testing.assert_array_equal(read(tmp_path / "b.png"), GREY8)
    Image.fromarray(np.dstack([GREY8] * 3)).save(tmp_path / "c.png")
    np.testing.assert_array_equal(read(tmp_path / "c.png"), GREY8)


def test_palette_of_colours(tmp_path):
    image = Image.fromarray((GREY8 % 3).astype(np.uint8), mode="P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "a.png")
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]], np.uint8)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), colours[GREY8 % 3])


def test_alpha_lies_on_black(tmp_path):
    alpha = np.random.default_rng(4).integers(0, 256, GREY8.shape).astype(np.uint8)
    Image.fromarray(np.dstack([RGB8, alpha])).save(tmp_path / "a.png")
    expected = RGB8 * (alpha[..., None] / 255.0)
    assert np.abs(read(tmp_path / "a.png") - expected).max() <= 1
    Image.fromarray(np.dstack([GREY8, alpha]), mode="LA").save(tmp_path / "b.png")
    assert np.abs(read(tmp_path / "b.png") - GREY8 * (alpha / 255.0)).max() <= 1
    wide = np.dstack([RGB16[..., ::-1], alpha.astype(np.uint16) * 257])
    cv2.imwrite(str(tmp_path / "c.png"), wide)
    expected = RGB16 * (alpha[..., None] / 255.0)
    assert np.abs(read(tmp_path / "c.png") - expected).max() <= 0.5 + 1e-6


def test_orientation_and_other_metadata_change_nothing(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(GREY8).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), GREY8)


def test_named_faults(tmp_path):
    assert reason_of(tmp_path / "absent.png") == "missing"
    (tmp_path / "empty.png").touch()
    assert reason_of(tmp_path / "empty.png") == "empty"
    (tmp_path / "text.png").write_text("a table, not a picture")
    assert reason_of(tmp_path / "text.png") == "not_a_picture"
    assert reason_of(tmp_path) in ("not_readable", "not_a_picture")
    Image.fromarray(GREY8).save(
        tmp_path / "pages.tif", save_all=True, append_images=[Image.fromarray(GREY8)]
    )
    assert reason_of(tmp_path / "pages.tif") == "many_frames"


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "pgm"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_files_cut_short_are_truncated(tmp_path, ending, share):
    big = np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8)
    Image.fromarray(big).save(tmp_path / f"a.{ending}")
    content = (tmp_path / f"a.{ending}").read_bytes()
    (tmp_path / f"a.{ending}").write_bytes(content[: int(len(content) * share)])
    assert reason_of(tmp_path / f"a.{ending}") in ("truncated", "not_a_picture")


def test_a_bomb_is_refused(tmp_path):
    """A PNG of a few bytes that claims 10^10 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = chunk(b"IHDR", struct.pack(">2I5B", 100_000, 100_000, 8, 0, 0, 0, 0))
    content = (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(content)
    assert reason_of(tmp_path / "a.png") == "too_large"
