"""PNG, JPEG, TIFF and PGM files of 1 to 32 bits, as the same Picture that DICOM gives."""

import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from foldwise.pixels import tiff
from foldwise.pixels.jpeg import check_length, check_transformed
from foldwise.pixels.memory import check_size
from foldwise.pixels.picture import Picture, UnreadableImage
from foldwise.pixels.source import Source, bytes_of

MAX_BYTES = 1 << 30
FORMATS = ("PNG", "JPEG", "TIFF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pgm", ".ppm", ".pnm")
Values = Callable[[Image.Image], np.ndarray]
TIFF_STARTS = (b"II*\0", b"MM\0*")
ALPHA = ("LA", "PA", "La", "RGBa", "RGBA")

ORIENTATION = 0x0112
# EXIF 2.32, tag 274: how rows and columns lie in the file; what brings them up.
TURNS = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: np.rot90(pixels),
}


@dataclass(frozen=True)
class Decoded:
    """Upright pixels, how many of their bits are used, and whether 0 is white."""

    pixels: np.ndarray
    bits: int
    white_is_zero: bool = False


def read_picture(source: Source) -> Picture:
    """One picture as (rows, columns) grey or (rows, columns, 3) RGB, as EXIF says that it is looked
    at; alpha lies on black.

    Raises UnreadableImage: missing, not_readable, empty, not_a_picture, truncated, damaged,
    sample_format, many_frames, colour, too_large, out_of_memory.
    """
    return _picture(source, _shown)


def read_mask(source: Source, by_index: bool) -> Picture:
    """As `read_picture`, but for what a picture's look leaves out of a mask.

    `by_index`: a palette's indices instead of its colours. A transparent colour is a value like
    others; alpha counts, and is the mask where it alone varies.
    """
    return _picture(source, _indices if by_index else _mask_values)


