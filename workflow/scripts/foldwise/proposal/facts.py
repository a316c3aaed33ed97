"""What can be seen of an archive and a table of labels before any study file says what they are."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from foldwise.cohort.archive import list_archive
from foldwise.cohort.tables.table import Table, TableSettings, read_table
from foldwise.errors import FoldwiseError

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".pgm")
# Files whose size is looked at: enough for a median, and quick in an archive of any size.
SAMPLED = 200
# More values than this are names or numbers, and no classes.
MOST_CLASSES = 20
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
    "patient": ("patient", "patientid", "patient_id", "subject", "subject_id", "case", "specimen"),
}


@dataclass(frozen=True)
class Facts:
    """What a proposal goes by; `classes`: groups that have each label."""

    reader: str
    format: str
    columns: dict[str, str]
    images: int
    groups: int
    classes: dict[str, int]
    width: int
    height: int
    channels: int


def look(root: Path, path: Path, label: str | None = None) -> Facts:
    """Look at the archive's names and a sample of its headers, and at the table.

    `label`: the column of the label; None looks for it.

    Raises FoldwiseError where no column names the images, or none can be the label.
    """
    files = sorted(list_archive(root).files)
    table = read_table(TableSettings(path=str(path), format="paths"))
    reader, own = _reader(root, files)
    key, named = _image_column(table, own, root)
    columns = {key: named, "label": label or _label_column(table, named)}
    table.need(columns)
    patient = _usual_column(table, "patient", {*columns.values()})
    columns |= {"patient": patient} if patient else {}
    groups = defaultdict(set)
    for row in table.rows:
        if row.get(columns["label"]):
            groups[row.get(columns["label"])].add(row.get(patient or named))
    width, height, channels = _shape(root, own, reader)
    return Facts(
        reader=reader,
        format="accession" if key == "accession" else "paths",
        columns=columns,
        images=len(own),
        groups=len({row.get(patient or named) for row in table.rows}),
        classes={label: len(groups[label]) for label in sorted(groups)},
        width=width,
        height=height,
        channels=channels,
    )


def _reader(root: Path, files: Sequence[str]) -> tuple[str, list[str]]:
    """The reader for most of the files, and the files that it reads."""
    pictures = [name for name in files if name.lower().endswith(PICTURES)]
    others = [name for name in files if name not in set(pictures)]
    # Fifty: an archive may begin with notes and tables, and opening all would take long.
    films = others if any(_is_dicom(root / name) for name in others[:50]) else []
    if not films and not pictures:
        raise FoldwiseError(
            f"{root}: {len(files)} files, and none that is a DICOM file or a picture. Name the "
            "folder that holds the images."
        )
    return ("dicom", films) if len(films) >= len(pictures) else ("images", pictures)


def _is_dicom(path: Path) -> bool:
    with open(path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _image_column(table: Table, files: Sequence[str], root: Path) -> tuple[str, str]:
    """`image` or `accession`, and the column whose cells name most of the archive's files."""
    paths = {form for name in files for form in (name, PurePosixPath(name).name)}
    folders = {step for name in files for step in PurePosixPath(name).parts[:-1]}
    scores = {}
    for column in table.columns:
        cells = [row.get(column) for row in table.rows]
        for key, there in (("image", paths), ("accession", folders)):
            scores[key, column] = sum(cell in there for cell in cells) / len(cells)
    best = max(scores, key=lambda one: scores[one])
    # Some rows may have no image in the archive; where most have none it is the wrong column.
    if scores[best] < 0.5:
        above = {f"{root.name}/{name}" for name in files}
        if any(row.get(column) in above for row in table.rows for column in table.columns):
            raise FoldwiseError(
                f"{table.path}: its paths begin with {root.name}/: name the folder above, "
                f"{root.parent}, as the archive."
            )
        raise FoldwiseError(
            f"{table.path}: no column whose cells are files or folders of the archive (best: "
            f"'{best[1]}', {scores[best]:.0%}). data.root may be one level off; copy a file of "
            "config/studies and name the columns there."
        )
    return best


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
        # In a short table names of patients are few as well; a label is shared by several rows.
        and max(Counter(row.get(column) for row in table.rows).values()) > 1
    ]
    if len(few) != 1:
        raise FoldwiseError(
            f"{table.path}: {len(few)} columns could be the label.{table.listed()} Name it with "
            "--label."
        )
    return few[0]


def _usual_column(table: Table, role: str, taken: set[str]) -> str | None:
    known = {column.lower().replace(" ", "_"): column for column in table.columns}
    found = [known[name] for name in USUAL[role] if name in known and known[name] not in taken]
    return found[0] if found else None


def _shape(root: Path, files: Sequence[str], reader: str) -> tuple[int, int, int]:
    """Median width and height in pixels, and channels of most, of an even sample of the files."""
    step = max(1, len(files) // SAMPLED)
    # Evenly over the sorted names: the first files may all be of one scanner.
    shapes = [shape for name in files[::step] if (shape := _size_of(root / name, reader))]
    if not shapes:
        raise FoldwiseError(f"{root}: no file of a sample of {len(files[::step])} could be read.")
    # Median: a few thumbnails or huge scans decide nothing.
    width, height = (int(statistics.median(one)) for one in list(zip(*shapes, strict=True))[:2])
    return width, height, statistics.mode(shape[2] for shape in shapes)


def _size_of(path: Path, reader: str) -> tuple[int, int, int] | None:
    """Width, height and channels from a file's header; None where it says none."""
    if reader == "images":
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as image:
                return *image.size, 3 if image.mode in ("RGB", "RGBA", "P", "CMYK", "YCbCr") else 1
        except (UnidentifiedImageError, OSError):
            return None
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    wanted = ["Rows", "Columns", "SamplesPerPixel"]
    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=wanted)
        return int(header.Columns), int(header.Rows), int(header.SamplesPerPixel)
    except (InvalidDicomError, OSError, AttributeError, TypeError, ValueError):
        return None
