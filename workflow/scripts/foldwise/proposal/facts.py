"""What can be seen of an archive and a table of labels before any study file says what they are."""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from foldwise.cohort.archive import list_archive
from foldwise.cohort.headers import ATTRIBUTES
from foldwise.cohort.readers.images import ENDINGS
from foldwise.cohort.tables.labels import canonical
from foldwise.cohort.tables.naming import Spelling, ZeroPadded, by_name, without_zeros
from foldwise.cohort.tables.table import Table, TableSettings, read_table
from foldwise.errors import FoldwiseError
from foldwise.registry import load
from foldwise.settings.zones import CHEST

# Files whose size is looked at: enough for a median, and quick in an archive of any size.
SAMPLED = 200
# More values than this are names or numbers, and no classes.
MOST_CLASSES = 20
CLASSES = "classification"
# Readers of the kinds that have one of their own.
READERS = {"segmentation": "pairs", "zones": "zones"}
# Days as tables write them: never a label, though a short table has few.
DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}.*")
USUAL = {
    "label": (
        "label",
        "class",
        "classification",
        "density",
        "diagnosis",
        "grade",
        "target",
        "birads",
    ),
    "patient": (
        "patient",
        "patientid",
        "patient_id",
        "subject",
        "subject_id",
        "case",
        "case_id",
        "specimen",
        "specimen_id",
        "slide",
        "slide_id",
    ),
    "mask": ("mask", "mask_path", "masks", "segmentation", "annotation"),
}


@dataclass(frozen=True)
class Facts:
    """What a proposal goes by; `match`: as data.match.

    `classes`: groups that have each label; empty for the kinds of study that have no classes.
    """

    reader: str
    format: str
    match: str
    columns: dict[str, str]
    images: int
    groups: int
    classes: dict[str, int]
    width: int
    height: int
    channels: int
    kind: str = CLASSES


def look(root: Path, path: Path, label: str | None = None, patient: str | None = None) -> Facts:
    """Look at the archive's names and a sample of its headers, and at the table.

    `label` and `patient`: their columns; None looks for them. A table of pictures with masks is
    taken for segmentation, one with a score for each lung zone for zones, unless a label is named.

    Raises FoldwiseError where no column names the images, or none can be the label.
    """
    files = sorted(list_archive(root).files)
    table = read_table(TableSettings.of_images(str(path)))
    reader, own = _reader(root, files)
    ids = _ids_of_headers(root, own) if reader == "dicom" else []
    kind, mask = _kind_of(table, own) if reader == "images" and not label else (CLASSES, None)
    if kind in READERS:
        accepts = load("READERS", READERS[kind])().accepts
        own = [name for name in files if accepts(root / name)]
    called = _called(own, endings=kind != "zones")
    key, named, match = _image_column(_without(table, mask), called, root, ids)
    columns = {key: named} | ({"mask": mask} if mask else {})
    if kind == CLASSES:
        columns["label"] = label or _label_column(table, named)
    patient = patient or _usual_column(table, "patient", {*columns.values()})
    columns |= {"patient": patient} if patient else {}
    table.need(columns)
    groups = defaultdict(set)
    for row in table.rows if kind == CLASSES else ():
        if row.get(columns["label"]):
            groups[row.get(columns["label"])].add(row.get(patient or named))
    if key == "image":
        # No more than the table has: masks and other studies' pictures lie there too.
        own = _named_by({row.get(named) for row in table.rows}, called)
    width, height, channels = _shape(root, own, reader)
    return Facts(
        kind=kind,
        reader=READERS.get(kind, reader),
        format="accession" if key == "accession" else "paths",
        match=match,
        columns=columns,
        images=len(own),
        groups=len({row.get(patient or named) for row in table.rows}),
        classes={label: len(groups[label]) for label in sorted(groups)},
        width=width,
        height=height,
        channels=channels,
    )


def _kind_of(table: Table, files: Sequence[str]) -> tuple[str, str | None]:
    """The kind of study of a table of pictures, and the column of masks that name files."""
    if {*CHEST} <= {*table.columns}:
        return "zones", None
    mask, called = _usual_column(table, "mask", set()), _called(files)
    if mask and sum(row.get(mask) in called for row in table.rows) >= len(table.rows) / 2:
        return "segmentation", mask
    return CLASSES, None


def _without(table: Table, column: str | None) -> Table:
    return replace(table, columns=tuple(name for name in table.columns if name != column))


def _called(files: Sequence[str], endings: bool = True) -> dict[str, list[str]]:
    """Path, or bare name -> files; a table of zones names them without their `endings` too."""
    whole = {form for name in files for form in (name, PurePosixPath(name).name)}
    return {name: of for name, of in by_name(files).items() if not endings or name in whole}


def _named_by(cells: Set[str], called: Mapping[str, list[str]]) -> list[str]:
    """The files that cells name; all where each cell may mean several."""
    every = {name for of in called.values() for name in of}
    return sorted({called[one][0] for one in cells if len(called.get(one, [])) == 1} or every)


def _reader(root: Path, files: Sequence[str]) -> tuple[str, list[str]]:
    """The reader for most of the files, and the files that it reads."""
    # By the readers themselves: what lies beside the images counts as none of them.
    pictures, films = (
        [name for name in files if accepts(root / name)]
        for accepts in (load("READERS", reader)().accepts for reader in ("images", "dicom"))
    )
    if not films and not pictures:
        raise FoldwiseError(
            f"{root}: {len(files)} files, and none that is a DICOM file or a picture that is read "
            f"({', '.join(sorted(ENDINGS))}). Name the folder that holds the images, or convert "
            "them."
        )
    return ("dicom", films) if len(films) >= len(pictures) else ("images", pictures)


