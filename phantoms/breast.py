"""Mammograms of made-up breasts: a phantom per patient, four films of it per exam.

The amount of fibroglandular tissue is a number from 0 (all fat) to 1 (extremely dense). With it
changes the structure: strands, then islands, then lumps, then one bright mass. Brightness and
contrast vary more between patients than between neighbouring classes, so that the mean grey value
says little.
"""

from dataclasses import dataclass

import numpy as np

from phantoms.fields import (
    Shape,
    bump,
    distance_inside,
    drawn_out,
    fractal,
    generator,
    grid,
    smooth_noise,
    soft_step,
)


@dataclass(frozen=True)
class Breast:
    """One patient's anatomy and habits of exposure; lengths in units of the film's height."""

    seed: int
    density: float  # 0..1, what the class is read from
    depth: float  # chest wall to nipple
    half_height: float
    nipple: float  # share of the height at which the nipple stands
    fat: float  # grey of fat, 0..1
    gain: float  # contrast of the gland against it
    margin: float  # how far in the film darkens towards the skin
    muscle: float  # how far down the pectoral muscle reaches


def draw_breast(seed: int, density: float) -> Breast:
    """Draw the anatomy that belongs to an integer seed."""
    rng = generator(seed, "breast")
    return Breast(
        seed=seed,
        density=float(np.clip(density, 0, 1)),
        depth=float(rng.uniform(0.36, 0.56)),
        half_height=float(rng.uniform(0.41, 0.485)),
        nipple=float(rng.uniform(0.54, 0.64)),
        fat=float(rng.uniform(0.26, 0.40)),
        gain=float(rng.uniform(0.28, 0.42)),
        margin=float(rng.uniform(0.05, 0.16)),
        muscle=float(rng.uniform(0.40, 0.72)),
    )


def film(breast: Breast, view: str, side: str, shape: Shape, exam: int = 0) -> np.ndarray:
    """One film as float32 (H, W), 0 (air) to 1; `view` is CC or MLO, `side` is L or R.

    Left breasts hang to the right of the picture, right ones to the left, as on a reader's wall.
    """
    rng = generator(breast.seed, "film", exam, view, side)
    edge = _skin_edge(rng, breast, view, shape)
    y, x = grid(shape)
    nipple = (_nipple_height(breast, view), float(edge.max()))
    bump_radius = float(rng.uniform(0.012, 0.019))
    off = np.hypot(y - np.float32(nipple[0]), x - np.float32(nipple[1] - 0.1 * bump_radius))
    mask = (x < edge[:, None]) | (off < bump_radius)
    depth = distance_inside(mask)
    picture = _tissue(rng, breast, nipple, depth, shape)
    picture += np.float32(0.12) * bump(off, bump_radius)
    if view == "MLO":
        picture = _with_muscle(rng, breast, picture, shape)
    picture *= soft_step(depth - np.float32(1.5 / shape[0]), 3 / shape[0])
    picture = _exposed(rng, picture, mask)
    return np.ascontiguousarray(picture if side == "L" else picture[:, ::-1])


def _nipple_height(breast: Breast, view: str) -> float:
    return breast.nipple if view == "MLO" else 0.5 + 0.2 * (breast.nipple - 0.58)


def _skin_edge(rng: np.random.Generator, breast: Breast, view: str, shape: Shape) -> np.ndarray:
    """Distance of the skin from the chest wall for each row, float32 (H,)."""
    y = grid(shape)[0][:, 0]
    peak = _nipple_height(breast, view)
    outline = _mlo_outline if view == "MLO" else _cc_outline
    edge = outline(rng, y, peak, breast)
    for wave in (1, 2, 3):
        edge += 0.004 * np.sin(np.pi * wave * (y * 2 + rng.uniform(0, 2))) * (edge > 0.03)
    return edge.astype(np.float32)


def _cc_outline(rng: np.random.Generator, y: np.ndarray, peak: float, breast: Breast) -> np.ndarray:
    half = np.where(y < peak, rng.uniform(0.95, 1.05), rng.uniform(0.95, 1.05)) * breast.half_height
    t = np.abs(y - peak) / half
    return breast.depth * np.clip(1 - t ** rng.uniform(2.0, 2.5), 0, 1) ** rng.uniform(0.52, 0.64)


def _mlo_outline(
    rng: np.random.Generator, y: np.ndarray, peak: float, breast: Breast
) -> np.ndarray:
    """Above the nipple the skin swings out from the armpit, below it closes as a half ellipse."""
    armpit = breast.depth * rng.uniform(0.5, 0.75)
    swing = np.clip(y / peak, 0, 1) ** rng.uniform(1.3, 2.0)
    swing = swing * swing * (3 - 2 * swing) * 0.5 + np.sin(np.pi / 2 * swing) * 0.5
    above = armpit + (breast.depth - armpit) * swing
    fold = min(0.95, peak + 0.75 * breast.half_height)
    t = np.clip((y - peak) / (fold - peak), 0, 1)
    below = breast.depth * np.clip(1 - t**2.4, 0, 1) ** 0.55
    belly = rng.uniform(0.03, 0.10) * soft_step(y - np.float32(fold - 0.035), 0.07)
    return np.where(y < peak, above, np.maximum(below, belly))


