"""CT and MR slices of made-up bodies at five places, with a lesion in some.

A slice is layers of tissue painted one over the other; a modality is a table of greys for tissues.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from phantoms.fields import Shape, ellipse, fractal, generator, grid, soft_step

Layer = tuple[np.ndarray, str]  # how much it covers, float32 (H, W), and its tissue
TISSUES = ("air", "lung", "fat", "muscle", "brain", "organ", "fluid", "vessel", "bone", "marrow")
GREYS = {
    name: dict(zip((*TISSUES, "lesion"), greys, strict=True))
    for name, greys in {
        "CT": (0.0, 0.07, 0.27, 0.50, 0.46, 0.56, 0.36, 0.64, 0.97, 0.74, 0.69),
        "MR T1": (0.0, 0.03, 0.85, 0.36, 0.52, 0.46, 0.15, 0.08, 0.05, 0.66, 0.26),
        "MR T2": (0.0, 0.03, 0.72, 0.24, 0.46, 0.38, 0.95, 0.10, 0.06, 0.55, 0.76),
    }.items()
}


@dataclass(frozen=True)
class Look:
    """How one picture is taken of a body."""

    modality: str  # CT or MR
    location: str  # a name in LOCATIONS
    lesion: bool


def slice_picture(look: Look, body: int, number: int, size: int) -> np.ndarray:
    """One slice as float32 (size, size), 0..1; `body` seeds the anatomy, `number` the slice."""
    rng = generator(body, "slice", number)
    shape = (size, size)
    greys = GREYS["CT" if look.modality == "CT" else f"MR T{rng.integers(1, 3)}"]
    picture = np.zeros(shape, np.float32)
    for cover, tissue in LOCATIONS[look.location](generator(body, "body"), shape):
        grain = 1 + np.float32(0.05) * fractal(rng, shape, 0.06, 3)
        picture += (np.float32(greys[tissue]) * grain - picture) * cover
    if look.lesion:
        place = (float(rng.uniform(0.38, 0.62)), float(rng.uniform(0.34, 0.66)))
        radii = (float(rng.uniform(0.035, 0.07)), float(rng.uniform(0.035, 0.07)))
        cover = soft_step(1 - ellipse(shape, place, radii), 0.6)
        picture += (np.float32(greys["lesion"]) - picture) * cover * np.float32(0.9)
    return _taken(rng, look, _bent(rng, picture))


def _bent(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Turned, scaled, moved and bent a little, as no two bodies lie alike."""
    size = picture.shape[0]
    y, x = grid(picture.shape)
    angle, scale = np.radians(rng.normal(0, 5)), rng.uniform(0.95, 1.2)
    cos, sin = np.float32(np.cos(angle) * scale), np.float32(np.sin(angle) * scale)
    down, right = y - np.float32(0.5), x - np.float32(0.5)
    moved_y, moved_x = np.float32(0.5 + rng.normal(0, 0.015, 2)).tolist()
    bend_y, bend_x = (np.float32(0.012) * fractal(rng, picture.shape, 0.35, 3) for _ in range(2))
    from_y = (down * cos + right * sin + np.float32(moved_y) + bend_y) * size - np.float32(0.5)
    from_x = (right * cos - down * sin + np.float32(moved_x) + bend_x) * size - np.float32(0.5)
    return cv2.remap(picture, from_x, from_y, cv2.INTER_LINEAR)


def _taken(rng: np.random.Generator, look: Look, picture: np.ndarray) -> np.ndarray:
    """CT: noise and the table's edge. MR: uneven coil, blur, noise that is never below 0."""
    shape = picture.shape
    noise = rng.standard_normal(shape, dtype=np.float32)
    if look.modality == "CT":
        y, x = grid(shape)
        sag = y - np.float32(0.955) + np.float32(0.3) * (x - np.float32(0.5)) ** 2
        table = np.clip(1 - np.abs(sag) * shape[0] / np.float32(1.5), 0, 1) * np.float32(0.5)
        window = np.float32(rng.uniform(0.9, 1.15))
        return np.clip(np.maximum(picture, table) * window + noise * np.float32(0.03), 0, 1)
    coil = 1 + np.float32(0.16) * fractal(rng, shape, 0.8, 1)
    blurred = cv2.GaussianBlur(picture, (0, 0), max(0.3, 0.004 * shape[0]))
    gain = np.float32(rng.uniform(0.8, 1.1))
    return np.clip(np.abs(blurred * coil * gain + noise * np.float32(0.035)), 0, 1)


