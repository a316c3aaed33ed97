"""Encapsulated DICOM pixels: imagecodecs directly where the frame is plain, else by pydicom."""

from typing import BinaryIO

import numpy as np
from pydicom import uid
from pydicom.pixels import get_decoder

from foldwise.pixels.dicom import codestream, decoders
from foldwise.pixels.dicom.pixel_module import PixelFacts
from foldwise.pixels.dicom.stream import faults
from foldwise.pixels.picture import UnreadableImage

LOSSY = (uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000, uid.HTJ2K)


def read_encapsulated(
    stream: BinaryIO, facts: PixelFacts, reduce_levels: int
) -> tuple[np.ndarray, str]:
    if facts.syntax not in decoders.SYNTAXES:
        raise UnreadableImage("unknown_transfer_syntax")
    buffer = _rest(stream)
    parts = codestream.fragments(memoryview(buffer))
    bits = codestream.check(parts[0], facts.syntax, facts.rows, facts.columns)
    codestream.check_end(parts[-1], facts.syntax)
    if facts.frames == facts.samples == 1 and not facts.signed:
        frame = parts[0] if len(parts) == 1 else b"".join(parts)
        with faults("decode_failed"):
            pixels = _decode_grey(frame, facts, reduce_levels)
        if pixels is not None:
            held = bits is not None and bits <= facts.bits_stored
            return pixels if held else unused_bits_away(pixels, facts), facts.photometric
    return _decode_by_pydicom(buffer, facts)


def _rest(stream: BinaryIO) -> bytes:
    """All bytes to the end, by their number: reading an unknown number takes ten times as long."""
    here = stream.tell()
    length = stream.seek(0, 2) - here
    stream.seek(here)
    return stream.read(length)


def _decode_grey(frame: bytes, facts: PixelFacts, reduce_levels: int) -> np.ndarray | None:
    place = facts.syntax, facts.rows, facts.columns
    wavelets = facts.syntax in (*decoders.JPEG_2000, *decoders.HTJ2K)
    if reduce_levels and wavelets and 8 < facts.bits_stored < 16:
        pixels = decoders.decode_reduced(frame, *place, facts.bits_stored, reduce_levels)
        if pixels is not None:
            return pixels
    return decoders.decode_grey(frame, *place, facts.bits_allocated)


def _decode_by_pydicom(buffer: bytes, facts: PixelFacts) -> tuple[np.ndarray, str]:
    """Signs, colours and frames as pydicom sees to them, with each decoder in turn."""
    labels = decoders.plugins(facts.syntax)
    if not labels:
        raise UnreadableImage("missing_decoder", decoders.package(facts.syntax))
    for label in labels:
        try:
            pixels, photometric = decode_with(facts.syntax, buffer, options_of(facts), label)
            return unused_bits_away(pixels, facts), photometric
        except UnreadableImage:
            continue  # the next decoder may be more tolerant
    raise UnreadableImage("decode_failed")


def decode_with(
    syntax: uid.UID, buffer: bytes, options: dict, label: str
) -> tuple[np.ndarray, str]:
    """Frames and their photometric interpretation by one of pydicom's plug-ins.

    `options` are those of pydicom's decoders. Raises UnreadableImage: decode_failed.
    """
    with faults("decode_failed"):
        return as_array(syntax, buffer, options, label)


def as_array(syntax: uid.UID, buffer: bytes, options: dict, label: str) -> tuple[np.ndarray, str]:
    pixels, found = get_decoder(syntax).as_array(buffer, decoding_plugin=label, **options)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return pixels, str(found["photometric_interpretation"])


def options_of(facts: PixelFacts) -> dict:
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


def unused_bits_away(pixels: np.ndarray, facts: PixelFacts) -> np.ndarray:
    """Bits above `bits_stored` may hold anything (PS3.5 8.1.1); mostly they hold nothing."""
    unused = 8 * pixels.dtype.itemsize - facts.bits_stored
    if unused <= 0 or facts.bits_allocated == 1:
        return pixels
    low = -(1 << (facts.bits_stored - 1)) if facts.signed else 0
    high = low + (1 << facts.bits_stored) - 1
    if pixels.max() <= high and (not facts.signed or pixels.min() >= low):
        return pixels
    if facts.syntax in LOSSY and not facts.signed:
        return np.minimum(pixels, pixels.dtype.type(high))  # a lossy codec has overshot white
    return (pixels << unused) >> unused
