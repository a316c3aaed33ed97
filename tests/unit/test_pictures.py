"""Plain image files against what was written, by other writers and readers."""

import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.picture_files import read_mask, read_picture
from foldwise.pixels.prepare import prepare
from usual import image_settings

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


TURNED = {
    1: GREY8,
    2: np.fliplr(GREY8),
    3: np.flipud(np.fliplr(GREY8)),
    4: np.flipud(GREY8),
    5: GREY8.T,
    6: np.rot90(GREY8, -1),
    7: np.rot90(GREY8, 2).T,
    8: np.rot90(GREY8),
}


def with_exif(path, pixels, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    own = {"tiffinfo": {0x0112: orientation}} if path.suffix == ".tif" else {"exif": exif}
    Image.fromarray(pixels).save(path, quality=100, **own)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
@pytest.mark.parametrize("orientation", TURNED)
def test_pictures_are_turned_as_exif_says(tmp_path, ending, orientation):
    path = tmp_path / f"a.{ending}"
    with_exif(path, GREY8, orientation)
    off = read(path).astype(int) - TURNED[orientation]
    assert np.abs(off).max() <= (12 if ending == "jpg" else 0)
    if ending != "tif":  # which Pillow turns by itself, and then once more
        by_pillow = np.asarray(ImageOps.exif_transpose(Image.open(path)))
        np.testing.assert_array_equal(read(path), by_pillow)
    mask = read_mask(path, by_index=True).stored
    assert np.abs(mask.astype(int) - TURNED[orientation]).max() <= 12


@pytest.mark.parametrize("pixels", [GREY16, RGB16], ids=["grey", "colour"])
def test_wide_pictures_are_turned_too(tmp_path, pixels):
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        photometric="rgb" if pixels.ndim == 3 else "minisblack",
        extratags=[(274, "H", 1, 6, True)],
    )
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), np.rot90(pixels, -1))


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_orientations_without_a_meaning_change_nothing(tmp_path, orientation):
    with_exif(tmp_path / "a.png", GREY8, orientation)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), GREY8)


FLOATS = GREY16.astype(np.float32) / 65535 - 0.25
KINDS = {
    "u1": GREY8,
    "i1": (GREY8.astype(int) - 128).astype(np.int8),
    "u2": GREY16,
    "i2": (GREY16.astype(int) - 32768).astype(np.int16),
    "u4": GREY16.astype(np.uint32) * 65537,
    "i4": (GREY16.astype(np.int64) * 65537 - (1 << 31)).astype(np.int32),
    "f4": FLOATS,
    "f8": FLOATS.astype(np.float64),
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
@pytest.mark.parametrize("kind", KINDS)
def test_samples_of_any_kind_are_read_as_tifffile_wrote_them(tmp_path, kind, compression, order):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, KINDS[kind], compression=compression, byteorder=order, photometric=1)
    try:
        found = read_picture(path)
    except UnreadableImage as error:
        assert error.reason == "sample_format"
        assert (order == ">" and compression) or (kind, order) == ("u4", ">") or kind == "f8"
    else:
        np.testing.assert_array_equal(found.stored, KINDS[kind].astype(found.stored.dtype))
        assert found.stored.dtype.kind == kind[0]


@pytest.mark.parametrize("kind", ["u2", "u4", "i2", "i4", "f4", "i1"])
def test_white_is_zero_in_any_kind(tmp_path, kind):
    tifffile.imwrite(tmp_path / "a.tif", KINDS[kind], photometric="miniswhite")
    settings = image_settings(size=31, window="minmax", bits=16)
    try:
        found = prepare(read_picture(tmp_path / "a.tif"), settings).astype(int)
    except UnreadableImage as error:
        assert kind in ("i1", "i2", "i4", "u4") and error.reason == "sample_format"
        return
    tifffile.imwrite(tmp_path / "b.tif", KINDS[kind], photometric="minisblack")
    dark = prepare(read_picture(tmp_path / "b.tif"), settings).astype(int)
    rows = dark[0].any(axis=1)
    assert np.abs(found[0][rows] + dark[0][rows] - 65535).max() <= 2


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
@pytest.mark.parametrize("rows", [23, 5])
@pytest.mark.parametrize("pixels", [RGB8, RGB16], ids=["8", "16"])
def test_colours_in_planes(tmp_path, pixels, compression, rows, order):
    stored = np.moveaxis(pixels, -1, 0)
    how = {"compression": compression, "rowsperstrip": rows, "byteorder": order}
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig="separate", **how)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), pixels)


@pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.float32])
def test_colours_of_other_kinds_are_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", RGB8.astype(dtype), photometric="rgb")
    assert reason_of(tmp_path / "a.tif") == "sample_format"


def chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def png(rows: list[bytes], shape: tuple[int, int], depth: int, colour: int, *more: bytes) -> bytes:
    header = struct.pack(">2I5B", shape[1], shape[0], depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), *more, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    )


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_is_black_and_no_other(tmp_path, depth):
    top = (1 << depth) - 1
    values = np.random.default_rng(0).integers(0, top + 1, (16, 16)).astype(np.uint16)
    clear = int(values[3, 3])
    if depth < 8:
        bits = np.unpackbits(values.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = [np.packbits(row).tobytes() for row in bits.reshape(16, -1)]
    else:
        rows = [row.astype(f">u{depth // 8}").tobytes() for row in values]
    (tmp_path / "a.png").write_bytes(
        png(rows, (16, 16), depth, 0, chunk(b"tRNS", struct.pack(">H", clear)))
    )
    whole = values.astype(np.int64) * (65535 if depth == 16 else 255) // top
    np.testing.assert_array_equal(read(tmp_path / "a.png"), np.where(values == clear, 0, whole))
    mask = read_mask(tmp_path / "a.png", by_index=True).stored
    np.testing.assert_array_equal(mask, whole)  # in a mask it is a value like others


def test_a_transparent_colour_of_16_bits(tmp_path):
    rows = [row.astype(">u2").tobytes() for row in RGB16]
    clear = struct.pack(">3H", *(int(value) for value in RGB16[3, 3]))
    (tmp_path / "a.png").write_bytes(png(rows, RGB16.shape[:2], 16, 2, chunk(b"tRNS", clear)))
    found = read(tmp_path / "a.png")
    np.testing.assert_array_equal(found[0], RGB16[0])
    assert found[3, 3].max() == 0


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

    header = chunk(b"IHDR", struct.pack(">2I5B", 100_000, 100_000, 8, 0, 0, 0, 0))
    content = (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(content)
    assert reason_of(tmp_path / "a.png") == "too_large"