def _solid(shape: Shape, centre: tuple, radii: tuple, turn: float = 0, soft: float = 0.06):
    """An ellipse's cover with an edge `soft` radii wide."""
    return soft_step(1 - ellipse(shape, centre, radii, turn), soft)


def _trunk(rng: np.random.Generator, shape: Shape) -> Iterator[Layer]:
    """Skin fat and muscle wall, shared by the slices across the trunk."""
    tall, wide = float(rng.uniform(0.30, 0.36)), float(rng.uniform(0.42, 0.47))
    fat = float(rng.uniform(0.02, 0.07))
    yield _solid(shape, (0.5, 0.5), (tall, wide)), "fat"
    yield _solid(shape, (0.5, 0.5), (tall - fat, wide - fat)), "muscle"
    yield _solid(shape, (0.49, 0.5), (tall - fat - 0.03, wide - fat - 0.03)), "fat"


def _vertebra(shape: Shape) -> Iterator[Layer]:
    yield _solid(shape, (0.70, 0.5), (0.055, 0.065)), "bone"
    yield _solid(shape, (0.70, 0.5), (0.038, 0.048)), "marrow"
    yield _solid(shape, (0.80, 0.5), (0.05, 0.012)), "bone"
    yield _solid(shape, (0.765, 0.5), (0.018, 0.02)), "fluid"
    for side in (-1, 1):
        yield _solid(shape, (0.79, 0.5 + 0.09 * side), (0.045, 0.06)), "muscle"


def _head(rng: np.random.Generator, shape: Shape) -> Iterator[Layer]:
    tall, wide = float(rng.uniform(0.40, 0.44)), float(rng.uniform(0.33, 0.37))
    for inset, tissue in ((0, "fat"), (0.022, "bone"), (0.05, "fluid")):
        yield _solid(shape, (0.5, 0.5), (tall - inset, wide - inset), soft=0.03), tissue
    brain = _solid(shape, (0.5, 0.5), (tall - 0.062, wide - 0.062))
    yield brain, "brain"
    rim = np.clip((ellipse(shape, (0.5, 0.5), (tall, wide)) - np.float32(0.62)) * 4, 0, 1)
    folds = np.clip(1 - np.abs(fractal(rng, shape, 0.08, 3)) * 2.5, 0, 1)
    yield brain * rim * folds * np.float32(0.7), "fluid"
    _, x = grid(shape)
    yield brain * np.clip(1 - np.abs(x - np.float32(0.5)) * 140, 0, 1), "fluid"
    for side in (-1, 1):
        horn = float(rng.uniform(0.012, 0.03))
        yield _solid(shape, (0.46, 0.5 + 0.055 * side), (0.10, horn), -14 * side), "fluid"


def _thorax(rng: np.random.Generator, shape: Shape) -> Iterator[Layer]:
    yield from _trunk(rng, shape)
    for side in (-1, 1):
        radii = (float(rng.uniform(0.20, 0.23)), float(rng.uniform(0.13, 0.155)))
        yield _solid(shape, (0.48, 0.5 + 0.20 * side), radii, 8 * side), "lung"
        for angle in np.linspace(-2.2, 2.2, 7):
            place = (0.49 + 0.275 * np.sin(angle), 0.5 + side * (0.12 + 0.25 * np.cos(angle)))
            yield _solid(shape, place, (0.014, 0.024), 60 * side * np.sin(angle)), "bone"
    yield _solid(shape, (0.45, 0.53), (0.12, 0.105), 30), "muscle"
    yield _solid(shape, (0.46, 0.54), (0.07, 0.055), 30), "vessel"
    yield from _vertebra(shape)
    yield _solid(shape, (0.62, 0.58), (0.03, 0.03)), "vessel"


