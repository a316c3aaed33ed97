"""Two-dimensional NIfTI files as the same Picture that other files give."""

import gzip
import io
import math
import zlib
from pathlib import Path

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import io_orientation, ornt2axcodes
from nibabel.spatialimages import HeaderDataError

from foldwise.pixels.memory import check_size
from foldwise.pixels.picture import Picture, UnreadableImage
from foldwise.pixels.source import Source, bytes_of

SUFFIXES = (".nii", ".nii.gz")
MAX_BYTES = 1 << 32
HEADER_BYTES = 540  # of NIfTI-2; NIfTI-1 has 348
# Which of two axes runs across: left to right goes before front to back, and that before height.
ORDER = {"L": 0, "R": 0, "P": 1, "A": 1, "I": 2, "S": 2}


def is_nifti(path: str | Path) -> bool:
    """By the file's ending."""
    return str(path).lower().endswith(SUFFIXES)


def read_nifti(source: Source) -> Picture:
    """One slice or film as (rows, columns), as it is looked at: the patient's left at the right.

    Without an orientation in the header the first axis runs to the right, the second down. Raises
    UnreadableImage: missing, not_readable, empty, not_a_picture, bad_header, bad_rescale,
    truncated, damaged, many_frames, colour, too_large, out_of_memory.
    """
    content = bytes_of(source, MAX_BYTES)
    try:
        return _picture(_image(content))
    except MemoryError:
        raise UnreadableImage("out_of_memory") from None
    except ImageFileError:
        raise UnreadableImage("not_a_picture") from None
    except HeaderDataError:
        raise UnreadableImage("bad_header") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UnreadableImage("truncated") from None


def _image(content: bytes) -> nibabel.Nifti1Image | nibabel.Nifti2Image:
    """Header and voxels of one file in memory; of a compressed one no more than its header says."""
    if content[:2] == b"\x1f\x8b":
        content = _unzipped(content)
    kind = _kind(content)
    header = kind.header_class.from_fileobj(io.BytesIO(content))
    if any(math.isinf(header[name]) for name in ("scl_slope", "scl_inter")):
        raise UnreadableImage("bad_rescale")  # which nibabel takes for none
    end = int(header.get_data_offset()) + _voxel_bytes(header)
    if len(content) < end:
        raise UnreadableImage("truncated")
    return kind.from_bytes(content)


def _kind(content: bytes) -> type[nibabel.Nifti1Image | nibabel.Nifti2Image]:
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        if kind.header_class.may_contain_header(content[:HEADER_BYTES]):
            return kind
    begun = content[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    raise UnreadableImage("truncated" if begun else "not_a_picture")


def _unzipped(content: bytes) -> bytes:
    # 31: with gzip's header. No more is inflated than the header says: a bomb stays small.
    inflate = zlib.decompressobj(wbits=31)
    start = inflate.decompress(content, HEADER_BYTES)
    header = _kind(start).header_class.from_fileobj(io.BytesIO(start))
    whole = int(header.get_data_offset()) + _voxel_bytes(header)
    left = whole - len(start)
    return start + (inflate.decompress(inflate.unconsumed_tail, left) if left > 0 else b"")


def _voxel_bytes(header: nibabel.Nifti1Header) -> int:
    """Of a plane; raises UnreadableImage for what is none, before its voxels are read."""
    if header.get_data_dtype().kind not in "uif":
        raise UnreadableImage("colour")
    _plane(header.get_data_shape())
    return math.prod(header.get_data_shape()) * header.get_data_dtype().itemsize


def _plane(shape: tuple[int, ...]) -> list[int]:
    """The two axes of a plane: those that are longer than one, else the first ones."""
    axes = [axis for axis, length in enumerate(shape) if length != 1]
    axes = sorted((axes + [axis for axis in range(len(shape)) if axis not in axes])[:2])
    if len(axes) < 2 or any(length != 1 for axis, length in enumerate(shape) if axis not in axes):
        raise UnreadableImage("many_frames")
    # As 32 bits, since `_native` makes floats of most kinds.
    check_size(math.prod(shape), 32)
    if math.prod(shape) <= 0:
        raise UnreadableImage("bad_header")
    return axes


def _picture(image: nibabel.Nifti1Image) -> Picture:
    axes = _plane(image.shape)
    # Unscaled: slope and intercept go through the same steps as DICOM's.
    stored = np.asarray(image.dataobj.get_unscaled()).reshape([image.shape[axis] for axis in axes])
    stored = _native(_as_looked_at(stored, image, axes))
    # The standard's "no slope" (0) is 1 here already.
    slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
    bits = 8 * stored.dtype.itemsize
    return Picture(stored, bits_stored=bits, slope=slope, intercept=intercept)


def _as_looked_at(stored: np.ndarray, image: nibabel.Nifti1Image, axes: list[int]) -> np.ndarray:
    """(rows, columns), turned so that columns run to the left of the patient, rows to the feet.

    In an axial slice rows run to the back; in a sagittal one, columns do.
    """
    codes = _codes(image, axes)
    if codes is None:
        return stored.T
    down_first = ORDER[codes[0]] > ORDER[codes[1]]
    for axis, code in enumerate(codes):
        if code in "RAS":
            stored = np.flip(stored, axis)
    return stored if down_first else stored.T


def _codes(image: nibabel.Nifti1Image, axes: list[int]) -> list[str] | None:
    """Where each of the two axes runs to (L, R, A, P, S, I); None where the header does not tell.

    Two columns of the affine are enough for a plane: many writers leave the third one empty.
    """
    header = image.header
    if not header["qform_code"] and not header["sform_code"]:
        return None
    directions = image.affine[:, [*axes, 3]]
    if not np.isfinite(directions).all():
        raise UnreadableImage("bad_header")
    places = io_orientation(directions)
    return None if np.isnan(places).any() else list(ornt2axcodes(places))


def _native(pixels: np.ndarray) -> np.ndarray:
    """Contiguous, in the machine's byte order, no wider than windows take."""
    if pixels.dtype.kind == "f" and pixels.dtype.itemsize != 4:
        return np.ascontiguousarray(pixels, np.float32)
    if pixels.dtype.itemsize > 4:
        return np.ascontiguousarray(pixels, np.float64).astype(np.float32)
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))
