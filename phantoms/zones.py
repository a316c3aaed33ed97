"""Made-up chest X-rays with six zone scores: `<root>/images/<FileID>.png|.nii.gz`, `zones.csv`.

A zone that cannot be judged, because it is covered or outside the field, has an empty score.
"""

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from foldwise.files import replacing, write_text
from foldwise.hashing import stream_seed
from phantoms.chest import HEIGHTS, ZONES, Chest, draw_chest, film, zone_limits
from phantoms.fields import generator, grid, levels, soft_step
from phantoms.png import write_png

HEADER = ["FileID", *ZONES, "PatientID"]
# Share of films for each way in which zones are lost.
LOSSES = {"none": 0.62, "low": 0.10, "high": 0.08, "plate": 0.14, "side": 0.06}
FILM_HEIGHT_MM = 400.0


@dataclass(frozen=True)
class Scored:
    """One film: its scores 0..3 by zone, None where the zone is unknown."""

    name: str  # FileID
    patient: str
    chest: Chest
    day: int  # of the patient's film, from 0
    opacities: dict[str, float]  # what is drawn, about the scores
    scores: dict[str, int | None]


def make_zones(root: Path, patients: int = 60, seed: int = 1, size: int = 256) -> list[Scored]:
    """Write films of `size` x `size` pixels, every third as NIfTI, and their table (separator ;).

    A patient has one to three films, on which the disease gets better or worse.
    """
    films = plan_zones(patients, seed)
    for number, scored in enumerate(films):
        picture = draw_scored(scored, size)
        if number % 3 == 2:
            _write_nifti(root / "images" / f"{scored.name}.nii.gz", picture)
        else:
            write_png(root / "images" / f"{scored.name}.png", levels(picture, 8))
    write_zones(root, films)
    return films


def plan_zones(patients: int, seed: int) -> list[Scored]:
    """Scores of all films: the lower zones and the same side tend to be worse together."""
    films = []
    for patient in range(patients):
        rng = generator(seed, "zones", patient)
        chest = draw_chest(stream_seed(seed, "patient", patient))
        severity = rng.uniform(-0.3, 3.0)
        leaning = {zone: _leaning(zone) + rng.normal(0, 0.55) for zone in ZONES}
        for day in range(int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))):
            opacities = {
                zone: float(np.clip(severity + leaning[zone] + rng.normal(0, 0.3), 0, 3))
                for zone in ZONES
            }
            scores = {zone: round(opacity) for zone, opacity in opacities.items()}
            lost = dict.fromkeys(_lost(rng))
            name = f"cxr_{len(films):04d}"
            films.append(
                Scored(name, f"PHANTOM-{patient:04d}", chest, day, opacities, scores | lost)
            )
            severity += rng.normal(0, 0.7)
    return films


def draw_scored(scored: Scored, size: int) -> np.ndarray:
    """The film with whatever hides its unknown zones, float32 (size, size)."""
    picture = film(scored.chest, scored.opacities, size, scored.day)
    lost = [zone for zone, score in scored.scores.items() if score is None]
    if not lost:
        return picture
    sides, heights = ({zone.split("_")[part] for zone in lost} for part in (0, 1))
    if len(sides) == 2:
        return picture * _inside_field(scored, heights.pop(), size)
    if len(lost) == 3:
        return picture * _one_side(sides.pop(), size)
    return _with_plate(scored, lost[0], picture)


def write_zones(root: Path, films: list[Scored]) -> None:
    """Write zones.csv with the separator `;`: an empty cell is an unknown zone."""
    lines = [";".join(HEADER)]
    for scored in films:
        cells = ["" if scored.scores[zone] is None else str(scored.scores[zone]) for zone in ZONES]
        lines.append(";".join([scored.name, *cells, scored.patient]))
    write_text(root / "zones.csv", "\n".join(lines) + "\n")


def _leaning(zone: str) -> float:
    return {0: -0.45, 1: 0.0, 2: 0.4}[HEIGHTS[zone.split("_")[1]]]


def _lost(rng: np.random.Generator) -> list[str]:
    """The zones of one film that cannot be judged."""
    loss = rng.choice(list(LOSSES), p=list(LOSSES.values()))
    if loss in ("low", "high"):
        return [zone for zone in ZONES if zone.endswith("inf" if loss == "low" else "sup")]
    if loss == "side":
        side = rng.choice(["right", "left"])
        return [zone for zone in ZONES if zone.startswith(side)]
    return [str(rng.choice(ZONES))] if loss == "plate" else []


def _inside_field(scored: Scored, height: str, size: int) -> np.ndarray:
    """1 where the collimator lets the beam through, when the top or the bottom is cut off."""
    y, _ = grid((size, size))
    limits = zone_limits(scored.chest)
    if height == "inf":
        return soft_step(np.float32(limits[2] + 0.02) - y, 0.015)
    return soft_step(y - np.float32(limits[1] - 0.02), 0.015)


def _one_side(side: str, size: int) -> np.ndarray:
    _, x = grid((size, size))
    out = (x - np.float32(0.5)) * (-1 if side == "right" else 1)
    return soft_step(np.float32(0.07) - out, 0.015)


def _with_plate(scored: Scored, zone: str, picture: np.ndarray) -> np.ndarray:
    """A metal plate before one zone."""
    size = picture.shape[0]
    side, height = zone.split("_")
    limits = zone_limits(scored.chest)[HEIGHTS[height] : HEIGHTS[height] + 2]
    y, x = grid((size, size))
    middle = np.float32(0.5 + (-1 if side == "right" else 1) * (scored.chest.reach / 2 + 0.03))
    tall = np.float32((limits[1] - limits[0]) / 2)
    down, along = np.abs(y - np.float32(limits.mean())), np.abs(x - middle)
    corner = np.float32(0.03)
    over = np.hypot(
        np.clip(down - tall + corner, 0, None),
        np.clip(along - np.float32(scored.chest.reach / 2) + corner, 0, None),
    )
    plate = soft_step(corner - over, 0.012)
    return picture * (1 - plate) + np.float32(0.96) * plate


def _write_nifti(path: Path, picture: np.ndarray) -> None:
    """12 bits in an int16 NIfTI of two dimensions: x to the patient's left, y to the feet."""
    spacing_mm = FILM_HEIGHT_MM / picture.shape[0]
    affine = np.zeros((4, 4))
    affine[0, 0], affine[2, 1], affine[1, 2], affine[3, 3] = -spacing_mm, -spacing_mm, 1, 1
    image = nibabel.Nifti1Image(levels(picture, 12).T.astype(np.int16), affine)
    with replacing(path) as temporary:
        nibabel.save(image, temporary)