def _abdomen(rng: np.random.Generator, shape: Shape) -> Iterator[Layer]:
    yield from _trunk(rng, shape)
    yield _solid(shape, (0.45, 0.30), (0.19, 0.17), -20), "organ"
    yield _solid(shape, (0.53, 0.80), (0.10, 0.06), 20), "organ"
    for _ in range(int(rng.integers(3, 7))):
        place = (float(rng.uniform(0.32, 0.46)), float(rng.uniform(0.48, 0.76)))
        radius = float(rng.uniform(0.025, 0.055))
        yield _solid(shape, place, (radius, radius * 1.2)), "muscle"
        yield _solid(shape, place, (radius * 0.6, radius * 0.8)), "air"
    for side in (-1, 1):
        place = (0.64, 0.5 + 0.19 * side)
        yield _solid(shape, place, (0.075, 0.055), 20 * side), "organ"
        yield _solid(shape, (0.64, 0.5 + 0.17 * side), (0.035, 0.02)), "fat"
    yield from _vertebra(shape)
    yield _solid(shape, (0.60, 0.53), (0.025, 0.025)), "vessel"


def _pelvis(rng: np.random.Generator, shape: Shape) -> Iterator[Layer]:
    yield from _trunk(rng, shape)
    for side in (-1, 1):
        yield _solid(shape, (0.52, 0.5 + 0.29 * side), (0.10, 0.085)), "bone"
        yield _solid(shape, (0.52, 0.5 + 0.29 * side), (0.075, 0.06)), "marrow"
        yield _solid(shape, (0.55, 0.5 + 0.19 * side), (0.13, 0.02), 10 * side), "bone"
        yield _solid(shape, (0.36, 0.5 + 0.22 * side), (0.05, 0.06)), "muscle"
        yield _solid(shape, (0.70, 0.5 + 0.2 * side), (0.06, 0.12), 25 * side), "muscle"
    full = float(rng.uniform(0.06, 0.13))
    yield _solid(shape, (0.44, 0.5), (full + 0.014, full * 1.15 + 0.014)), "muscle"
    yield _solid(shape, (0.44, 0.5), (full, full * 1.15)), "fluid"
    yield _solid(shape, (0.60, 0.5), (0.035, 0.06)), "organ"
    yield _solid(shape, (0.69, 0.5), (0.035, 0.035)), "muscle"
    yield _solid(shape, (0.69, 0.5), (0.015, 0.018)), "air"


def _spine(rng: np.random.Generator, shape: Shape) -> Iterator[Layer]:
    """The one slice from front to back: a column of vertebrae, the canal, the muscles behind."""
    y, x = grid(shape)
    curve = np.float32(0.47) + np.float32(rng.uniform(0.03, 0.06)) * np.sin(y * np.float32(4.5))
    out = x - curve
    yield soft_step(np.float32(0.30) - np.abs(out - 0.03), 0.03) + y * 0, "fat"
    yield soft_step(np.float32(0.10) - np.abs(out - np.float32(0.20)), 0.02) + y * 0, "muscle"
    yield soft_step(np.float32(0.09) - np.abs(out + np.float32(0.19)), 0.02) + y * 0, "organ"
    yield soft_step(np.float32(0.026) - np.abs(out - np.float32(0.095)), 0.01) + y * 0, "fluid"
    yield soft_step(np.float32(0.011) - np.abs(out - np.float32(0.095)), 0.01) + y * 0, "brain"
    pitch = np.float32(rng.uniform(0.10, 0.13))
    phase = np.abs((y / pitch) % 1 - np.float32(0.5))
    block = soft_step(np.float32(0.40) - phase, 0.06)
    column = soft_step(np.float32(0.062) - np.abs(out), 0.012)
    yield column + y * 0, "organ"
    yield column * block, "bone"
    inner = soft_step(np.float32(0.048) - np.abs(out), 0.012)
    yield inner * soft_step(np.float32(0.31) - phase, 0.06), "marrow"
    yield (
        soft_step(np.float32(0.05) - np.abs(out - np.float32(0.18)), 0.02)
        * soft_step(np.float32(0.2) - phase, 0.1),
        "bone",
    )


LOCATIONS: dict[str, Callable[[np.random.Generator, Shape], Iterator[Layer]]] = {
    "Head": _head,
    "Thorax": _thorax,
    "Abdomen": _abdomen,
    "Reproductive and Urinary System": _pelvis,
    "Spine and Muscles": _spine,
}