def _ids_of_headers(root: Path, files: Sequence[str]) -> list[set[str]]:
    """Values of each attribute that a table may name, in an even sample of the headers."""
    headers = [_attributes(root / name, [*ATTRIBUTES.values()]) for name in _sample(files)]
    return [
        {str(header[name]) for header in headers if header.get(name)}
        for name in ATTRIBUTES.values()
    ]


def _image_column(
    table: Table, called: Mapping[str, list[str]], root: Path, ids: Sequence[set[str]]
) -> tuple[str, str, str]:
    """`image` or `accession`, the column whose cells name most of the archive, and how: by its
    names of files and folders, else by the `ids` of its headers."""
    files = {name for of in called.values() for name in of}
    folders = {step for name in files for step in PurePosixPath(name).parts[:-1]}
    spelling, padded = Spelling(folders), ZeroPadded(folders)
    scores = {}
    for column in table.columns:
        cells = [row.get(column) for row in table.rows]
        scores["image", column] = sum(cell in called for cell in cells) / len(cells)
        meant = [padded.of(spelling.of(cell)) in folders for cell in cells]
        scores["accession", column] = sum(meant) / len(cells)
    best = max(scores, key=lambda one: scores[one])
    # Some rows may have no image in the archive; where most have none it is the wrong column.
    if scores[best] >= 0.5:
        return *best, "folder"
    named = _column_of_ids(table, ids)
    if named:
        return "accession", named, "header"
    above = {f"{root.name}/{name}" for name in files}
    if any(row.get(column) in above for row in table.rows for column in table.columns):
        raise FoldwiseError(
            f"{table.path}: its paths begin with {root.name}/: name the folder above, "
            f"{root.parent}, as the archive."
        )
    raise FoldwiseError(
        f"{table.path}: no column whose cells are files or folders of the archive (best: "
        f"'{best[1]}', {scores[best]:.0%}), or what its headers say. data.root may be one level "
        "off; copy a file of config/studies and name the columns there."
    )


def _column_of_ids(table: Table, ids: Sequence[set[str]]) -> str | None:
    """The column that holds most values of an attribute; None where none holds half of them."""
    scores = {}
    for column in table.columns:
        cells = {without_zeros(canonical(row.get(column))) for row in table.rows}
        # The sample is part of the archive, the table all of it: its values are what is found.
        scores[column] = max(
            sum(without_zeros(one) in cells for one in values) / max(1, len(values))
            for values in ids or [set()]
        )
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= 0.5 else None


def _label_column(table: Table, image: str) -> str:
    """The column of a label by its usual name, else the only one with few values."""
    named = _usual_column(table, "label", {image})
    if named:
        return named
    few = [
        column
        for column in table.columns
        if column != image
        and 2 <= len({row.get(column) for row in table.rows}) <= MOST_CLASSES
        and not all(DATE.fullmatch(row.get(column) or "1.1.1") for row in table.rows)
        # In a short table names of patients are few as well; a label is shared by several rows.
        and max(Counter(row.get(column) for row in table.rows).values()) > 1
    ]
    if len(few) != 1:
        named = f": {', '.join(few)}." if few else f".{table.listed()}"
        raise FoldwiseError(
            f"{table.path}: {len(few)} columns could be the label{named} Name it with --label."
        )
    return few[0]


def _usual_column(table: Table, role: str, taken: set[str]) -> str | None:
    columns = {column.lower().replace(" ", "_"): column for column in table.columns}
    usual = [
        columns[name] for name in USUAL[role] if name in columns and columns[name] not in taken
    ]
    return usual[0] if usual else None


def _shape(root: Path, files: Sequence[str], reader: str) -> tuple[int, int, int]:
    """Median width and height in pixels, and channels of most, of an even sample of the files."""
    sample = _sample(files)
    shapes = [shape for name in sample if (shape := _size_of(root / name, reader))]
    if not shapes:
        raise FoldwiseError(f"{root}: no file of a sample of {len(sample)} could be read.")
    # Median: a few thumbnails or huge scans decide nothing.
    width, height = (int(statistics.median(one)) for one in list(zip(*shapes, strict=True))[:2])
    return width, height, statistics.mode(shape[2] for shape in shapes)


def _sample(files: Sequence[str]) -> Sequence[str]:
    """Evenly over the sorted names: the first files may all be of one scanner."""
    return files[:: max(1, len(files) // SAMPLED)]


def _size_of(path: Path, reader: str) -> tuple[int, int, int] | None:
    """Width, height and channels from a file's header; None where it says none."""
    if reader == "images":
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as image:
                return *image.size, 3 if image.mode in ("RGB", "RGBA", "P", "CMYK", "YCbCr") else 1
        except (UnidentifiedImageError, OSError):
            return None
    shape = _attributes(path, ["Columns", "Rows", "SamplesPerPixel"])
    try:
        return tuple(int(shape[name]) for name in ("Columns", "Rows", "SamplesPerPixel"))
    except (KeyError, TypeError, ValueError):
        return None


def _attributes(path: Path, names: list[str]) -> dict[str, Any]:
    """Those of the attributes that a DICOM header has; none of a file that is not read."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=names)
        return {name: header.get(name) for name in names if name in header}
    except (InvalidDicomError, OSError, AttributeError, TypeError, ValueError):
        return {}
