"""How alike two pictures are, whatever was done to a copy: size, grey levels, mirror, margins.

A picture's local contrast (Jahne 2005, "Digital Image Processing", local normalisation) hardly
changes with window, gamma or compression, and is unlike between patients. Copies cut at the
margins are met by comparing parts of one with the whole of the other: coarsely, at 12 x 12, for
all pairs at once; then, for likely ones, aligned and correlated at full detail.
"""

from dataclasses import dataclass

import cv2
import numpy as np

SIDE, COARSE, MIDDLE = 96, 12, 48
# Shares cut off at each margin that are tried; what lies between is found when aligning.
CUTS = (0.0, 0.06, 0.12)
SPANS = [(start, end) for start in CUTS for end in CUTS]
# Shares cut off at the top, bottom, left and right.
Cut = tuple[float, ...]
PARTS: list[Cut] = [(*rows, *columns) for rows in SPANS for columns in SPANS]
WHOLE: Cut = (0.0, 0.0, 0.0, 0.0)
# Beyond this an aligned part is another picture's; below the middle score no detail will fit.
LEAST_CUT, MOST_CUT, PROMISING = -0.1, 0.25, 0.6


@dataclass(frozen=True)
class Look:
    """Local contrast of one picture, (SIDE, SIDE) int8 each: over wide and narrow surroundings."""

    wide: np.ndarray
    fine: np.ndarray


def looks_of(image: np.ndarray) -> tuple[Look, Look]:
    """Of one plane (H, W): without its dark margin, and without the padding of a letterbox alone.

    Where a mark at the edge was cut away the first differs, where margins were cut the second.
    """
    image = image.astype(np.float32)
    frames = (_content(image), _unpadded(image))
    small = [cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in frames]
    first, second = (Look(_local(one, 9), _local(one, 4)) for one in small)
    return first, second


def _content(image: np.ndarray) -> np.ndarray:
    bright = image > 0.06 * np.percentile(image, 99)
    rows = np.flatnonzero(bright.mean(1) > 0.02)
    columns = np.flatnonzero(bright.mean(0) > 0.02)
    if len(rows) < 8 or len(columns) < 8:
        return image
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _unpadded(image: np.ndarray) -> np.ndarray:
    """Padding is one value, on both sides of one axis, to the same width but for a pixel."""
    for axis in (0, 1):
        lines = np.flatnonzero((image != image[0, 0]).any(1 - axis))
        if len(lines):
            width = min(lines[0], image.shape[axis] - 1 - lines[-1])
            if width > 0:
                return np.take(image, range(width, image.shape[axis] - width), axis)
    return image


def _local(image: np.ndarray, sigma: float) -> np.ndarray:
    detail = image - cv2.GaussianBlur(image, (0, 0), sigma)
    spread = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), sigma))
    # Without a floor the noise of an empty background would count as much as what is shown.
    contrast = np.clip(detail / (spread + 0.15 * detail.std() + 1e-6), -3, 3)
    # Those of all pictures are kept in memory at once; a correlation needs no more than a byte.
    return np.rint(contrast * 42).astype(np.int8)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., D) with mean 0 and length 1, so that a product is a correlation."""
    centred = vectors - vectors.mean(-1, keepdims=True)
    return centred / (np.linalg.norm(centred, axis=-1, keepdims=True) + 1e-9)


def _part(image: np.ndarray, cut: Cut, size: int) -> np.ndarray:
    """A part of the picture at `size` x `size`."""
    top, bottom, left, right = cut
    height, width = image.shape
    down, across = (1 - top - bottom) * height / size, (1 - left - right) * width / size
    shift = (left * width + across / 2 - 0.5, top * height + down / 2 - 0.5)
    affine = np.array([[across, 0, shift[0]], [0, down, shift[1]]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, affine, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def coarse(look: Look) -> np.ndarray:
    """(COARSE^2,) of the whole picture."""
    return unit(_part(_smooth(look.wide, COARSE), WHOLE, COARSE).ravel())


def coarse_parts(look: Look, parts: list[Cut] = PARTS) -> np.ndarray:
    """(2 x parts, COARSE^2) of its parts, and of those of its mirror image."""
    image = _smooth(look.wide, COARSE)
    both = (image, np.ascontiguousarray(image[:, ::-1]))
    return unit(np.array([_part(one, cut, COARSE).ravel() for one in both for cut in parts]))


def _smooth(image: np.ndarray, size: int) -> np.ndarray:
    # Blurred before it is sampled: detail finer than a cell would else fold into it.
    return _blurred(image, SIDE / size / 2.2)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma)


def correlation(one: Look, other: Look, part: int, parts: list[Cut] = PARTS) -> float:
    """Correlation of a part of `one` with `other` in full detail, once aligned.

    `part` is the row of `coarse_parts` to begin at.
    """
    mirrored, number = divmod(part, len(parts))
    cut = parts[number]
    wide, fine = one.wide, one.fine
    if mirrored:
        wide, fine = np.ascontiguousarray(wide[:, ::-1]), np.ascontiguousarray(fine[:, ::-1])
    middle = _Fit(_smooth(wide, MIDDLE), _part(_smooth(other.wide, MIDDLE), WHOLE, MIDDLE))
    best = -1.0
    for step in (0.03, 0.015, 0.0075):
        best, cut = middle.climb(cut, step)
        if best < PROMISING:
            return best
    detailed = _Fit(_blurred(fine, 0.8), _blurred(other.fine, 0.8))
    for step in (0.006, 0.003):
        best, cut = detailed.climb(cut, step, rounds=1)
    return best


class _Fit:
    """Parts of a picture against a target: which cut of its margins fits best."""

    def __init__(self, image: np.ndarray, target: np.ndarray) -> None:
        self.image, self.size = image, len(target)
        self.target = unit(target.ravel())

    def score(self, cut: Cut) -> float:
        part = _part(self.image, cut, self.size).ravel()
        # The same bits as of `unit`, in a third of its time: this is asked 60 times a pair.
        centred = part - np.add.reduce(part) / len(part)
        length = np.sqrt(np.add.reduce(centred * centred))
        return float(centred / (length + 1e-9) @ self.target)

    def climb(self, cut: Cut, step: float, rounds: int = 2) -> tuple[float, Cut]:
        """Move one margin at a time by `step` while that betters the fit."""
        best = self.score(cut)
        for _ in range(rounds):
            before = best
            for margin in range(4):
                for change in (-step, step):
                    share = min(max(cut[margin] + change, LEAST_CUT), MOST_CUT)
                    moved = (*cut[:margin], share, *cut[margin + 1 :])
                    score = self.score(moved)
                    if score > best:
                        best, cut = score, moved
            # A round that betters it less moves below what tells copies from others.
            if best - before < 1e-4:
                break
        return best, cut