def _picture(source: Source, values: Values) -> Picture:
    content = bytes_of(source, MAX_BYTES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            decoded = _decode(content, values)
        except UnreadableImage:
            raise
        except Image.UnidentifiedImageError:
            is_tiff = content[:4] in TIFF_STARTS  # of samples that Pillow has no name for
            raise UnreadableImage("sample_format" if is_tiff else "not_a_picture") from None
        except Image.DecompressionBombError:
            raise UnreadableImage("too_large") from None
        except MemoryError:
            raise UnreadableImage("out_of_memory") from None
        except (OSError, EOFError, SyntaxError, struct.error):  # what Pillow says of missing bytes
            raise UnreadableImage("truncated") from None
        except Exception:  # a broken structure may raise anything
            raise UnreadableImage("damaged") from None
    return _as_picture(decoded)


def _as_picture(decoded: Decoded) -> Picture:
    pixels = decoded.pixels
    # Grey saved as colour is grey: luma would round it, and its digest would be another picture's.
    if pixels.ndim == 3 and (pixels[..., :1] == pixels[..., 1:]).all():
        pixels = pixels[..., 0]
    if pixels.dtype.kind not in "uif" or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise UnreadableImage("colour")
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    grey = "MONOCHROME1" if decoded.white_is_zero else "MONOCHROME2"
    photometric = "RGB" if pixels.ndim == 3 else grey
    return Picture(np.ascontiguousarray(native), photometric, bits_stored=decoded.bits)


def _decode(content: bytes, values: Values) -> Decoded:
    # Named formats only: Pillow's others include readers that run programs (EPS).
    image = Image.open(io.BytesIO(content), formats=FORMATS)
    _check_size(image, content)
    # Which of several would be meant, nobody said: the first one is no better guess than others.
    if getattr(image, "n_frames", 1) > 1:
        raise UnreadableImage("many_frames")
    samples = tiff.samples_of(image) if image.format == "TIFF" else None
    wide = samples.is_wide_colour if samples else _is_wide(image)
    _spread_transparency(image)
    orientation = orientation_of(image)  # loads a PNG, whose EXIF may come last
    if wide:
        pixels = upright(_wide_colour(content, image, samples), orientation)
        return Decoded(pixels, 8 * pixels.dtype.itemsize)
    image.load()
    if image.format == "JPEG":
        check_transformed(content)
    pixels = values(image)
    if samples:  # Pillow has turned it by now
        return _grey_tiff(pixels, samples) if samples.is_grey else Decoded(pixels, 8)
    if image.mode == "I":
        pixels = _narrow(pixels)
    return Decoded(upright(pixels, orientation), 8 * pixels.dtype.itemsize)


def _check_size(image: Image.Image, content: bytes) -> None:
    """Raise for what does not fit into memory, and for more pixels than the bytes can hold."""
    pixels = image.width * image.height
    check_size(pixels * len(image.getbands()), 32 if image.mode in ("I", "F") else 16)
    if image.format == "JPEG":
        check_length(content)
    # Deflate makes at most 1,032 bytes of one.
    if image.format == "PNG" and pixels // 8 > len(content) * 1032:
        raise UnreadableImage("truncated")


def _grey_tiff(pixels: np.ndarray, samples: tiff.Samples) -> Decoded:
    pixels = tiff.as_tagged(pixels, samples)
    bits = samples.bits if samples.bits == 12 else 8 * pixels.dtype.itemsize
    turned = samples.photometric == tiff.WHITE_IS_ZERO and samples.bits > 8
    if turned and pixels.dtype == np.uint16:
        return Decoded(pixels.dtype.type((1 << bits) - 1) - pixels, bits)
    return Decoded(pixels, bits, white_is_zero=turned)


def _is_wide(image: Image.Image) -> bool:
    """Colour of 16 bits, which Pillow would cut to 8; it shows in how the bytes are unpacked."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    args = image.tile[0][3] if image.tile else ""
    raw_mode, *rest = args if isinstance(args, tuple) else (args,)
    return "16" in str(raw_mode) or (image.format == "PPM" and max(rest, default=0) > 255)


def _wide_colour(content: bytes, image: Image.Image, samples: tiff.Samples | None) -> np.ndarray:
    if samples and samples.is_in_planes:
        planes = (Image.open(io.BytesIO(plane)) for plane in tiff.planes(content, image, samples))
        return np.stack([np.asarray(plane) for plane in planes][:3], axis=-1)
    if samples:
        content = tiff.unturned(content, image)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise UnreadableImage("truncated")
    if pixels.dtype.itemsize < 2:
        raise UnreadableImage("sample_format")
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha, top = pixels[..., 3:].astype(np.uint64), np.iinfo(pixels.dtype).max
        # Whole numbers, rounded: as on black, like the narrow kinds in `_shown`.
        pixels = ((pixels[..., :3] * alpha + top // 2) // top).astype(pixels.dtype)
    # OpenCV gives blue first.
    return np.ascontiguousarray(pixels[..., ::-1]) if pixels.ndim == 3 else pixels


def _shown(image: Image.Image) -> np.ndarray:
    """Values as they are seen: on black, where something is transparent."""
    clear = image.info.get("transparency")
    if isinstance(clear, int) and image.mode in ("1", "L", "I", "I;16", "I;16B"):
        pixels = np.array(_plain(image))
        pixels[pixels == clear] = 0
        return pixels
    if image.mode in ALPHA or clear is not None:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
    return np.asarray(_plain(image))


def _spread_transparency(image: Image.Image) -> None:
    """Pillow spreads grey of 1, 2 or 4 bits over eight, but not the value that is transparent."""
    clear = image.info.get("transparency")
    if isinstance(clear, int) and image.mode in ("1", "L") and image.tile:
        image.info["transparency"] = clear * {"1": 255, "L;2": 85, "L;4": 17}.get(
            image.tile[0][3], 1
        )


def _plain(image: Image.Image) -> Image.Image:
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGB") if image.mode in ("P", "CMYK", "YCbCr", "LAB", "HSV") else image


def _indices(image: Image.Image) -> np.ndarray:
    return np.asarray(image) if image.mode == "P" else _mask_values(image)


def _mask_values(image: Image.Image) -> np.ndarray:
    if image.mode not in ALPHA:
        return np.asarray(_plain(image))
    pixels = np.asarray(image.convert("RGBA"))
    colours, alpha = pixels[..., :3], pixels[..., 3]
    if (colours == colours[0, 0]).all() and alpha.min() < alpha.max():
        return alpha
    # All transparent: somebody lost the alpha channel's meaning, and the colours are the mask.
    return np.where(alpha[..., None] > 0, colours, 0) if alpha.any() else colours


def _narrow(pixels: np.ndarray) -> np.ndarray:
    """uint16 where all values fit: that is what the file held."""
    fits = pixels.min() >= 0 and pixels.max() <= 65535
    return pixels.astype(np.uint16) if fits else pixels


def orientation_of(image: Image.Image) -> int:
    """1 to 8; 1 where the file says nothing that has a meaning."""
    orientation = image.getexif().get(ORIENTATION, 1)
    return orientation if orientation in TURNS else 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(rows, columns[, samples]) as it is looked at."""
    return TURNS[orientation](pixels) if orientation in TURNS else pixels
