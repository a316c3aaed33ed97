"""Encapsulated DICOM pixels: imagecodecs directly where the frame is plain, else by pydicom."""

from typing import BinaryIO

import numpy as np
from pydicom import uid
from pydicom.pixels import get_decoder

from foldwise.pixels import jpeg
from foldwise.pixels.dicom import codestream, decoders, jpeg_2000
from foldwise.pixels.dicom.bits import Coded
from foldwise.pixels.dicom.codecs import imagecodecs
from foldwise.pixels.dicom.pixel_module import PixelFacts
from foldwise.pixels.dicom.stream import faults
from foldwise.pixels.picture import UnreadableImage

WAVELETS = (*decoders.JPEG_2000, *decoders.HTJ2K)
# Signs and unused bits are seen to in one place for all encodings: bits.py.
AS_CODED = dict.fromkeys(
    ("correct_unused_bits", "apply_j2k_sign_correction", "apply_jls_sign_correction"), False
)


def read_encapsulated(stream: BinaryIO, facts: PixelFacts, reduce_levels: int) -> Coded:
    if facts.syntax not in decoders.SYNTAXES:
        raise UnreadableImage("unknown_transfer_syntax")
    buffer = _rest(stream)
    parts = codestream.fragments(memoryview(buffer))
    frame = codestream.check(parts[0], facts.syntax, facts.rows, facts.columns)
    codestream.check_end(parts[-1], facts.syntax)
    bits, signed = (frame.bits, frame.signed) if frame else (None, False)
    # pydicom tells frames apart by the offset table; the checks below are of one code stream.
    if facts.frames > 1:
        return _decode_by_pydicom(buffer, facts)
    source = parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
    codestream.check_length(source, facts.syntax, facts.rows * facts.columns)
    if facts.syntax in WAVELETS:
        with faults("damaged"):
            jpeg_2000.check_complete(jpeg_2000.code_stream(source))
    coded = _decode_one(source, buffer, facts, reduce_levels, plain=not signed)
    if facts.syntax in decoders.JPEG:
        with faults("damaged"):
            jpeg.check_complete(source, _words(coded.pixels), imagecodecs.jpeg8_decode)
    return Coded(coded.pixels, coded.photometric, bits, signed)


def _decode_one(
    source: memoryview, buffer: bytes, facts: PixelFacts, reduce_levels: int, plain: bool
) -> Coded:
    if plain and facts.samples == 1 and not facts.signed:
        with faults("decode_failed"):
            pixels = _decode_grey(source, facts, reduce_levels)
        if pixels is not None:
            return Coded(pixels, facts.photometric)
    return _decode_by_pydicom(buffer, facts)


def _words(pixels: np.ndarray) -> np.ndarray:
    """As JPEG knows them: without a sign."""
    return pixels.view(f"u{pixels.dtype.itemsize}")


def _rest(stream: BinaryIO) -> bytes:
    """All bytes to the end, by their number: reading an unknown number takes ten times as long."""
    here = stream.tell()
    length = stream.seek(0, 2) - here
    stream.seek(here)
    return stream.read(length)


def _decode_grey(frame: bytes, facts: PixelFacts, reduce_levels: int) -> np.ndarray | None:
    place = facts.syntax, facts.rows, facts.columns
    if reduce_levels and facts.syntax in WAVELETS and 8 < facts.bits_stored < 16:
        pixels = decoders.decode_reduced(frame, *place, facts.bits_stored, reduce_levels)
        if pixels is not None:
            return pixels
    return decoders.decode_grey(frame, *place, facts.bits_allocated)


def _decode_by_pydicom(buffer: bytes, facts: PixelFacts) -> Coded:
    """Signs, colours and frames as pydicom sees to them, with each decoder in turn."""
    labels = decoders.plugins(facts.syntax)
    if not labels:
        raise UnreadableImage("missing_decoder", decoders.package(facts.syntax))
    for label in labels:
        try:
            return decode_with(facts.syntax, buffer, options_of(facts), label)
        except UnreadableImage:
            continue  # the next decoder may be more tolerant
    raise UnreadableImage("decode_failed")


def decode_with(syntax: uid.UID, buffer: bytes, options: dict, label: str) -> Coded:
    """Frames and their photometric interpretation by one of pydicom's plug-ins.

    `options` are those of pydicom's decoders. Raises UnreadableImage: decode_failed.
    """
    with faults("decode_failed"):
        return as_array(syntax, buffer, options, label)


def as_array(syntax: uid.UID, buffer: bytes, options: dict, label: str) -> Coded:
    pixels, properties = get_decoder(syntax).as_array(
        buffer, decoding_plugin=label, **AS_CODED, **options
    )
    # OpenCV takes words in the machine's own order only.
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return Coded(pixels, str(properties["photometric_interpretation"]))


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
