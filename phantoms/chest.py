"""Chest X-rays of made-up patients: six lung zones, each with an opacity from 0 to 3.

The patient's right lung stands on the left of the picture. Attenuations add up, as in a real film.
"""

from dataclasses import dataclass

import numpy as np

from phantoms.fields import (
    Shape,
    bump,
    drawn_out,
    ellipse,
    fractal,
    generator,
    grid,
    smooth_noise,
    soft_step,
)

ZONES = ("right_sup", "left_sup", "right_mid", "left_mid", "right_inf", "left_inf")
SIDES = {"right": -1, "left": 1}  # where on the picture, from its middle
HEIGHTS = {"sup": 0, "mid": 1, "inf": 2}


@dataclass(frozen=True)
class Chest:
    """One patient's thorax; lengths in units of the picture's height."""

    seed: int
    apex: float  # height at which the lungs begin
    base: float  # height of the diaphragm's domes
    reach: float  # half width of the lungs
    heart: float  # radius of the heart
    tilt: float  # slope of the ribs
    body: float  # attenuation of the soft tissue


def draw_chest(seed: int) -> Chest:
    """Draw the anatomy that belongs to an integer seed."""
    rng = generator(seed, "chest")
    return Chest(
        seed=seed,
        apex=float(rng.uniform(0.10, 0.16)),
        base=float(rng.uniform(0.68, 0.80)),
        reach=float(rng.uniform(0.32, 0.385)),
        heart=float(rng.uniform(0.12, 0.165)),
        tilt=float(rng.uniform(0.25, 0.5)),
        body=float(rng.uniform(0.62, 0.80)),
    )


def film(chest: Chest, opacities: dict[str, float], size: int, day: int = 0) -> np.ndarray:
    """One film as float32 (size, size), 0 (air) to 1; opacities 0..3 by the names in ZONES."""
    shape = (size, size)
    rng = generator(chest.seed, "film", day)
    y, x = grid(shape)
    across = x - np.float32(0.5 + rng.normal(0, 0.008))
    lungs = {side: _lung(chest, y, across * sign) for side, sign in SIDES.items()}
    picture = _soft_tissue(rng, chest, y, across, shape)
    for side, lung in lungs.items():
        picture -= lung * _air(rng, chest, SIDES[side], shape)
    picture += _bones(chest, y, across)
    for zone, opacity in opacities.items():
        picture += _opacity(rng, zone, opacity, lungs, chest, y)
    picture *= _silhouette(chest, y, across)
    shown = 1 - np.exp(-np.float32(rng.uniform(1.1, 1.5)) * np.clip(picture, 0.0, None))
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(rng.uniform(0.008, 0.016))
    return np.clip(shown * np.float32(rng.uniform(1.0, 1.12)) + noise, 0, 1)


def zone_limits(chest: Chest) -> np.ndarray:
    """Heights of the three zones' borders from apex to base, float64 (4,)."""
    return np.linspace(chest.apex, chest.base + 0.02, 4)


