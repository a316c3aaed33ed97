"""Decoders of compressed DICOM pixels: imagecodecs first, then what else is installed.

The functions `is_available`, `decode_frame` and the table `DECODER_DEPENDENCIES` are what pydicom
asks of a decoding plug-in. pydicom stays in charge of validation, sign and unused bits.
"""

from typing import Any

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.pixels import get_decoder

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
    return syntax in codec and bool(getattr(imagecodecs, codec[syntax]).available)


def decode_frame(source: bytes, runner: Any) -> np.ndarray:
    """One frame as flat bytes, colour by pixel; tells the runner the container's bits."""
    syntax = runner.transfer_syntax
    if syntax == uid.RLELossless:
        return _decode_rle(source, runner)
    if syntax in JPEG:
        pixels = _decode_jpeg(source, runner)
    elif syntax in JPEG_LS:
        pixels = imagecodecs.jpegls_decode(source)
    elif syntax in JPEG_2000:
        pixels = imagecodecs.jpeg2k_decode(source)
    else:
        pixels = _decode_htj2k(source)
    colour = (runner.samples_per_pixel,) if runner.samples_per_pixel > 1 else ()
    if pixels.shape != (runner.rows, runner.columns, *colour):
        raise ValueError("the encoded picture has another size than the header says")
    runner.set_option("bits_allocated", 8 * pixels.dtype.itemsize)
    if colour:
        runner.set_option("planar_configuration", 0)
    if runner.photometric_interpretation in ("YBR_RCT", "YBR_ICT"):
        runner.set_option("photometric_interpretation", "RGB")  # the codec has undone it
    return np.ascontiguousarray(pixels).reshape(-1).view(np.uint8)


def _decode_htj2k(source: bytes) -> np.ndarray:
    """OpenJPH does not clip what lossy coding puts outside the range: left to OpenJPEG."""
    start = source.find(b"\xff\x52")  # COD: its byte 13 names the wavelet, 0 is the lossy one
    if start < 0 or source[start + 13] == 0:
        raise NotImplementedError("lossy HTJ2K")
    return imagecodecs.htj2k_decode(source)


def _decode_jpeg(source: bytes, runner: Any) -> np.ndarray:
    """JPEG of all processes. Colours stay as encoded unless an Adobe marker names them."""
    if runner.samples_per_pixel == 1:
        return imagecodecs.jpeg8_decode(source)
    if b"Adobe\x00" in source[:4096]:
        pixels = imagecodecs.jpeg8_decode(source, outcolorspace="RGB")
        runner.set_option("photometric_interpretation", "RGB")
        return pixels
    return imagecodecs.jpeg8_decode(source, colorspace="YCBCR", outcolorspace="YCBCR")


def _decode_rle(source: bytes, runner: Any) -> np.ndarray:
    """RLE, PS3.5 annex G: one PackBits segment a byte plane, the high byte first."""
    header = np.frombuffer(source[:64], "<u4")
    pixels, width = runner.rows * runner.columns, runner.bits_allocated // 8
    planes = runner.samples_per_pixel * width
    if header[0] != planes:
        raise ValueError("the number of RLE segments does not fit the header")
    ends = [*header[2 : planes + 1], len(source)]
    frame = np.empty((runner.samples_per_pixel, pixels, width), np.uint8)
    for plane, (start, end) in enumerate(zip(header[1 : planes + 1], ends, strict=True)):
        segment = imagecodecs.packbits_decode(source[start:end])
        if len(segment) < pixels:
            raise ValueError("an RLE segment is too short")
        sample, byte = divmod(plane, width)
        frame[sample, :, width - 1 - byte] = np.frombuffer(segment, np.uint8, pixels)
    runner.set_option("planar_configuration", 1)
    return frame.reshape(-1)


def register() -> None:
    """Make imagecodecs known to pydicom's decoders. May be repeated."""
    for syntax in SYNTAXES:
        decoder = get_decoder(syntax)
        if LABEL not in decoder.available_plugins and is_available(syntax):
            decoder.add_plugin(LABEL, (__name__, "decode_frame"))


def plugins(syntax: str) -> list[str]:
    """Installed decoders of one transfer syntax, in the order in which they are tried."""
    register()
    present = get_decoder(syntax).available_plugins
    return [label for label in ORDER if label in present]


def package(syntax: str) -> str:
    """What to install for a transfer syntax: part of an error's text."""
    if syntax not in SYNTAXES:
        return "no package is known for this transfer syntax"
    return f"install imagecodecs, which reads {uid.UID(syntax).name}"
