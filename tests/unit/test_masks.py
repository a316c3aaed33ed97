"""What is foreground, whatever a mask was drawn and saved with."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from foldwise.pixels.decode.pairs import Decoder
from foldwise.pixels.masks import foreground
from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.picture_files import read_mask
from usual import image_settings

OBJECT = np.zeros((32, 32), bool)
OBJECT[4:12, 20:30] = True
BYTES = OBJECT.astype(np.uint8)


def shown(path, rule: str = "nonzero") -> np.ndarray:
    return foreground(read_mask(path, by_index=rule == "nonzero"), rule)


def saved(folder, image, ending: str = "png", **options):
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(folder / f"a.{ending}", **options)
    return folder / f"a.{ending}"


@pytest.mark.parametrize("colour", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 3), (255, 255, 255)])
@pytest.mark.parametrize("ending", ["png", "tif", "ppm"])
def test_any_colour_but_black_is_an_object(tmp_path, colour, ending):
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[OBJECT] = colour
    np.testing.assert_array_equal(shown(saved(tmp_path, pixels, ending)), OBJECT)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 0, 255)])
def test_half_of_the_scale_of_the_brightest_channel(tmp_path, colour):
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[OBJECT] = colour
    np.testing.assert_array_equal(shown(saved(tmp_path, pixels), "half"), OBJECT)


@pytest.mark.parametrize("number", [1, 7, 300, 65535])
def test_numbers_of_16_bits(tmp_path, number):
    np.testing.assert_array_equal(shown(saved(tmp_path, OBJECT.astype(np.uint16) * number)), OBJECT)


@pytest.mark.parametrize(
    "palette", [[0, 0, 0, 0, 0, 4], [255, 255, 255, 0, 0, 0], [9, 9, 9, 9, 9, 9]]
)
def test_of_a_palette_the_index_counts(tmp_path, palette):
    image = Image.fromarray(BYTES)
    image.putpalette(palette + [0] * (768 - len(palette)))
    np.testing.assert_array_equal(shown(saved(tmp_path, image)), OBJECT)


@pytest.mark.parametrize("grey", [0, 255])
@pytest.mark.parametrize("rule", ["half", "nonzero"])
def test_alpha_is_the_mask_where_it_alone_varies(tmp_path, grey, rule):
    pixels = np.full((32, 32, 4), grey, np.uint8)
    pixels[..., 3] = BYTES * 255
    np.testing.assert_array_equal(shown(saved(tmp_path, pixels), rule), OBJECT)
    flat = np.dstack([np.full((32, 32), grey, np.uint8), BYTES * 255])
    path = saved(tmp_path, Image.fromarray(flat, mode="LA"))
    np.testing.assert_array_equal(shown(path, rule), OBJECT)


def test_alpha_that_is_the_same_everywhere_says_nothing(tmp_path):
    for alpha in (0, 128, 255):
        pixels = np.dstack([BYTES * 255] * 3 + [np.full((32, 32), alpha, np.uint8)])
        np.testing.assert_array_equal(shown(saved(tmp_path, pixels), "half"), OBJECT)


@pytest.mark.parametrize("rule", ["half", "nonzero"])
@pytest.mark.parametrize("clear", [0, 255])
def test_a_transparent_value_is_a_value(tmp_path, rule, clear):
    path = saved(tmp_path, BYTES * 255, transparency=clear)
    np.testing.assert_array_equal(shown(path, rule), OBJECT)


@pytest.mark.parametrize("rule", ["half", "nonzero"])
@pytest.mark.parametrize("top", [1.0, 255.0, 1000.0])
def test_floats_and_what_is_no_number(tmp_path, rule, top):
    values = np.where(OBJECT, top, 0).astype(np.float32)
    values[0, :5] = np.nan
    if rule == "half":
        values[20] = top * 0.4
    tifffile.imwrite(tmp_path / "a.tif", values)
    np.testing.assert_array_equal(shown(tmp_path / "a.tif", rule), OBJECT)


def test_white_is_zero_means_that_white_is_background_for_no_rule(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", 255 - BYTES * 255, photometric="miniswhite")
    np.testing.assert_array_equal(shown(tmp_path / "a.tif"), OBJECT)
    wide = (65535 - OBJECT * 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", wide, photometric="miniswhite")
    np.testing.assert_array_equal(shown(tmp_path / "a.tif", "half"), OBJECT)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_image_and_mask_are_turned_alike(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey = (OBJECT * 200 + np.arange(32)).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "image.png", exif=exif)
    Image.fromarray(BYTES * 255).save(tmp_path / "mask.png", exif=exif)
    settings = image_settings(size=32, window="none")
    pixels = Decoder().read([tmp_path / "image.png", tmp_path / "mask.png"], settings).pixels
    np.testing.assert_array_equal(pixels[0] > 150, pixels[1] > 0)
    upright = Image.open(tmp_path / "mask.png")
    assert upright.getexif()[0x0112] == orientation


def test_object_numbers_are_no_scale(tmp_path):
    with pytest.raises(UnreadableImage) as info:
        shown(saved(tmp_path, BYTES * 3), "half")
    assert info.value.reason == "mask_dim"
