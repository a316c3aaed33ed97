"""PNG, JPEG, TIFF and PGM files of 1, 8 or 16 bits, as the same Picture that DICOM gives."""

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from foldwise.pixels.picture import Picture, UnreadableImage, size_of

MAX_BYTES = 1 << 30
FORMATS = ("PNG", "JPEG", "TIFF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pgm", ".ppm", ".pnm")


def read_picture(path: str | Path) -> Picture:
    """One picture as (rows, columns) grey or (rows, columns, 3) RGB; alpha lies on black.

    Raises UnreadableImage: missing, not_readable, empty, not_a_picture, truncated, many_frames,
    colour, too_large, out_of_memory.
    """
    size_of(path, MAX_BYTES)
    try:
        pixels = _decode(Path(path).read_bytes())
    except MemoryError:
        raise UnreadableImage("out_of_memory") from None
    except OSError:
        raise UnreadableImage("not_readable") from None
    photometric = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    return Picture(pixels, photometric, bits_stored=8 * pixels.dtype.itemsize)


def _decode(content: bytes) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            if getattr(image, "n_frames", 1) > 1:
                raise UnreadableImage("many_frames")
            return _wide_colour(content) if _is_wide(image) else _array(image)
    except UnreadableImage:
        raise
    except Image.UnidentifiedImageError:
        raise UnreadableImage("not_a_picture") from None
    except Image.DecompressionBombError:
        raise UnreadableImage("too_large") from None
    except MemoryError:
        raise UnreadableImage("out_of_memory") from None
    except Exception:  # Pillow raises OSError, SyntaxError, ValueError, struct.error and more
        raise UnreadableImage("truncated") from None


def _is_wide(image: Image.Image) -> bool:
    """Colour of 16 bits, which Pillow would cut to 8; it shows in how the bytes are unpacked."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    args = image.tile[0][3] if image.tile else ""
    raw_mode, *rest = args if isinstance(args, tuple) else (args,)
    return "16" in str(raw_mode) or (image.format == "PPM" and max(rest, default=0) > 255)


def _wide_colour(content: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise UnreadableImage("truncated")
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha, top = pixels[..., 3:].astype(np.uint64), np.iinfo(pixels.dtype).max
        pixels = ((pixels[..., :3] * alpha + top // 2) // top).astype(pixels.dtype)
    return np.ascontiguousarray(pixels[..., ::-1]) if pixels.ndim == 3 else pixels


def _array(image: Image.Image) -> np.ndarray:
    image.load()
    if image.mode in ("LA", "PA", "La", "RGBa", "RGBA") or "transparency" in image.info:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
    elif image.mode in ("1",):
        image = image.convert("L")
    elif image.mode in ("P", "CMYK", "YCbCr", "LAB", "HSV"):
        image = image.convert("RGB")
    pixels = np.asarray(image)
    if image.mode == "I":  # 16 bits in a wider container
        pixels = _narrow(pixels)
    if image.mode.startswith("I;16") and image.format == "TIFF" and _white_is_zero(image):
        pixels = 65535 - pixels  # Pillow turns 8 bits, not 16
    if pixels.ndim == 3 and (pixels[..., :1] == pixels[..., 1:]).all():
        pixels = pixels[..., 0]
    if pixels.dtype.kind not in "uif" or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise UnreadableImage("colour")
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


def _white_is_zero(image: Image.Image) -> bool:
    return image.tag_v2.get(262) == 0


def _narrow(pixels: np.ndarray) -> np.ndarray:
    """uint16 where all values fit: that is what the file held."""
    fits = pixels.min() >= 0 and pixels.max() <= 65535
    return pixels.astype(np.uint16) if fits else pixels
