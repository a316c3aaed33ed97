"""The pixel element of a DICOM file as an array of stored values."""

import struct
from typing import BinaryIO

import numpy as np
from pydicom import uid

from foldwise.pixels.dicom.encoded import as_array, options_of, read_encapsulated, unused_bits_away
from foldwise.pixels.dicom.pixel_module import PixelFacts
from foldwise.pixels.dicom.stream import faults
from foldwise.pixels.picture import UnreadableImage

UNDEFINED = 0xFFFFFFFF
FLOAT = {0x0008: "f4", 0x0009: "f8"}
NATIVE = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian)


def read_pixels(
    stream: BinaryIO, facts: PixelFacts, reduce_levels: int = 0
) -> tuple[np.ndarray, str]:
    """Stored values at the stream's position, and the photometric interpretation they have.

    Shape ([frames,] rows, columns[, samples]); native byte order; YBR already as RGB. JPEG 2000 of
    one grey frame leaves out `reduce_levels` where it can: the shape tells.
    """
    element, vr, length = _element(stream, facts)
    if element in FLOAT:
        return _read_float(stream, facts, length, FLOAT[element]), facts.photometric
    if facts.syntax not in NATIVE:
        return read_encapsulated(stream, facts, reduce_levels)
    if length == UNDEFINED:
        raise UnreadableImage("wrong_transfer_syntax")
    swapped = vr == "OW" and facts.bits_allocated == 8 and not facts.little_endian
    if facts.bits_allocated not in (8, 16, 32) or facts.photometric.startswith("YBR") or swapped:
        return _read_native_by_pydicom(stream, facts, length, vr)
    return _read_native(stream, facts, length), facts.photometric


def _element(stream: BinaryIO, facts: PixelFacts) -> tuple[int, str, int]:
    """Number, VR and length of the pixel element; the stream then stands at its value."""
    order = "<" if facts.little_endian else ">"
    head = stream.read(8)
    if len(head) < 8 or struct.unpack(order + "H", head[:2])[0] != 0x7FE0:
        raise UnreadableImage("no_pixels")
    element = struct.unpack(order + "H", head[2:4])[0]
    if facts.implicit:
        return element, "OW", struct.unpack(order + "I", head[4:])[0]
    vr = head[4:6].decode("latin-1")
    if vr in ("OB", "OW", "OF", "OD", "UN", "OL", "OV"):
        return element, vr, struct.unpack(order + "I", stream.read(4))[0]
    return element, vr, struct.unpack(order + "H", head[6:])[0]


def _read_native(stream: BinaryIO, facts: PixelFacts, length: int) -> np.ndarray:
    """Straight from the file into the array: no copy of the bytes in between."""
    order = "<" if facts.little_endian else ">"
    dtype = np.dtype(f"{order}{'ui'[facts.signed]}{facts.bits_allocated // 8}")
    pixels = np.empty(facts.frames * facts.rows * facts.columns * facts.samples, dtype)
    if length < pixels.nbytes or stream.readinto(pixels.view(np.uint8)) < pixels.nbytes:
        raise UnreadableImage("truncated")
    pixels = pixels.astype(dtype.newbyteorder("="), copy=False)
    return unused_bits_away(_reshape(pixels, facts), facts)


def _read_native_by_pydicom(
    stream: BinaryIO, facts: PixelFacts, length: int, vr: str
) -> tuple[np.ndarray, str]:
    """Single bits, subsampled colours, bytes swapped in words."""
    buffer = stream.read(length)
    if len(buffer) < length:
        raise UnreadableImage("truncated")
    native = uid.ExplicitVRLittleEndian if facts.little_endian else uid.ExplicitVRBigEndian
    with faults("truncated"):
        return as_array(native, buffer, options_of(facts) | {"pixel_vr": vr}, "")


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
    order = "<" if facts.little_endian else ">"
    pixels = np.frombuffer(stream.read(length), order + kind)
    if pixels.size < facts.frames * facts.rows * facts.columns:
        raise UnreadableImage("truncated")
    pixels = pixels[: facts.frames * facts.rows * facts.columns]
    return _reshape(pixels.astype(kind), facts)
