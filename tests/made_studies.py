"""A tiny made-up study for each reader, and so for each kind: what the contract tests run on.

Everything that identifies a patient holds CANARY: patient ids, file names, headers, texts. A reader
that is registered needs an entry in EXAMPLES, a kind of study one whose `kind` it is.
"""

import csv
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import pydicom

from made import density_archive, picture_archive
from made_distillation import distillation_archive
from made_segmentation import segmentation_archive
from made_zones import zones_archive
from phantoms.encoders import write_encoders

CANARY = "Zanzibar"
SIZE = 32
TWO_CLASSES = {"mapping": {"1": "A", "2": "A", "3": "B", "4": "B"}, "order": ["A", "B"]}
HEADS = {
    "modality": {"order": ["CT", "MR"]},
    "location": {
        "order": ["Head", "Thorax", "Abdomen", "Reproductive and Urinary System"],
        "drop": ["Spine and Muscles"],
    },
}


@dataclass(frozen=True)
class Example:
    """`make(folder, name)` fills folder/name and returns a study's settings, to be run in folder;
    `relabel(folder/name)` changes one label, `table` names the file that holds the labels,
    `models(folder/name)` makes the networks that the study names."""

    kind: str
    make: Callable[[Path, str], dict]
    relabel: Callable[[Path], None]
    table: str
    models: Callable[[Path], None] = lambda made: None


def example_of(kind: str) -> str:
    """The reader whose example stands for a kind of study: the first one."""
    return next(reader for reader, example in EXAMPLES.items() if example.kind == kind)


def _settings(kind: str, data: dict, **branches: dict) -> dict:
    """A study of seconds: two folds, two epochs."""
    common = {
        "seed": 5,
        "image": {"size": SIZE},
        "folds": {"n": 2},
        "training": {"epochs": 2, "batch_size": 8, "lr": 0.01},
        "report": {"gradcam_per_class": 0, "baselines": []},
    }
    return {"kind": kind, "data": data} | common | branches


