"""Planes of NIfTI as they are looked at, with as much of an orientation as a header has."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

from foldwise.pixels.nifti import read_nifti
from foldwise.pixels.picture import UnreadableImage

PLANE = np.arange(12 * 20, dtype=np.int16).reshape(12, 20)  # (rows, columns), as it is looked at


def written(path, voxels: np.ndarray, affine=None, kind=nibabel.Nifti1Image):
    image = kind(voxels, affine)
    if affine is not None:
        image.header["sform_code"] = 1
    nibabel.save(image, path)
    return path


def with_rows(path, rows: np.ndarray):
    """Set the affine's three rows in the file itself: nibabel refuses odd ones."""
    content = bytearray(path.read_bytes())
    struct.pack_into("<hh", content, 252, 0, 1)
    struct.pack_into("<12f", content, 280, *np.asarray(rows, float).ravel())
    path.write_bytes(bytes(content))
    return path


def reason_of(path) -> str:
    with pytest.raises(UnreadableImage) as info:
        read_nifti(path)
    return info.value.reason


@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("shape", ["xy", "xy1", "1xy", "x1y", "xy11"])
def test_a_plane_may_lie_anywhere_among_axes_of_one(tmp_path, ending, kind, shape):
    axes = tuple(place for place, letter in enumerate(shape) if letter == "1")
    voxels = np.expand_dims(PLANE.T, axes)
    path = written(tmp_path / f"a.{ending}", voxels, kind=kind)
    np.testing.assert_array_equal(read_nifti(path).stored, PLANE)


@pytest.mark.parametrize("first", [1, -1])
@pytest.mark.parametrize("second", [1, -1])
def test_two_columns_of_an_affine_are_enough(tmp_path, first, second):
    """x runs to the left for a negative first column, y to the back for a negative second one."""
    voxels = PLANE.T[:: -first or None, :: -second or None, None]
    voxels = np.ascontiguousarray(voxels)
    path = written(tmp_path / "a.nii", voxels)
    rows = [[first, 0, 0, 0], [0, second, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(read_nifti(with_rows(path, rows)).stored, PLANE)
    whole = [[first, 0, 0, 0], [0, second, 0, 0], [0, 0, 1, 0]]
    np.testing.assert_array_equal(read_nifti(with_rows(path, whole)).stored, PLANE)


def test_an_affine_that_says_nothing_is_none(tmp_path):
    path = written(tmp_path / "a.nii", PLANE.T[..., None].copy())
    np.testing.assert_array_equal(read_nifti(with_rows(path, np.zeros((3, 4)))).stored, PLANE)


def test_reasons_say_what_is_wrong(tmp_path):
    path = written(tmp_path / "a.nii", PLANE.T[..., None].copy())
    content = path.read_bytes()
    assert reason_of(with_rows(path, np.full((3, 4), np.nan))) == "bad_header"
    path.write_bytes(content[:400])
    assert reason_of(path) == "truncated"
    path.write_bytes(content[:100])
    assert reason_of(path) == "truncated"
    path.write_bytes(b"no header " * 100)
    assert reason_of(path) == "not_a_picture"
    written(path, np.zeros((4, 5, 6), np.int16))
    assert reason_of(path) == "many_frames"


def test_a_compressed_file_is_read_no_further_than_its_header_says(tmp_path):
    path = written(tmp_path / "a.nii", PLANE.T.copy())
    bomb = gzip.compress(path.read_bytes() + bytes(1 << 27), 1)
    (tmp_path / "b.nii.gz").write_bytes(bomb)
    np.testing.assert_array_equal(read_nifti(tmp_path / "b.nii.gz").stored, PLANE)
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(path.read_bytes())[:-40])
    assert reason_of(tmp_path / "b.nii.gz") == "truncated"


@pytest.mark.parametrize("slope", [np.inf, -np.inf])
def test_a_slope_without_measure(tmp_path, slope):
    path = written(tmp_path / "a.nii", PLANE.T.copy())
    content = bytearray(path.read_bytes())
    struct.pack_into("<ff", content, 112, slope, 0)
    path.write_bytes(bytes(content))
    assert reason_of(path) == "bad_rescale"
