"""Micrographs of made-up bead specimens and their masks.

The light falls unevenly by more than the faint beads absorb, and dust looks like a bead: one
threshold for the whole picture finds little.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from phantoms.fields import Shape, bump, fractal, generator, grid, soft_step


@dataclass(frozen=True)
class Specimen:
    """One preparation under one microscope; lengths in units of the micrograph's height."""

    seed: int
    beads: int  # on one micrograph
    radius: float  # of a bead, typically
    clumping: float  # share of beads that lie beside another
    contrast: float  # how much light a typical bead takes
    light: float  # grey of the background
    slope: float  # fall of the light across the picture
    tint: tuple[float, float, float]  # blue, green, red
    focus: float  # blur of the optics


def draw_specimen(seed: int) -> Specimen:
    """Draw the specimen that belongs to an integer seed; dilutions differ thirtyfold."""
    rng = generator(seed, "specimen")
    return Specimen(
        seed=seed,
        beads=int(np.exp(rng.uniform(np.log(14), np.log(420)))),
        radius=float(rng.uniform(0.011, 0.018)),
        clumping=float(rng.uniform(0.1, 0.6)),
        contrast=float(rng.uniform(0.20, 0.42)),
        light=float(rng.uniform(0.55, 0.80)),
        slope=float(rng.uniform(0.20, 0.50)),
        tint=tuple(float(v) for v in rng.uniform(0.88, 1.0, 3)),
        focus=float(rng.uniform(0.0010, 0.0028)),
    )


def micrograph(specimen: Specimen, size: int, number: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Picture float32 (size, size, 3), blue first, 0..1, and mask uint8 (size, size), 0 or 255."""
    rng = generator(specimen.seed, "micrograph", number)
    shape = (size, size)
    absorbed, glow, mask = _beads(rng, specimen, size)
    light = _illumination(rng, specimen, shape) * (1 + 0.035 * fractal(rng, shape, 0.03, 3))
    grey = light * (1 - absorbed) * (1 - _dust(rng, specimen, shape)) + glow
    blur = max(0.4, specimen.focus * size)
    grey = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), blur)
    grey += rng.standard_normal(shape, dtype=np.float32) * np.float32(0.012)
    # Beads scatter blue: their rims are a little warmer than the field.
    warm = np.array([-0.10, 0.0, 0.08], np.float32) * absorbed[..., None]
    picture = grey[..., None] * (np.array(specimen.tint, np.float32) + warm)
    return np.clip(picture, 0, 1), mask


def _places(rng: np.random.Generator, specimen: Specimen) -> np.ndarray:
    """Centres (beads, 2) and radii of the beads: float64 (beads, 3) of y, x, r."""
    places = np.empty((specimen.beads, 3))
    for bead in range(specimen.beads):
        radius = specimen.radius * float(np.exp(rng.normal(0, 0.16)))
        centre = rng.uniform(0, 1, 2)
        if bead and rng.uniform() < specimen.clumping:
            neighbour = places[rng.integers(0, bead)]
            angle = rng.uniform(0, 2 * np.pi)
            away = (neighbour[2] + radius) * rng.uniform(0.92, 1.1)
            centre = neighbour[:2] + away * np.array([np.sin(angle), np.cos(angle)])
        places[bead] = *centre, radius
    return places


def _beads(
    rng: np.random.Generator, specimen: Specimen, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the beads absorb and where they glow, float32 (size, size), and the mask."""
    absorbed, glow = np.zeros((2, size, size), np.float32)
    mask = np.zeros((size, size), np.uint8)
    for y, x, radius in _places(rng, specimen) * size:
        strength = specimen.contrast * float(rng.uniform(0.45, 1.35))
        core = float(rng.uniform(0, 0.5)) * strength
        window = _window(y, x, 2.4 * radius, size)
        if window is None:
            continue
        rows, columns = np.mgrid[window].astype(np.float32)
        away = np.hypot(rows + 0.5 - y, columns + 0.5 - x) / np.float32(radius)
        shade = np.hypot(rows + 0.5 - y - 0.5 * radius, columns + 0.5 - x - 0.5 * radius) / radius
        body = soft_step(1 - away, 0.35) * np.float32(strength)
        soft_shadow = np.float32(0.35 * strength) * bump(shade, 1.1)
        absorbed[window] = np.maximum(absorbed[window], np.maximum(body, soft_shadow))
        shine = np.float32(core) * bump(away, 0.45) + np.float32(0.07) * bump(away - 1.25, 0.22)
        glow[window] = np.maximum(glow[window], shine)
        mask[window][away <= 1] = 255
    return absorbed, glow, mask


def _window(y: float, x: float, reach: float, size: int) -> tuple[slice, slice] | None:
    """The part of the picture within `reach` of a point, or None outside the picture."""
    limits = [(max(0, int(v - reach)), min(size, int(v + reach) + 2)) for v in (y, x)]
    if any(low >= high for low, high in limits):
        return None
    return slice(*limits[0]), slice(*limits[1])


def _illumination(rng: np.random.Generator, specimen: Specimen, shape: Shape) -> np.ndarray:
    """Light that falls off to one side and to the corners, with slow unevenness."""
    y, x = grid(shape)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (y - 0.5) * np.float32(np.sin(angle)) + (x - 0.5) * np.float32(np.cos(angle))
    corners = (y - 0.5) ** 2 + (x - 0.5) ** 2
    uneven = np.float32(0.06) * fractal(rng, shape, 0.5, 2)
    falls = 1 - np.float32(specimen.slope) * (ramp + np.float32(0.7) * corners) + uneven
    return np.float32(specimen.light) * falls


def _dust(rng: np.random.Generator, specimen: Specimen, shape: Shape) -> np.ndarray:
    """Specks and threads that are no beads: what they absorb."""
    canvas = np.zeros(shape, np.uint8)
    for _ in range(int(rng.integers(3, 12))):
        centre = rng.uniform(0, 1, 2)
        steps = rng.normal(0, specimen.radius * rng.uniform(0.5, 2.0), (4, 2)).cumsum(axis=0)
        points = np.rint((centre + steps) * shape[0] * 16).astype(np.int32)[:, None, :]
        thick = max(1, round(specimen.radius * shape[0] * float(rng.uniform(0.2, 0.6))))
        cv2.polylines(canvas, [points], False, int(rng.integers(60, 255)), thick, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(canvas, (0, 0), 1.0).astype(np.float32) / 255 * np.float32(0.35)
