"""The pixel element of a DICOM file as an array of what its words hold."""

import struct
from typing import BinaryIO

import numpy as np
from pydicom import uid

from foldwise.pixels.dicom.bits import Coded
from foldwise.pixels.dicom.encoded import as_array, options_of, read_encapsulated
from foldwise.pixels.dicom.pixel_module import PixelFacts
from foldwise.pixels.dicom.stream import faults
from foldwise.pixels.picture import UnreadableImage

UNDEFINED = 0xFFFFFFFF
FLOAT = {0x0008: "f4", 0x0009: "f8"}
NATIVE = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian)
VRS = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN")
# Samples that subsampled colours leave of each three (PS3.3 C.7.6.3.1.2).
SUBSAMPLED = "YBR_FULL_422"


def read_pixels(stream: BinaryIO, facts: PixelFacts, reduce_levels: int = 0) -> Coded:
    """The words at the stream's position, with the photometric interpretation they have.

    Shape ([frames,] rows, columns[, samples]); native byte order; YBR already as RGB. JPEG 2000 of
    one grey frame leaves out `reduce_levels` where it can: the shape tells.
    """
    element, vr, length = _element(stream, facts)
    if element in FLOAT:
        return Coded(_read_float(stream, facts, length, FLOAT[element]), facts.photometric)
    if facts.syntax not in NATIVE:
        return read_encapsulated(stream, facts, reduce_levels)
    if length == UNDEFINED:
        raise UnreadableImage("wrong_transfer_syntax")
    swapped = vr == "OW" and facts.bits_allocated == 8 and not facts.little_endian
    if facts.bits_allocated not in (8, 16, 32) or facts.photometric.startswith("YBR") or swapped:
        return _read_native_by_pydicom(stream, facts, length, vr)
    return Coded(_read_native(stream, facts, length), facts.photometric)


def _element(stream: BinaryIO, facts: PixelFacts) -> tuple[int, str, int]:
    """Number, VR and length of the pixel element; the stream then stands at its value.

    Whether there is a VR is seen in the element: what the transfer syntax says may be wrong. A
    VR read as a length would be an odd one, which no element has.
    """
    head = stream.read(12)
    if len(head) < 8 or struct.unpack(facts.order + "H", head[:2])[0] != 0x7FE0:
        raise UnreadableImage("no_pixels")
    element = struct.unpack(facts.order + "H", head[2:4])[0]
    if head[4:6] in VRS and head[6:8] == b"\0\0" and len(head) == 12:
        return element, head[4:6].decode(), struct.unpack(facts.order + "I", head[8:])[0]
    stream.seek(8 - len(head), 1)
    return element, "OW", struct.unpack(facts.order + "I", head[4:8])[0]


def _read_native(stream: BinaryIO, facts: PixelFacts, length: int) -> np.ndarray:
    """Straight from the file into the array: no copy of the bytes in between."""
    dtype = np.dtype(f"{facts.order}{'ui'[facts.signed]}{facts.bits_allocated // 8}")
    pixels = np.empty(facts.frames * facts.rows * facts.columns * facts.samples, dtype)
    # More bytes than the picture needs are passed over: an even length is filled up.
    if length < pixels.nbytes or stream.readinto(pixels.view(np.uint8)) < pixels.nbytes:
        raise UnreadableImage("truncated")
    return _reshape(pixels.astype(dtype.newbyteorder("="), copy=False), facts)


def _read_native_by_pydicom(stream: BinaryIO, facts: PixelFacts, length: int, vr: str) -> Coded:
    """Single bits, subsampled colours, bytes swapped in words."""
    buffer = stream.read(length)
    if len(buffer) < length:
        raise UnreadableImage("truncated")
    whole = facts.rows * facts.columns * 3 * facts.frames
    if facts.photometric == SUBSAMPLED and facts.bits_allocated == 8 and length >= whole:
        return _full_colours(np.frombuffer(buffer, np.uint8)[:whole], facts)
    # By the byte order that was seen: the syntax in the header may be another.
    native = uid.ExplicitVRLittleEndian if facts.little_endian else uid.ExplicitVRBigEndian
    with faults("truncated"):
        return as_array(native, buffer, options_of(facts) | {"pixel_vr": vr}, "")


def _full_colours(samples: np.ndarray, facts: PixelFacts) -> Coded:
    """All samples are there, though the header says that colours are subsampled.

    Writers that have decoded a JPEG leave its photometric interpretation behind, over YBR or RGB.
    RGB taken for YBR leaves the cube of colours, most of all where it is grey.
    """
    pixels = _reshape(samples, facts)
    luma, blue, red = np.moveaxis(pixels.astype(np.float32), -1, 0)
    blue, red = blue - 128, red - 128
    colours = np.stack(
        [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], -1
    )
    # 4 levels beyond the ends are rounding of YBR to whole numbers.
    outside = (colours < -4) | (colours > 259)
    if outside.any(axis=-1).mean() > 0.01:
        return Coded(pixels, "RGB")
    return Coded(np.clip(np.rint(colours), 0, 255).astype(np.uint8), "RGB")


def _reshape(pixels: np.ndarray, facts: PixelFacts) -> np.ndarray:
    """([frames,] rows, columns[, samples]) from the order in the file."""
    if facts.samples > 1 and facts.planar:
        pixels = pixels.reshape(facts.frames, facts.samples, facts.rows, facts.columns)
        pixels = np.moveaxis(pixels, 1, -1)
    else:
        pixels = pixels.reshape(facts.frames, facts.rows, facts.columns, facts.samples)
    pixels = pixels[..., 0] if facts.samples == 1 else pixels
    return pixels[0] if facts.frames == 1 else pixels


def _read_float(stream: BinaryIO, facts: PixelFacts, length: int, kind: str) -> np.ndarray:
    pixels = np.frombuffer(stream.read(length), facts.order + kind)
    if pixels.size < facts.frames * facts.rows * facts.columns:
        raise UnreadableImage("truncated")
    pixels = pixels[: facts.frames * facts.rows * facts.columns]
    # Copied: an array upon the bytes of a file could not be written to.
    return _reshape(pixels.astype(kind), facts)
