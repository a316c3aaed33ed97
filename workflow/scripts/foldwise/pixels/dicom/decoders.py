"""Decoders of compressed DICOM pixels: imagecodecs first, then what else is installed.

The functions `is_available`, `decode_frame` and the table `DECODER_DEPENDENCIES` are what pydicom
asks of a decoding plug-in. pydicom stays in charge of validation, sign and unused bits.
"""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from PIL import Image
from pydicom import uid
from pydicom.pixels import get_decoder

from foldwise.pixels.dicom.codecs import imagecodecs

LABEL = "imagecodecs"
JPEG = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1)
JPEG_LS = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
JPEG_2000 = (uid.JPEG2000Lossless, uid.JPEG2000)
HTJ2K = (uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K)
SYNTAXES = (uid.RLELossless, *JPEG, *JPEG_LS, *JPEG_2000, *HTJ2K)
DECODER_DEPENDENCIES = dict.fromkeys(SYNTAXES, ("imagecodecs",))

# pydicom's own order puts gdcm first, which is 4 times slower on lossless JPEG.
ORDER = (LABEL, "pylibjpeg", "pyjpegls", "gdcm", "pillow", "pydicom")


def is_available(syntax: str) -> bool:
    """Whether imagecodecs was built with the codec of this transfer syntax."""
    codec = {uid.RLELossless: "PACKBITS"}
    codec |= dict.fromkeys(JPEG, "JPEG8") | dict.fromkeys(JPEG_LS, "JPEGLS")
    codec |= dict.fromkeys(JPEG_2000, "JPEG2K") | dict.fromkeys(HTJ2K, "HTJ2K")
    if imagecodecs is None or syntax not in codec:
        return False
    return bool(getattr(imagecodecs, codec[syntax]).available)


def decode_frame(source: bytes, runner: Any) -> np.ndarray:
    """One frame as flat bytes; tells the runner how they lie. Called by pydicom."""
    if runner.transfer_syntax == uid.RLELossless:
        pixels = _decode_rle(source, runner.samples_per_pixel, runner.rows, runner.columns)
        # RLE keeps each colour's plane by itself (PS3.5 G.2), whatever the header says.
        runner.set_option("planar_configuration", 1)
    else:
        pixels = _decode_colour_jpeg(source, runner)
        if pixels is None:
            pixels = decode(source, runner.transfer_syntax)
        colour = (runner.samples_per_pixel,) if runner.samples_per_pixel > 1 else ()
        if pixels.shape != (runner.rows, runner.columns, *colour):
            raise ValueError("the encoded picture has another size than the header says")
        if colour:
            runner.set_option("planar_configuration", 0)
    if runner.photometric_interpretation in ("YBR_RCT", "YBR_ICT"):
        runner.set_option("photometric_interpretation", "RGB")  # the codec has undone it
    runner.set_option("bits_allocated", 8 * pixels.dtype.itemsize)
    return np.ascontiguousarray(pixels).reshape(-1).view(np.uint8)


def decode_grey(
    source: bytes, syntax: str, rows: int, columns: int, bits_allocated: int
) -> np.ndarray | None:
    """An unsigned single-sample frame (rows, columns) without a copy; None if it is not plain.

    pydicom's copy and its shifting of unused bits cost as much as preparing the picture.
    """
    if not is_available(syntax):
        return None
    try:
        if syntax == uid.RLELossless:
            pixels = _decode_rle(source, 1, rows, columns)[0]
        else:
            pixels = decode(source, syntax)
    except Exception:  # each codec has its own errors; pydicom's way tries the other decoders
        return None
    plain = pixels.shape == (rows, columns) and pixels.dtype == f"u{bits_allocated // 8}"
    return pixels if plain else None


