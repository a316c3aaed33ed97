"""Made-up teaching cases of pictures with texts, as JSON lines in three splits and as one table.

`<root>/images/<image>.png`, `data_{split}.jsonl` (cases) and `descriptions_{split}.jsonl`
(pictures) joined on `U_id`, `pictures.csv` with the same in one row a picture.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from foldwise.files import write_csv, write_text
from foldwise.hashing import stream_seed
from phantoms.fields import generator, levels
from phantoms.png import write_png
from phantoms.slices import LOCATIONS, Look, slice_picture
from phantoms.texts import caption, findings, history

SPLITS = ("train", "dev", "test")
SCANNERS = {
    "CT": ("CT - noncontrast", "CT w/contrast (IV)"),
    "MR": ("MR - T1W", "MR - T2 weighted"),
}
COLUMNS = ["image", "case_id", "modality", "location", "caption", "findings", "history", "scanner"]
COLUMNS += ["split"]


@dataclass(frozen=True)
class Picture:
    """One picture of a case; `scanner` names the modality and is never an input."""

    name: str
    modality: str
    caption: str
    scanner: str
    lesion: bool


@dataclass(frozen=True)
class Case:
    """One patient's case: a place in the body, texts, one to three pictures."""

    uid: str
    split: str
    location: str
    age: int
    sex: str
    findings: str
    history: str
    seed: int
    pictures: tuple[Picture, ...]


def make_distillation(root: Path, cases: int = 100, seed: int = 1, size: int = 96) -> list[Case]:
    """Write cases with pictures of `size` x `size` pixels; two cases in five go to dev and test."""
    planned = plan_cases(cases, seed)
    for case in planned:
        for number, picture in enumerate(case.pictures):
            look = Look(picture.modality, case.location, picture.lesion)
            pixels = levels(slice_picture(look, case.seed, number, size), 8)
            write_png(root / "images" / f"{picture.name}.png", pixels)
    for split in SPLITS:
        chosen = [case for case in planned if case.split == split]
        _write_lines(root / f"data_{split}.jsonl", [_case_line(case) for case in chosen])
        pictures = [_picture_line(case, picture) for case in chosen for picture in case.pictures]
        _write_lines(root / f"descriptions_{split}.jsonl", pictures)
    write_table(root, planned)
    return planned


def plan_cases(cases: int, seed: int) -> list[Case]:
    """Texts and looks of all cases: the places in turn, so that all are equally frequent."""
    return [_case(number, seed) for number in range(cases)]


def write_table(root: Path, cases: list[Case]) -> None:
    """Write pictures.csv, one row a picture."""
    rows = []
    for case in cases:
        shared = {"case_id": case.uid, "location": case.location, "split": case.split}
        shared |= {"findings": case.findings, "history": case.history}
        for p in case.pictures:
            own = {"image": f"images/{p.name}.png", "modality": p.modality, "caption": p.caption}
            rows.append(shared | own | {"scanner": p.scanner})
    write_csv(root / "pictures.csv", COLUMNS, rows)


def texts_of(cases: list[Case]) -> list[str]:
    """All texts that may be inputs, for a vocabulary."""
    captions = [picture.caption for case in cases for picture in case.pictures]
    return captions + [text for case in cases for text in (case.findings, case.history)]


def _case(number: int, seed: int) -> Case:
    rng = generator(seed, "case", number)
    location = list(LOCATIONS)[number % len(LOCATIONS)]
    uid, lesion = f"PHANTOM{number:04d}", bool(rng.uniform() < 0.7)
    age, sex = int(rng.integers(18, 90)), str(rng.choice(["male", "female"]))
    pictures = []
    # Heads and spines are more often seen by MR, as in practice.
    share_mr = 0.65 if location in ("Head", "Spine and Muscles") else 0.35
    for place in range(int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))):
        modality = "MR" if rng.uniform() < share_mr else "CT"
        seen = lesion and bool(rng.uniform() < 0.8)
        sentence = caption(rng, modality, location, seen)
        scanner = str(rng.choice(SCANNERS[modality]))
        pictures.append(Picture(f"{uid}_slice{place}", modality, sentence, scanner, seen))
    return Case(
        uid=uid,
        # Rounds of five cases hold each place once, so that each split does too.
        split={3: "dev", 4: "test"}.get(number // len(LOCATIONS) % 5, "train"),
        location=location,
        age=age,
        sex=sex,
        findings=findings(rng, location, lesion),
        history=history(rng, location, age, sex),
        seed=stream_seed(seed, "body", number),
        pictures=tuple(pictures),
    )


def _case_line(case: Case) -> dict:
    names = {kind: [p.name for p in case.pictures if p.modality == kind] for kind in SCANNERS}
    case_text = {"Title": "Made-up case", "History": case.history, "Exam": None}
    case_text |= {"Findings": case.findings}
    return {"U_id": case.uid, "TAC": names["CT"], "MRI": names["MR"], "Case": case_text}


def _picture_line(case: Case, picture: Picture) -> dict:
    described = {"Age": str(case.age), "Sex": case.sex, "Caption": picture.caption}
    plane = "Sagittal" if case.location == "Spine and Muscles" else "Axial"
    described |= {"Modality": picture.scanner, "Plane": plane}
    return {
        "Type": picture.modality,
        "U_id": case.uid,
        "image": picture.name,
        "Description": described,
        "Location": case.location,
        "Location Category": case.location,
    }


def _write_lines(path: Path, lines: list[dict]) -> None:
    write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