def _dicom(folder: Path, name: str) -> dict:
    made = density_archive(folder / name, patients=8, size=SIZE)
    for path in sorted((made / "archive").rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        dataset.PatientID = f"{CANARY}-{dataset.PatientID}"
        dataset.PatientName = f"{CANARY}^Ann"
        dataset.InstitutionName = dataset.StudyDescription = f"{CANARY} Hospital"
        dataset.save_as(path)
        path.rename(path.with_name(f"{CANARY}_{path.name}"))
    table = {"path": f"{name}/labels.csv", "format": "accession"}
    columns = {"accession": "AccessionNumber", "label": "Classification"}
    classes = TWO_CLASSES | {"drop": ["5"]}
    data = {"reader": "dicom", "root": f"{name}/archive", "table": table, "columns": columns}
    return _settings("classification", data | {"classes": classes})


def _images(folder: Path, name: str) -> dict:
    made = picture_archive(folder / name, patients=8, size=SIZE)
    _rename(made, {"PHANTOM": CANARY, "images/": f"images/{CANARY}_"})
    columns = {"image": "image_path", "label": "density_label", "patient": "patient_id"}
    classes = {"mapping": dict(zip("ABCD", "ABBB", strict=True)), "order": ["A", "B"]}
    data = {"reader": "images", "root": name, "table": {"path": f"{name}/paths.csv"}}
    return _settings("classification", data | {"columns": columns, "classes": classes})


def _pairs(folder: Path, name: str) -> dict:
    made = segmentation_archive(folder / name, specimens=4, size=SIZE)
    _rename(made, {"beads": CANARY})
    data = {"reader": "pairs", "root": name, "table": {"path": f"{name}/tiles.csv"}}
    columns = {"image": "image", "mask": "mask", "patient": "specimen"}
    model = {"name": "unet", "width": 4}
    return _settings("segmentation", data | {"columns": columns}, model=model)


def native_pairs(folder: Path, name: str) -> dict:
    """Pictures of several sizes at their own scale, in crops and tiles: as docs/nuclei.md."""
    settings = _pairs(folder, name)
    for number, path in enumerate(sorted((folder / name).rglob("*.png"))):
        # A picture and its mask are cut alike: their folders hold the same names in one order.
        if number % 2:
            picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            assert cv2.imwrite(str(path), picture[: SIZE - 8, : SIZE - 12])
    model = {"norm": "group", "normalisation": "image", "dropout": 0}
    tiles = {"size": 16, "overlap": 0.25, "per_image": 2}
    return settings | {
        "image": settings["image"] | {"fit": "native"},
        "model": settings["model"] | model,
        "training": settings["training"] | {"tiles": tiles, "stop_after": 2},
    }


def _zones(folder: Path, name: str) -> dict:
    made = zones_archive(folder / name, patients=10, size=SIZE)
    _rename(made, {"PHANTOM": CANARY, "cxr_": f"{CANARY}_"})
    table = {"path": f"{name}/zones.csv", "separator": ";"}
    data = {"reader": "zones", "root": name, "table": table}
    return _settings("zones", data, folds={"n": 2, "strata": "none"})


def _distillation_texts(folder: Path, name: str, data: dict) -> dict:
    made = distillation_archive(folder / name, cases=15, size=SIZE, encoders=False)
    _rename(made, {"PHANTOM": CANARY, '"Caption": "': f'"Caption": "{CANARY} '})
    _change(made / "pictures.csv", lambda row: row.update(caption=f"{CANARY} {row['caption']}"))
    model = {
        "vision": {"name": f"{name}/encoders/student_vision", "weights": "pretrained"},
        "text": {"name": f"{name}/encoders/student_text", "max_tokens": 16},
        "dim": 16,
        "fusion": {"name": "gated", "layers": 1},
    }
    return _settings("distillation", data | {"heads": HEADS}, model=model)


def _encoders(made: Path) -> None:
    with open(made / "pictures.csv", newline="") as stream:
        captions = [row["caption"] for row in csv.DictReader(stream)]
    write_encoders(made, captions, 1, SIZE)


def _medpix(folder: Path, name: str) -> dict:
    table = {"path": name, "format": "medpix"}
    columns = {"texts": ["Description.Caption"]}
    data = {"reader": "medpix", "root": f"{name}/images", "table": table, "columns": columns}
    return _distillation_texts(folder, name, data)


def _text(folder: Path, name: str) -> dict:
    heads = {"modality": "modality", "location": "location"}
    columns = {"image": "image", "patient": "case_id", "texts": ["caption"], "heads": heads}
    data = {"reader": "text", "root": name, "table": {"path": f"{name}/pictures.csv"}}
    return _distillation_texts(folder, name, data | {"columns": columns})


def _rename(made: Path, changes: dict[str, str]) -> None:
    """Replace parts of file names and of tables alike; note the canary in each PNG's header."""
    for path in sorted(made.rglob("*")):
        if not path.is_file() or "encoders" in path.parts:
            continue
        if path.suffix in (".csv", ".jsonl"):
            path.write_text(_replaced(path.read_text(), changes))
            continue
        if path.suffix == ".png":
            _note(path)
        new = made / _replaced(path.relative_to(made).as_posix(), changes)
        new.parent.mkdir(parents=True, exist_ok=True)
        path.rename(new)


def _replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def _note(path: Path) -> None:
    """A comment chunk after the header of a PNG."""
    content, text = path.read_bytes(), b"tEXt" + f"Comment\0{CANARY}".encode()
    chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    path.write_bytes(content[:33] + chunk + content[33:])


def _change(path: Path, change: Callable[[dict], None], last: int | None = None) -> None:
    """Change rows of a CSV, the first `last` of them."""
    text = path.read_text()
    separator = ";" if ";" in text.partition("\n")[0] else ","
    rows = list(csv.DictReader(text.splitlines(), delimiter=separator))
    for row in rows[:last]:
        change(row)
    with open(path, "w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], delimiter=separator, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _swap(name: str, column: str, one: str, other: str) -> Callable[[Path], None]:
    """A change of the first row's label to `one`, or to `other` where it is that."""

    def relabel(made: Path) -> None:
        def change(row: dict) -> None:
            row[column] = other if row[column] == one else one

        _change(made / name, change, 1)

    return relabel


def _paint(made: Path) -> None:
    """Another mask: its middle is filled."""
    path = str(min((made / "masks").iterdir()))
    mask = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    mask[12:20, 12:20] = mask.max()
    assert cv2.imwrite(path, mask)


def _retype(made: Path) -> None:
    path = made / "descriptions_train.jsonl"
    first, rest = path.read_text().split("\n", 1)
    path.write_text(first.replace('"Type": "MR"', '"Type": "CT"') + "\n" + rest)


EXAMPLES = {
    "dicom": Example(
        "classification", _dicom, _swap("labels.csv", "Classification", "4", "1"), "labels.csv"
    ),
    "images": Example(
        "classification", _images, _swap("paths.csv", "density_label", "B", "A"), "paths.csv"
    ),
    "pairs": Example("segmentation", _pairs, _paint, "tiles.csv"),
    "zones": Example("zones", _zones, _swap("zones.csv", "right_sup", "1", "2"), "zones.csv"),
    "medpix": Example("distillation", _medpix, _retype, "descriptions_train.jsonl", _encoders),
    "text": Example(
        "distillation",
        _text,
        _swap("pictures.csv", "modality", "MR", "CT"),
        "pictures.csv",
        _encoders,
    ),
}
