"""An image and its mask as they are decoded: planes, scales, depths, formats."""

from dataclasses import replace

import cv2
import nibabel
import numpy as np
import pytest
from skimage.transform import resize

from foldwise.pixels.decode.pairs import Decoder
from foldwise.pixels.picture import UnreadableImage
from pairing import by_folders
from usual import image_settings


def pair(folder, shape=(48, 80), mask=None, rule="half", **settings):
    """A picture of noise and a mask, decoded: (C + 1, size, size)."""
    rng = np.random.default_rng(3)
    cv2.imwrite(str(folder / "i.png"), rng.integers(0, 255, (*shape, 3), dtype=np.uint8))
    if mask is None:
        blobs = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 3)
        mask = np.where(blobs > 0.05, 255, 0).astype(np.uint8)
    cv2.imwrite(str(folder / "m.png"), mask)
    settings = image_settings(mask=rule, **settings)
    return Decoder().read([folder / "i.png", folder / "m.png"], settings), mask


@pytest.mark.parametrize("fit", ["letterbox", "crop"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_mask_is_the_plane_after_the_channels_by_nearest(tmp_path, fit, channels):
    found, mask = pair(tmp_path, size=40, fit=fit, channels=channels)
    settings = image_settings(size=40, fit=fit, channels=channels)
    assert found.pixels.shape == Decoder().shape(settings) == (channels + 1, 40, 40)
    part = mask if fit == "letterbox" else mask[:, 16:64]
    shape = (24, 40) if fit == "letterbox" else (40, 40)
    expected = resize(part, shape, order=0, anti_aliasing=False, preserve_range=True) > 127
    plane = found.pixels[-1, 8:32] if fit == "letterbox" else found.pixels[-1]
    # Where a centre lies on a border both neighbours are nearest.
    assert (plane == expected).mean() > 0.97
    assert set(np.unique(found.pixels[-1])) == {0, 1}
    assert found.pixels[-1].sum() == plane.sum()


def test_masks_of_every_scale_are_cut_at_half(tmp_path):
    _, mask = pair(tmp_path, size=48)
    black = mask > 0
    wide = np.where(black, 60000, 5000).astype(np.uint16)
    for values in (mask, black.astype(np.uint8), np.where(black, 130, 125).astype(np.uint8), wide):
        found, _ = pair(tmp_path, mask=values, size=80, fit="letterbox")
        assert np.array_equal(found.pixels[-1, 16:64], black)
    notes = [pair(tmp_path, mask=values, size=48)[0].facts["notes"] for values in (mask, wide)]
    assert notes == [[], ["grey_mask"]]


def test_pictures_of_object_numbers_need_to_be_said_so(tmp_path):
    numbers = np.zeros((48, 80), np.uint16)
    numbers[10:20, 10:20], numbers[30:40, 50:60] = 7, 300
    with pytest.raises(UnreadableImage) as error:
        pair(tmp_path, mask=numbers, size=48)
    assert error.value.reason == "mask_dim"
    found, _ = pair(tmp_path, mask=numbers, size=80, rule="nonzero")
    assert found.pixels[-1].sum() == 200


def stored(folder, image, mask, endings=("png", "png")):
    """An image and a mask as files, read together; lists are pages of a TIFF."""
    paths = [folder / f"{name}.{end}" for name, end in zip("im", endings, strict=True)]
    for path, pixels in zip(paths, (image, mask), strict=True):
        write = cv2.imwritemulti if isinstance(pixels, list) else cv2.imwrite
        assert write(str(path), pixels)
    return Decoder().read(paths, image_settings(size=48, window="none", channels=3))


def test_depth_and_transparency_of_files_change_nothing(tmp_path):
    rng = np.random.default_rng(5)
    image = rng.integers(0, 255, (48, 48, 3), dtype=np.uint8)
    mask = np.where(cv2.GaussianBlur(rng.normal(size=(48, 48)), (0, 0), 3) > 0.05, 255, 0)
    mask = mask.astype(np.uint8)
    plain = stored(tmp_path, image, mask).pixels
    opaque = np.full((48, 48, 1), 255, np.uint8)
    solid = [
        np.concatenate([np.atleast_3d(part), opaque], 2) for part in (image, np.dstack([mask] * 3))
    ]
    wide = image.astype(np.uint16) * 257, mask.astype(np.uint16) * 257
    for files in (solid, wide):
        assert np.array_equal(stored(tmp_path, *files).pixels, plain)
    assert np.array_equal(stored(tmp_path, image, mask, ("tif", "tif")).pixels, plain)


def test_a_tiff_of_several_pages_is_refused(tmp_path):
    image, mask = np.arange(48 * 48).reshape(48, 48).astype(np.uint8), np.eye(48, dtype=np.uint8)
    for files, reason in (
        (([image, image], mask), "many_frames"),
        ((image, [mask, mask]), "mask_unreadable"),
    ):
        with pytest.raises(UnreadableImage) as error:
            stored(tmp_path, *files, ("tif", "tif"))
        assert error.value.reason == reason


def nifti(path, values, slope=None):
    """A plane as programs for annotation write it, with axes to the right, front and head."""
    image = nibabel.Nifti1Image(values[..., None], np.diag([1.0, 1.0, 1.0, 1.0]))
    if slope:
        image.header.set_slope_inter(slope, 0)
    nibabel.save(image, path)
    return path


def test_masks_and_images_in_nifti_lie_on_each_other(tmp_path):
    """Against nibabel's own reading, turned by hand; a mask with a slope holds what is meant."""
    random = np.random.default_rng(3)
    grey = random.integers(1, 200, (40, 32)).astype(np.int16)
    drawn = np.zeros((40, 32), np.uint8)
    drawn[5:17, 20:29] = 1
    image = nifti(tmp_path / "a.nii.gz", grey)
    settings = image_settings(size=40, fit="stretch", mask="nonzero")
    as_seen = np.flip(nibabel.load(image).get_fdata()[..., 0], (0, 1)).T
    assert as_seen.shape == (32, 40)
    for name, values, slope in (("m.nii", drawn, None), ("s.nii", drawn * 2, 0.5)):
        found = Decoder().read([image, nifti(tmp_path / name, values, slope)], settings)
        want = np.flip(drawn, (0, 1)).T[np.arange(40) * 32 // 40 + 0]
        assert found.pixels.shape == (2, 40, 40)
        assert (found.pixels[1].mean() - drawn.mean()) == pytest.approx(0, abs=0.02)
        assert (found.pixels[1] != want).mean() < 0.03  # rows are stretched from 32 to 40
    half = replace(settings, mask="half")
    assert Decoder().read([image, tmp_path / "s.nii"], half).pixels[1].any()


def test_a_nifti_mask_on_a_plain_image_is_named_and_not_guessed(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.arange(64, dtype=np.uint8).reshape(8, 8))
    mask = nifti(tmp_path / "m.nii", np.eye(8, dtype=np.uint8))
    with pytest.raises(UnreadableImage) as error:
        Decoder().read([tmp_path / "a.png", mask], image_settings(size=8))
    assert error.value.reason == "mask_orientation"


def test_folders_of_nifti_are_paired_by_name(tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / "made" / folder).mkdir(parents=True)
        for name in ("a_r0_c0", "b_r0_c0"):
            random = np.random.default_rng(ord(name[0]))
            values = random.integers(0, 200, (24, 24)).astype(np.int16)
            values = values if folder == "images" else (values > 150).astype(np.int16)
            nifti(tmp_path / "made" / folder / f"{name}.nii.gz", values)
    study = by_folders(tmp_path)
    assert study.cohort()["usable"] == 2