def _lung(chest: Chest, y: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Share of lung in each pixel of one side; `out` grows from the middle to that side."""
    t = np.clip((y - chest.apex) / (chest.base - chest.apex), 0, 1)
    outer = np.float32(chest.reach) * np.sin(np.pi / 2 * np.clip(t * 1.15 + 0.02, 0, 1)) ** 0.42
    inner = np.float32(0.055) + np.float32(0.05) * (1 - t) ** 4
    dome = np.float32(chest.base) + np.float32(2.6) * (out - np.float32(0.17)) ** 2
    inside = soft_step(outer - out, 0.02) * soft_step(out - inner, 0.03)
    return inside * soft_step(dome - y, 0.02) * soft_step(y - np.float32(chest.apex), 0.03)


def _silhouette(chest: Chest, y: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Neck, shoulders and trunk against the air beside them."""
    shoulder = soft_step(y - np.float32(chest.apex - 0.02), 0.16)
    half = np.float32(0.13) + shoulder * np.float32(chest.reach - 0.03)
    arms = soft_step(y - np.float32(chest.apex + 0.02), 0.05) * np.float32(0.5)
    flare = np.float32(0.05) * soft_step(y - np.float32(0.5), 0.9)
    return np.maximum(
        soft_step(half + flare - np.abs(across), 0.05),
        np.float32(0.8) * soft_step(half * arms * 2 + np.float32(0.04) - np.abs(across), 0.12),
    )


def _soft_tissue(
    rng: np.random.Generator, chest: Chest, y: np.ndarray, across: np.ndarray, shape: Shape
) -> np.ndarray:
    """Muscle and fat, the mediastinum with the spine, the belly, the windpipe."""
    body = chest.body * (1 + np.float32(0.05) * fractal(rng, shape, 0.2, 4))
    trunk = np.float32(0.38) * bump(across, 0.07) + np.float32(0.10) * bump(across, 0.2)
    # Heart and vessels lie before the spine: the denser of both sets the shade.
    middle = np.maximum(trunk, _heart(chest, shape)) + np.float32(0.10) * bump(across, 0.03)
    vertebra = np.float32(0.05) * np.cos(y * np.float32(2 * np.pi / 0.052)) * bump(across, 0.032)
    belly = np.float32(0.45) * soft_step(y - np.float32(chest.base - 0.02), 0.25)
    windpipe = np.float32(0.2) * bump(across, 0.016) * soft_step(np.float32(0.3) - y, 0.1)
    return body + middle + vertebra + belly - windpipe


def _air(rng: np.random.Generator, chest: Chest, sign: int, shape: Shape) -> np.ndarray:
    """What a lung takes off, less its vessels, which branch from the hilum."""
    hilum = (0.42, 0.5 + 0.075 * sign)
    fine = np.abs(drawn_out(rng, shape, hilum, 0.10, sign))
    coarse = np.abs(drawn_out(rng, shape, hilum, 0.28, sign))
    near = bump(ellipse(shape, hilum, (0.24, 0.20)), 1.0)
    vessels = np.clip(1 - fine * 3.2, 0, 1) * 0.10 + np.clip(1 - coarse * 5, 0, 1) * 0.16
    root = np.float32(0.16) * bump(ellipse(shape, hilum, (0.07, 0.035)), 1.0)
    return np.float32(chest.body * 0.80) - near * vessels.astype(np.float32) - root


def _bones(chest: Chest, y: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Nine ribs a side, seen twice: behind, falling outwards, and fainter in front; collarbones."""
    out = np.abs(across)
    wall = np.float32(chest.reach + 0.022) * np.clip((y - chest.apex + 0.05) / 0.3, 0, 1) ** 0.4
    cage = soft_step(wall - out, 0.02) * soft_step(out - np.float32(0.03), 0.04)
    behind = y - np.float32(chest.tilt) * out + np.float32(0.9) * out**2
    front = y + np.float32(0.75 * chest.tilt) * out - np.float32(0.2)
    rows = soft_step(y - np.float32(chest.apex - 0.04), 0.04) * soft_step(0.88 - y, 0.1)
    ribs = np.float32(0.11) * _bands(behind, 0.078) + np.float32(0.05) * _bands(front, 0.085)
    fall = np.float32(chest.apex + 0.06) - np.float32(0.22) * out
    collar = np.float32(0.15) * bump(y - fall, 0.014) * soft_step(out - np.float32(0.04), 0.03)
    return ribs * cage * rows + collar * soft_step(np.float32(0.36) - out, 0.05)


def _bands(height: np.ndarray, spacing: float) -> np.ndarray:
    """Bands every `spacing`, a third as wide, brighter along both edges like hollow bones."""
    from_middle = np.abs((height / np.float32(spacing)) % 1 - np.float32(0.5))
    filled = soft_step(np.float32(0.19) - from_middle, 0.05)
    return filled * (np.float32(0.65) + np.float32(0.5) * bump(from_middle - 0.15, 0.05))


def _heart(chest: Chest, shape: Shape) -> np.ndarray:
    """The heart, most of it on the patient's left, and the arch of the aorta."""
    low = chest.base - 0.5 * chest.heart
    left = ellipse(shape, (low - 0.03, 0.55), (chest.heart * 0.85, chest.heart * 1.2), 38)
    right = ellipse(shape, (low - 0.01, 0.475), (chest.heart * 0.85, chest.heart * 0.6))
    arch = ellipse(shape, (chest.apex + 0.17, 0.535), (0.055, 0.045))
    solid = np.maximum(soft_step(1 - left, 0.22), soft_step(1 - right, 0.3))
    return np.float32(0.52) * np.maximum(solid, soft_step(1 - arch, 0.5))


def _opacity(
    rng: np.random.Generator,
    zone: str,
    opacity: float,
    lungs: dict[str, np.ndarray],
    chest: Chest,
    y: np.ndarray,
) -> np.ndarray:
    """Haze of a zone: nothing, threads, patches, then solid; the more, the denser."""
    side, height = zone.split("_")
    shape = lungs[side].shape
    limits = zone_limits(chest)
    top, low = (np.float32(v) for v in limits[HEIGHTS[height] : HEIGHTS[height] + 2])
    ragged = np.float32(0.022) * smooth_noise(rng, shape, 0.15)
    band = soft_step(y - top + ragged, 0.08) * soft_step(low - y - ragged, 0.08)
    grain = np.clip(fractal(rng, shape, 0.035, 3), 0, None) * np.float32(0.07)
    patches = soft_step(fractal(rng, shape, 0.16, 5) + np.float32(1.0 * opacity - 1.9), 3.0)
    amount = patches * np.float32(0.12 + 0.12 * opacity) + grain * min(opacity, 1.5)
    return lungs[side] * band * amount * soft_step(np.array(opacity - 0.15), 0.6)
