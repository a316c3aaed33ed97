"""Two-dimensional NIfTI files as the same Picture that other files give."""

import zlib
from pathlib import Path

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform
from nibabel.spatialimages import HeaderDataError

from foldwise.pixels.picture import Picture, UnreadableImage, size_of

SUFFIXES = (".nii", ".nii.gz")
MAX_BYTES = 1 << 32
MAX_PIXELS = 1 << 28  # a gigabyte in float32


def is_nifti(path: str | Path) -> bool:
    """By the file's ending."""
    return str(path).lower().endswith(SUFFIXES)


def read_nifti(path: str | Path) -> Picture:
    """One slice or film as (rows, columns), as it is looked at: the patient's left at the right.

    Without an orientation in the header the first axis runs to the right, the second down. Raises
    UnreadableImage: missing, not_readable, empty, not_a_picture, bad_header, truncated,
    many_frames, colour, too_large, out_of_memory.
    """
    try:
        size_of(path, MAX_BYTES)
        return _picture(nibabel.load(path, mmap=False))
    except PermissionError:
        raise UnreadableImage("not_readable") from None
    except MemoryError:
        raise UnreadableImage("out_of_memory") from None
    except ImageFileError:
        raise UnreadableImage("not_a_picture") from None
    except HeaderDataError:
        raise UnreadableImage("bad_header") from None
    except (OSError, EOFError, ValueError, zlib.error):
        raise UnreadableImage("truncated") from None


def _picture(image: nibabel.Nifti1Image) -> Picture:
    if image.header.get_data_dtype().kind not in "uif":
        raise UnreadableImage("colour")
    if len(image.shape) < 2 or any(length != 1 for length in image.shape[2:]):
        raise UnreadableImage("many_frames")
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise UnreadableImage("too_large")
    stored = np.asarray(image.dataobj.get_unscaled()).reshape(image.shape[:2])
    stored = _native(_as_looked_at(stored, image))
    slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
    bits = 8 * stored.dtype.itemsize
    return Picture(stored, bits_stored=bits, slope=slope, intercept=intercept)


def _as_looked_at(stored_xy: np.ndarray, image: nibabel.Nifti1Image) -> np.ndarray:
    """(rows, columns), turned so that columns run to the left of the patient, rows to the feet.

    In an axial slice rows run to the back; in a sagittal one, columns do.
    """
    header = image.header
    if not header["qform_code"] and not header["sform_code"]:
        return stored_xy.T
    now = io_orientation(image.affine)
    codes = nibabel.orientations.ornt2axcodes(now)
    wanted = axcodes2ornt(tuple({"R": "L", "A": "P", "S": "I"}.get(c, c) for c in codes))
    flips = ornt_transform(now, wanted)[:2]
    turned = apply_orientation(stored_xy, np.array([[0, flips[0, 1]], [1, flips[1, 1]]]))
    order = {"L": 0, "R": 0, "P": 1, "A": 1, "I": 2, "S": 2}
    return turned.T if order[codes[0]] < order[codes[1]] else turned


def _native(pixels: np.ndarray) -> np.ndarray:
    """Contiguous, in the machine's byte order, no wider than windows take."""
    if pixels.dtype.kind == "f" and pixels.dtype.itemsize != 4:
        return np.ascontiguousarray(pixels, np.float32)
    if pixels.dtype.itemsize > 4:
        return np.ascontiguousarray(pixels, np.float64).astype(np.float32)
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))
