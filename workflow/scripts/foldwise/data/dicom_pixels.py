"""The pixel element of a DICOM file as an array of stored values."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder

from foldwise.data import codestream, decoders
from foldwise.data.dicom_stream import faults
from foldwise.data.dicom_values import text, whole
from foldwise.data.picture import UnreadableImage

MAX_PIXEL_BYTES = 2 << 30
UNDEFINED = 0xFFFFFFFF
FLOAT = {0x0008: ("FloatPixelData", "f4"), 0x0009: ("DoubleFloatPixelData", "f8")}


@dataclass(frozen=True)
class PixelFacts:
    """What the header says about the pixels, made plausible."""

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: int
    planar: int
    photometric: str
    syntax: uid.UID
    implicit: bool
    little_endian: bool

    @property
    def frame_bytes(self) -> int:
        bits = self.rows * self.columns * self.samples * self.bits_allocated
        return (bits + 7) // 8


def pixel_facts(dataset: Dataset) -> PixelFacts:
    """Read the Image Pixel module; raise `bad_header` where it makes no picture."""
    implicit, little_endian = dataset.original_encoding
    native = uid.ExplicitVRLittleEndian if little_endian else uid.ExplicitVRBigEndian
    syntax = uid.UID(text(dataset.file_meta, "TransferSyntaxUID") or native)
    samples = whole(dataset, "SamplesPerPixel", 1)
    allocated = whole(dataset, "BitsAllocated", 0)
    facts = PixelFacts(
        rows=whole(dataset, "Rows", 0),
        columns=whole(dataset, "Columns", 0),
        frames=whole(dataset, "NumberOfFrames", 1) or 1,
        samples=samples,
        bits_allocated=allocated,
        bits_stored=whole(dataset, "BitsStored", 0) or allocated,
        signed=whole(dataset, "PixelRepresentation", 0),
        planar=whole(dataset, "PlanarConfiguration", 0),
        photometric=text(dataset, "PhotometricInterpretation").upper()
        or ("MONOCHROME2" if samples == 1 else "RGB"),
        syntax=syntax,
        implicit=bool(implicit),
        little_endian=bool(little_endian),
    )
    _check(facts)
    return facts


def _check(facts: PixelFacts) -> None:
    plausible = (
        0 < facts.rows < 1 << 16
        and 0 < facts.columns < 1 << 16
        and facts.frames > 0
        and facts.samples in (1, 3, 4)
        and facts.bits_allocated in (1, 8, 16, 32, 64)
        and 0 < facts.bits_stored <= facts.bits_allocated
        and facts.signed in (0, 1)
        and facts.planar in (0, 1)
    )
    if not plausible:
        raise UnreadableImage("bad_header")
    if facts.frames * facts.frame_bytes > MAX_PIXEL_BYTES:
        raise UnreadableImage("too_large")


def read_pixels(stream: BinaryIO, facts: PixelFacts) -> tuple[np.ndarray, str]:
    """Stored values at the stream's position, and the photometric interpretation they have.

    Shape ([frames,] rows, columns[, samples]); native byte order; YBR already as RGB.
    """
    element, vr, length = _element(stream, facts)
    if element in FLOAT:
        return _read_float(stream, facts, length, FLOAT[element][1]), facts.photometric
    if facts.syntax.is_encapsulated:
        return _read_encapsulated(stream, facts)
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
    return _unused_bits_away(_reshape(pixels, facts), facts)


def _read_native_by_pydicom(
    stream: BinaryIO, facts: PixelFacts, length: int, vr: str
) -> tuple[np.ndarray, str]:
    """Single bits, subsampled colours, bytes swapped in words."""
    buffer = stream.read(length)
    if len(buffer) < length:
        raise UnreadableImage("truncated")
    native = uid.ExplicitVRLittleEndian if facts.little_endian else uid.ExplicitVRBigEndian
    with faults("truncated"):
        return _as_array(native, buffer, _options(facts) | {"pixel_vr": vr}, "")


def _reshape(pixels: np.ndarray, facts: PixelFacts) -> np.ndarray:
    """([frames,] rows, columns[, samples]) from the order in the file."""
    if facts.samples > 1 and facts.planar:
        pixels = pixels.reshape(facts.frames, facts.samples, facts.rows, facts.columns)
        pixels = np.moveaxis(pixels, 1, -1)
    else:
        pixels = pixels.reshape(facts.frames, facts.rows, facts.columns, facts.samples)
    pixels = pixels[..., 0] if facts.samples == 1 else pixels
    return pixels[0] if facts.frames == 1 else pixels


def _unused_bits_away(pixels: np.ndarray, facts: PixelFacts) -> np.ndarray:
    """Bits above `bits_stored` may hold anything (PS3.5 8.1.1); mostly they hold nothing."""
    unused = facts.bits_allocated - facts.bits_stored
    if unused:
        low = -(1 << (facts.bits_stored - 1)) if facts.signed else 0
        high = low + (1 << facts.bits_stored) - 1
        if pixels.max() > high or (facts.signed and pixels.min() < low):
            pixels = (pixels << unused) >> unused
    return pixels


def _read_float(stream: BinaryIO, facts: PixelFacts, length: int, kind: str) -> np.ndarray:
    order = "<" if facts.little_endian else ">"
    pixels = np.frombuffer(stream.read(length), order + kind)
    if pixels.size < facts.frames * facts.rows * facts.columns:
        raise UnreadableImage("truncated")
    pixels = pixels[: facts.frames * facts.rows * facts.columns]
    return _reshape(pixels.astype(kind), facts)


def _read_encapsulated(stream: BinaryIO, facts: PixelFacts) -> tuple[np.ndarray, str]:
    buffer = stream.read()
    parts = codestream.fragments(memoryview(buffer))
    codestream.check(parts[0], facts.syntax, facts.rows, facts.columns)
    if facts.frames == facts.samples == 1 and not facts.signed:
        frame = parts[0] if len(parts) == 1 else b"".join(parts)
        place = facts.rows, facts.columns, facts.bits_allocated
        with faults("decode_failed"):
            pixels = decoders.decode_grey(frame, facts.syntax, *place)
        if pixels is not None:
            return _unused_bits_away(pixels, facts), facts.photometric
    return _decode_by_pydicom(buffer, facts)


def _decode_by_pydicom(buffer: bytes, facts: PixelFacts) -> tuple[np.ndarray, str]:
    """Signs, colours and frames as pydicom sees to them, with each decoder in turn."""
    labels = decoders.plugins(facts.syntax)
    if not labels:
        raise UnreadableImage("missing_decoder", decoders.package(facts.syntax))
    for label in labels:
        try:
            with faults("decode_failed"):
                return _as_array(facts.syntax, buffer, _options(facts), label)
        except UnreadableImage:
            continue  # the next decoder may be more tolerant
    raise UnreadableImage("decode_failed")


def _options(facts: PixelFacts) -> dict:
    """The facts by the names that pydicom's decoders use."""
    return {
        "rows": facts.rows,
        "columns": facts.columns,
        "number_of_frames": facts.frames,
        "samples_per_pixel": facts.samples,
        "bits_allocated": facts.bits_allocated,
        "bits_stored": facts.bits_stored,
        "pixel_representation": facts.signed,
        "photometric_interpretation": facts.photometric,
        "pixel_keyword": "PixelData",
    } | ({"planar_configuration": facts.planar} if facts.samples > 1 else {})


def _as_array(syntax: uid.UID, buffer: bytes, options: dict, label: str) -> tuple[np.ndarray, str]:
    pixels, found = get_decoder(syntax).as_array(buffer, decoding_plugin=label, **options)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return pixels, str(found["photometric_interpretation"])
