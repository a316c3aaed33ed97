"""The made-up archives by name, with the sizes at which a demonstration takes minutes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foldwise.errors import FoldwiseError, choose
from foldwise.files import read_json, write_csv, write_json
from phantoms.damage import FAULTS, add_damage
from phantoms.density import make_density, write_labels
from phantoms.distillation import make_distillation, texts_of
from phantoms.encoders import write_encoders
from phantoms.segmentation import make_segmentation
from phantoms.site_b import make_site_b
from phantoms.zones import make_zones

MARK = "made_up.json"


@dataclass(frozen=True)
class Kind:
    """How one study's archive is made; `make(folder, patients, seed, size)` says what it wrote."""

    make: Callable[[Path, int, int, int], str]
    patients: int
    size: int
    least: int  # patients below which a class would be missing
    damage: Callable[[Path, int, int, int], str] | None = None


def make(
    study: str,
    folder: Path,
    patients: int | None = None,
    seed: int = 1,
    size: int | None = None,
    damaged: bool = False,
) -> str:
    """Write the archive of `study` into a folder; returns one line about it.

    A folder that holds the same archive already is left as it is, one that was not finished is
    finished. Raises FoldwiseError for an unknown study, a folder that holds anything else, and
    numbers that are too small.
    """
    kind = STUDIES[choose(study, STUDIES, "study", "Made-up archive")]
    patients, size = patients or kind.patients, size or kind.size
    _check_numbers(study, kind, patients, size)
    if damaged and kind.damage is None:
        raise FoldwiseError(f"--damaged is made for density alone, not for {study}. Leave it out.")
    wanted = {"study": study, "patients": patients, "seed": seed, "size": size, "damaged": damaged}
    if _is_whole(Path(folder), wanted):
        return f"{folder} holds this archive already: {patients} patients, seed {seed}"
    write_json(Path(folder) / MARK, wanted | {"finished": False})
    summary = (kind.damage if damaged else kind.make)(Path(folder), patients, seed, size)
    write_json(Path(folder) / MARK, wanted | {"finished": True})
    return summary


def _check_numbers(study: str, kind: Kind, patients: int, size: int) -> None:
    for name, value, least in (("patients", patients, kind.least), ("size", size, 32)):
        if value < least:
            raise FoldwiseError(f"--{name} {value} is too small for {study}: {least} at least.")


def _is_whole(folder: Path, wanted: dict) -> bool:
    """Whether the archive asked for is there, whole; refuses a folder with anything else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    mark = read_json(folder / MARK) if (folder / MARK).is_file() else {}
    if {name: mark.get(name) for name in wanted} != wanted:
        content = (
            f"made-up {mark['study']} of other settings" if "study" in mark else "something else"
        )
        raise FoldwiseError(
            f"{folder} holds {content}. Delete it, or name another folder: made-up pictures are "
            "never mixed with others."
        )
    return bool(mark["finished"])


def _density(folder: Path, patients: int, seed: int, size: int) -> str:
    exams = make_density(folder, patients, seed, size)
    return f"{4 * len(exams)} films of {len(exams)} exams of {patients} patients in {folder}"


def _damaged_density(folder: Path, patients: int, seed: int, size: int) -> str:
    exams = make_density(folder, patients, seed, size)
    places, rows = add_damage(folder, exams, seed, size)
    write_labels(folder, exams, rows)
    listed = [{"fault": fault, "accession": place} for fault, place in places.items()]
    write_csv(folder / "damage.csv", ["fault", "accession"], listed)
    return f"{len(exams)} exams of {patients} patients and {len(FAULTS)} faults in {folder}"


def _site_b(folder: Path, patients: int, seed: int, size: int) -> str:
    exams = make_site_b(folder, patients, seed, size)
    return f"{4 * len(exams)} films of {patients} patients of another hospital in {folder}"


def _zones(folder: Path, patients: int, seed: int, size: int) -> str:
    films = make_zones(folder, patients, seed, size)
    return f"{len(films)} chest films of {patients} patients in {folder}"


def _segmentation(folder: Path, patients: int, seed: int, size: int) -> str:
    tiles = make_segmentation(folder, patients, seed, size)
    return f"{len(tiles)} tiles of {patients} specimens with masks in {folder}"


def _distillation(folder: Path, patients: int, seed: int, size: int) -> str:
    cases = make_distillation(folder, patients, seed, size)
    write_encoders(folder, texts_of(cases), seed, size)
    pictures = sum(len(case.pictures) for case in cases)
    return f"{pictures} pictures of {patients} cases, texts and four tiny encoders in {folder}"


STUDIES: dict[str, Kind] = {
    "density": Kind(_density, patients=60, size=512, least=4, damage=_damaged_density),
    "density_site_b": Kind(_site_b, patients=36, size=512, least=4),
    "distillation": Kind(_distillation, patients=100, size=96, least=25),
    "segmentation": Kind(_segmentation, patients=16, size=128, least=2),
    "zones": Kind(_zones, patients=60, size=256, least=4),
}
