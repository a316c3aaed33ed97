"""Pixels in the transfer syntaxes that archives hold, each of them lossless."""

from collections.abc import Callable

import imagecodecs
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import JPEGLSLosslessEncoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)


def encoded(pixels: np.ndarray, syntax: UID, bits_stored: int) -> bytes:
    """The value of (7FE0,0010) for pixels uint16 (H, W); compressed ones as one fragment."""
    if syntax not in _CODERS:
        return pixels.astype("<u2").tobytes()
    return encapsulate([_CODERS[syntax](np.ascontiguousarray(pixels), bits_stored)])


def is_compressed(syntax: UID) -> bool:
    """Whether the pixels are in fragments of undefined length."""
    return syntax in _CODERS


def stored_bits(syntax: UID) -> int:
    """12, but 16 for HTJ2K: its encoder here states all bits of the type."""
    return 16 if syntax == HTJ2KLossless else 12


def _rle(pixels: np.ndarray, bits_stored: int) -> bytes:
    # PS3.5 annex G: high bytes first, rows packed apart, each segment of even length.
    planes = [(pixels >> 8).astype(np.uint8), (pixels & 255).astype(np.uint8)]
    segments = [b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in p) for p in planes]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    starts = [2, 64, 64 + len(segments[0])] + [0] * 13
    return np.array(starts, "<u4").tobytes() + b"".join(segments)


def _jpeg_ls(pixels: np.ndarray, bits_stored: int) -> bytes:
    height, width = pixels.shape
    return JPEGLSLosslessEncoder.encode(
        pixels,
        rows=height,
        columns=width,
        number_of_frames=1,
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=bits_stored,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        encoding_plugin="pyjpegls",
    )


def _jpeg_2000(pixels: np.ndarray, bits_stored: int) -> bytes:
    return imagecodecs.jpeg2k_encode(
        pixels, level=0, codecformat="j2k", reversible=True, bitspersample=bits_stored
    )


def _jpeg_lossless(pixels: np.ndarray, bits_stored: int) -> bytes:
    return imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=bits_stored)


def _htj2k(pixels: np.ndarray, bits_stored: int) -> bytes:
    return imagecodecs.htj2k_encode(pixels, reversible=True)


_CODERS: dict[UID, Callable[[np.ndarray, int], bytes]] = {
    RLELossless: _rle,
    JPEGLSLossless: _jpeg_ls,
    JPEG2000Lossless: _jpeg_2000,
    JPEGLosslessSV1: _jpeg_lossless,
    HTJ2KLossless: _htj2k,
}
SYNTAXES: tuple[UID, ...] = (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    DeflatedExplicitVRLittleEndian,
    JPEGLosslessSV1,
    RLELossless,
    HTJ2KLossless,
    JPEGLSLossless,
    ImplicitVRLittleEndian,
)