def decode_reduced(
    source: bytes, syntax: str, rows: int, columns: int, bits: int, levels: int
) -> np.ndarray | None:
    """A grey JPEG 2000 frame at 1/2^levels of its size, 9-15 bits; None where that cannot be.

    Sample k lies at the centre of pixel 2^levels k.
    """
    size = tuple(-(-length // (1 << levels)) for length in (rows, columns))
    try:
        if syntax in JPEG_2000:
            image = Image.open(io.BytesIO(source), formats=["JPEG2000"])
            image.reduce = levels
            image.load()
            pixels = np.asarray(image) >> (16 - bits)  # Pillow fills 16 bits up from below
        else:
            wrapped = _decode_htj2k(source, levels)
            # OpenJPH wraps what a lower level undershoots: read as signed, it can be cut off at 0.
            pixels = np.clip(wrapped.view(np.int16), 0, (1 << bits) - 1).view(np.uint16)
    except Exception:  # each codec has its own errors; the whole picture is decoded instead
        return None
    return pixels if pixels.shape == size and pixels.dtype == np.uint16 else None


def decode(source: bytes, syntax: str) -> np.ndarray:
    """A codestream of any syntax but RLE as imagecodecs gives it."""
    if syntax in JPEG:
        return imagecodecs.jpeg8_decode(source)
    if syntax in JPEG_LS:
        return imagecodecs.jpegls_decode(source)
    if syntax in JPEG_2000:
        return imagecodecs.jpeg2k_decode(source)
    return _decode_htj2k(source)


def _decode_htj2k(source: bytes, levels: int | None = None) -> np.ndarray:
    """By OpenJPH; lossy streams by OpenJPEG, since OpenJPH does not clip what they overshoot."""
    # The main header is shorter than that; coded data must not be searched for markers.
    head = bytes(source[:4096])
    start = head.find(b"\xff\x52")  # COD: its byte 13 names the wavelet, 0 is the lossy one
    if start < 0 or head[start + 13] == 0:
        if levels:
            raise NotImplementedError("levels of lossy HTJ2K")
        return imagecodecs.jpeg2k_decode(source)
    with raising():
        return imagecodecs.htj2k_decode(source, skipres=levels)


@contextmanager
def raising() -> Iterator[None]:
    """Raise what a C extension reports as an exception that it ignored: the pixels are wrong."""
    ignored: list[Any] = []
    hook, sys.unraisablehook = sys.unraisablehook, ignored.append
    try:
        yield
    finally:
        sys.unraisablehook = hook
    if ignored:
        raise ValueError("the codec stopped before the end")


def _decode_colour_jpeg(source: bytes, runner: Any) -> np.ndarray | None:
    """Colours stay as encoded unless an Adobe marker names them."""
    if runner.transfer_syntax not in JPEG or runner.samples_per_pixel == 1:
        return None
    # Without it libjpeg guesses from component numbers; DICOM's header says what the colours are.
    if b"Adobe\x00" not in source[:4096]:
        return imagecodecs.jpeg8_decode(source, colorspace="YCBCR", outcolorspace="YCBCR")
    pixels = imagecodecs.jpeg8_decode(source, outcolorspace="RGB")
    runner.set_option("photometric_interpretation", "RGB")
    return pixels


def _decode_rle(source: bytes, samples: int, rows: int, columns: int) -> np.ndarray:
    """RLE, PS3.5 annex G: one PackBits segment a byte plane, high bytes first.

    Gives (samples, rows, columns) unsigned of as many bytes as there are planes a sample.
    """
    header = np.frombuffer(source[:64], "<u4")
    planes = int(header[0])
    starts = [*header[1 : planes + 1].tolist(), len(source)]
    segments = [
        np.frombuffer(imagecodecs.packbits_decode(source[start:end]), np.uint8, rows * columns)
        for start, end in pairwise(starts)
    ]
    width = planes // samples
    if planes % samples or width not in (1, 2, 4):
        raise ValueError("the number of RLE segments does not fit the header")
    groups = [segments[first : first + width] for first in range(0, planes, width)]
    # Reversed, since RLE has high bytes first and words here are little-endian.
    joined = [cv2.merge([plane[None] for plane in group[::-1]]) for group in groups]
    return np.stack([plane.view(f"<u{width}").reshape(rows, columns) for plane in joined])


def register() -> None:
    """Make imagecodecs known to pydicom's decoders. May be repeated."""
    for syntax in SYNTAXES:
        decoder = get_decoder(syntax)
        # pydicom refuses a plug-in that it has already.
        if LABEL not in decoder.available_plugins and is_available(syntax):
            # Named by the function itself: a digest of code does not read texts.
            decoder.add_plugin(LABEL, (__name__, decode_frame.__name__))


def plugins(syntax: str) -> list[str]:
    """Installed decoders of one transfer syntax, in the order in which they are tried."""
    register()
    present = get_decoder(syntax).available_plugins
    return [label for label in ORDER if label in present]


def package(syntax: str) -> str:
    """What to install for a transfer syntax: part of an error's text."""
    if syntax not in SYNTAXES:
        return "no package is known for this transfer syntax"
    others = "pylibjpeg-openjpeg" if syntax in (*JPEG_2000, *HTJ2K) else ""
    others = "pyjpegls" if syntax in JPEG_LS else others
    return f"install imagecodecs{f' or {others}' if others else ''}"


def name(syntax: str) -> str:
    """The standard's name of a transfer syntax."""
    return uid.UID(syntax).name
