"""A digest of what a picture shows, whatever file it came in."""

import hashlib

import numpy as np

from foldwise.pixels.percentiles import extremes
from foldwise.pixels.picture import Picture
from foldwise.pixels.window import inverted, modality, rises, unsigned


def pixel_digest(picture: Picture) -> str:
    """SHA-256 of the modality values above their minimum, bright = high, padding as dark as that.

    Equal for the same picture in another lossless encoding, polarity, rescaling or container; but
    not for one that JPEG 2000 levels were left out of.
    """
    if picture.is_integer and abs(picture.slope) == 1 and not picture.modality_lut:
        above = _above(picture)
    else:
        values = modality(picture, inverted(picture, picture.stored))
        darkest = values.min() if picture.padding is None else values[~picture.padding].min()
        above = values - darkest
        if picture.padding is not None:
            above[picture.padding] = 0
        # Whole numbers as integers: the same picture with and without a rescale by 1 agree.
        if (above == np.rint(above)).all() and above.max() < 1 << 32:
            above = above.astype(np.uint32)
    top = above.max()
    # The narrowest type that fits: 8-bit values in words of 16 are the same picture.
    kinds = [kind for kind in ("u1", "<u2", "<u4") if top <= np.iinfo(kind).max]
    kind = kinds[0] if kinds and above.dtype.kind == "u" else "<f8"
    sha256 = hashlib.sha256(f"{above.shape} {kind}\n".encode())
    sha256.update(np.ascontiguousarray(above.astype(kind, copy=False)))
    return sha256.hexdigest()


def _above(picture: Picture) -> np.ndarray:
    """Distance from the darkest value; unsigned arithmetic wraps to the right result."""
    low, high = extremes(picture.seen)
    codes = unsigned(picture.stored)
    if rises(picture):
        darkest = unsigned(np.asarray(low))
        above = codes - darkest if darkest else codes
    else:
        above = unsigned(np.asarray(high)) - codes
    return (
        above if picture.padding is None else np.where(picture.padding, above.dtype.type(0), above)
    )