def _tissue(
    rng: np.random.Generator,
    breast: Breast,
    nipple: tuple[float, float],
    depth: np.ndarray,
    shape: Shape,
) -> np.ndarray:
    """Fat, gland, strands, vessels and skin."""
    # Compressed breasts are thin near the skin: the beam meets less there.
    thickness = np.sqrt(np.clip(depth / np.float32(breast.margin), 0.02, 1))
    fat = breast.fat * (1 + np.float32(0.05) * fractal(rng, shape, 0.25, 3))
    ducts = drawn_out(rng, shape, nipple, 0.055)
    gland = _gland(rng, breast, nipple, ducts, shape)
    threads = np.clip(1 - np.abs(drawn_out(rng, shape, nipple, 0.11)) * 3.5, 0, 1) ** 2
    patchy = soft_step(smooth_noise(rng, shape, 0.22), 1.6)
    # Threads show where there is fat behind them.
    threads *= patchy * (np.float32(0.34) - np.float32(0.22) * gland)
    vessels = np.clip(1 - np.abs(drawn_out(rng, shape, nipple, 0.45)) * 30, 0, 1) * np.float32(0.05)
    inside = soft_step(depth - np.float32(0.035), 0.05)
    picture = fat + inside * (breast.gain * (gland + threads) + vessels)
    skin = bump(depth - np.float32(0.007), 0.006) * np.float32(0.10)
    return (picture * thickness + skin).astype(np.float32)


def _gland(
    rng: np.random.Generator,
    breast: Breast,
    nipple: tuple[float, float],
    ducts: np.ndarray,
    shape: Shape,
) -> np.ndarray:
    """Share of gland in each pixel, 0..1, float32 (H, W): a cone behind the nipple."""
    y, x = grid(shape)
    amount = np.float32(breast.density)
    centre = (nipple[0] + float(rng.normal(-0.03, 0.02)), nipple[1] * float(rng.uniform(0.5, 0.6)))
    reach = (0.17 + 0.17 * breast.density, nipple[1] * (0.32 + 0.20 * breast.density))
    away = np.hypot((y - np.float32(centre[0])) / reach[0], (x - np.float32(centre[1])) / reach[1])
    # Islands are finest in the second class; the densest breast is nearly even.
    lumps = fractal(rng, shape, 0.07 + 0.13 * breast.density, 5, 0.65)
    uneven = np.float32(0.55 + 0.9 * breast.density * (1 - breast.density))
    field = uneven * (np.float32(0.85) * lumps + np.float32(0.42) * ducts)
    level = np.float32(3.4) * amount - np.float32(2.0)
    fill = soft_step(field + level + np.float32(0.9) * (1 - away), 2.6)
    cone = soft_step(np.float32(1.25) - away + np.float32(0.12) * ducts, 0.7)
    grain = 1 + np.float32(0.07) * (fractal(rng, shape, 0.04, 3) + ducts)
    return fill * cone * grain


def _with_muscle(
    rng: np.random.Generator, breast: Breast, picture: np.ndarray, shape: Shape
) -> np.ndarray:
    """The pectoral muscle: a bright wedge in the upper corner at the chest wall."""
    y, x = grid(shape)
    top = np.float32(rng.uniform(0.22, 0.36) * (0.6 + 0.6 * breast.depth))
    low = np.float32(breast.muscle + rng.normal(0, 0.03))
    bend = np.float32(0.015) * np.sin(np.pi * np.clip(y / low, 0, 1))
    across = top * (1 - y / low) + bend - x + np.float32(0.003) * smooth_noise(rng, shape, 0.2)
    wedge = soft_step(across, 0.02)
    fibres = 1 + np.float32(0.035) * fractal(rng, shape, 0.2, 3)
    # It thins out towards its edge and its tip.
    thick = np.sqrt(np.clip(across / np.float32(0.22), 0.12, 1))
    bright = (np.float32(breast.fat) + rng.uniform(0.75, 1.05) * breast.gain * thick) * fibres
    return picture * (1 - wedge) + np.maximum(bright, picture) * wedge


def _exposed(rng: np.random.Generator, picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Exposure, contrast and quantum noise of one shot; air stays exactly 0."""
    # Automatic exposure brightens a fatty breast, though never as far as a dense one.
    bright = float(np.percentile(picture[::8, ::8][mask[::8, ::8]], 90))
    gain = (rng.uniform(0.62, 0.78) / max(bright, 0.05)) ** 0.5
    bent = np.clip(picture * np.float32(gain), 0, None) ** np.float32(rng.uniform(0.9, 1.15))
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(0.012)
    return np.clip(bent + noise * np.sqrt(bent + np.float32(0.02)), 0, 1) * mask
