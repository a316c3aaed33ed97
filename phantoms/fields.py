"""Random fields and soft shapes from which all made-up pictures are put together.

Pictures are float32 arrays (height, width). Lengths are given as shares of the picture's height,
so that one phantom looks the same at any size.
"""

import cv2
import numpy as np

from foldwise.hashing import stream_seed

Shape = tuple[int, int]


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A random generator for one named stream of an integer seed."""
    return np.random.default_rng(stream_seed(seed, *names))


def grid(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres (y, x), float32 (H, 1) and (1, W), both in units of the height."""
    height, width = shape
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    x = (np.arange(width, dtype=np.float32) + 0.5) / height
    return y[:, None], x[None, :]


def smooth_noise(rng: np.random.Generator, shape: Shape, cell: float) -> np.ndarray:
    """Gaussian noise of mean 0 and deviation about 1 whose lumps are `cell` heights wide."""
    return fractal(rng, shape, cell, octaves=1)


def fractal(
    rng: np.random.Generator, shape: Shape, cell: float, octaves: int = 4, roughness: float = 0.55
) -> np.ndarray:
    """Sum of smooth noises, each half as coarse and `roughness` times as strong; deviation 1.

    Every octave is drawn on its own coarse grid and the sum is enlarged from grid to grid, so
    that the cost hardly depends on the number of octaves.
    """
    weights = (roughness ** np.arange(octaves)).astype(np.float32)
    total = None
    for octave, weight in enumerate(weights / np.sqrt((weights**2).sum())):
        step = max(1.0, cell * shape[0] / 2 ** (octave + 1))
        size = [int(np.ceil(n / step)) + 4 for n in shape]
        noise = weight * _coarse_noise(rng, size)
        total = noise if total is None else _enlarged(total, size) + noise
    # The grid is larger than the picture, which starts somewhere in its first cells.
    full = _enlarged(total, [round(n * step) for n in size])
    top, left = (int(rng.integers(0, max(1, int(2 * step)))) for _ in range(2))
    return full[top : top + shape[0], left : left + shape[1]]


def _coarse_noise(rng: np.random.Generator, size: list[int]) -> np.ndarray:
    sigma = 0.9
    values = cv2.GaussianBlur(rng.standard_normal(size, dtype=np.float32), (0, 0), sigma)
    # A blur by sigma leaves 1 / (2 sigma sqrt(pi)) of white noise's deviation.
    return values * np.float32(2 * sigma * np.sqrt(np.pi))


def _enlarged(values: np.ndarray, size: list[int]) -> np.ndarray:
    if list(values.shape) == list(size):
        return values
    return cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)


def drawn_out(
    rng: np.random.Generator,
    shape: Shape,
    origin: tuple[float, float],
    fineness: float,
    facing: int = -1,
) -> np.ndarray:
    """Noise drawn out along lines that meet near `origin` (y, x), as ducts and vessels are.

    `fineness` is the angle between lines in radians, about; along a line it changes much slower.
    The lines fan out to the left (`facing` -1) or to the right (1) of the origin.
    """
    y, x = grid(shape)
    down, away = y - np.float32(origin[0]), (x - np.float32(origin[1])) * facing + np.float32(0.1)
    bend = np.float32(0.04) * fractal(rng, shape, 0.22, 4, 0.5)
    angle, radius = np.arctan2(down + bend, np.abs(away)), np.hypot(down, away) + bend
    # The sheet's rows are angles from -pi/2 to pi/2, its columns distances from the origin.
    sheet = cv2.resize(fractal(rng, (768, 56), fineness / np.pi, 3), (256, 768))
    at_row = angle * np.float32(767 / np.pi) + np.float32(383.5)
    at_column = radius * np.float32(220)
    return cv2.remap(sheet, at_column, at_row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def soft_step(value: np.ndarray, width: float) -> np.ndarray:
    """0 far below zero, 1 far above it, with a smooth slope `width` wide between."""
    t = np.clip(value / np.float32(width) + np.float32(0.5), 0, 1)
    return t * t * (3 - 2 * t)


def bump(value: np.ndarray, width: float) -> np.ndarray:
    """A bell exp(-(value / width)^2): 1 at zero."""
    return np.exp(-np.square(value / np.float32(width)))


def ellipse(
    shape: Shape, centre: tuple[float, float], radii: tuple[float, float], turn_deg: float = 0.0
) -> np.ndarray:
    """Distance from `centre` (y, x) in units of the radii: 1 on the ellipse's edge.

    `turn_deg` turns the ellipse clockwise as seen on the screen.
    """
    y, x = grid(shape)
    down, right = y - np.float32(centre[0]), x - np.float32(centre[1])
    cos, sin = np.float32(np.cos(np.radians(turn_deg))), np.float32(np.sin(np.radians(turn_deg)))
    along, across = right * cos + down * sin, down * cos - right * sin
    return np.sqrt((across / np.float32(radii[0])) ** 2 + (along / np.float32(radii[1])) ** 2)


def distance_inside(mask: np.ndarray) -> np.ndarray:
    """Distance of each pixel of `mask` to the nearest pixel outside, in units of the height."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] / np.float32(mask.shape[0])


def levels(picture: np.ndarray, bits: int) -> np.ndarray:
    """Round a picture of values 0..1 to unsigned integers of `bits` stored bits."""
    top = 2**bits - 1
    return np.rint(np.clip(picture, 0, 1) * top).astype(np.uint8 if bits <= 8 else np.uint16)
