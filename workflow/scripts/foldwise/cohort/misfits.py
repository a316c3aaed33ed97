"""Tables and archives that do not fit each other: what is there, and what was probably meant.

Folders of an archive may be named by patients: messages show shapes and counts, and of names only
that of a folder in which the exams of many rows lie.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from foldwise.cohort.archive import Listing
from foldwise.cohort.tables.naming import ZeroPadded
from foldwise.errors import FoldwiseError, plural

# Below this share of fitting rows the root or the column is probably wrong, not a few rows.
FITTING = 0.5
MOST_SHAPES, LOOKED_AT = 3, 50


def check_fit(table: str, ids: list[str], listing: Listing) -> None:
    """Raise FoldwiseError when few ids have a folder and another root or way would fit more."""
    folders = listing.within()
    here = sum(one in folders for one in ids)
    if not ids or here >= FITTING * len(ids) or listing.by_header is not None:
        return
    inner = _below(ids, listing)
    # More than one: a single folder of an equal name may be chance.
    if inner and inner[0] > max(here, 1):
        fits, folder = inner
        raise FoldwiseError(
            f"{table}: {here} of {plural(len(ids), 'id')} have a folder in data.root; {folder}/ "
            f"inside it fits {fits} of {len(ids)}. Set data.root to that folder."
        )
    if not here and folders:
        raise FoldwiseError(
            f"{table}: none of {plural(len(ids), 'id')} has a folder in data.root. The table's ids "
            f"are {_shapes(ids)}; the folders there {_shapes(folders)}. Correct data.root or "
            "data.columns.accession, or set data.match: header, by which DICOM files are found by "
            "the AccessionNumber, StudyInstanceUID or PatientID of their headers."
        )


def _below(ids: list[str], listing: Listing) -> tuple[int, str] | None:
    """The folder in the root whose own folders fit most ids, and how many."""
    inner: dict[str, set[str]] = defaultdict(set)
    for path in listing.files:
        top, _, rest = path.partition("/")
        if "/" in rest:
            inner[top].add(rest.partition("/")[0])
    padded = {top: ZeroPadded(names) for top, names in inner.items()}
    fits = [(sum(p.of(one) in p.names for one in ids), top) for top, p in padded.items()]
    return max(fits, default=None)


def _shapes(texts: list[str] | dict) -> str:
    """What ids look like, without one of them: `8 digits (95), UIDs (3)`."""
    counts = Counter(map(_shape, texts)).most_common(MOST_SHAPES)
    return ", ".join(f"{shape} ({number})" for shape, number in counts)


def _shape(text: str) -> str:
    if text.isdigit():
        return plural(len(text), "digit")
    if text.replace(".", "").isdigit() and text.count(".") > 3:
        return "a UID"
    return f"text of {plural(len(text), 'character')}"


def check_root(paths: list[str], listing: Listing, table: str) -> None:
    """Raise FoldwiseError when the paths would fit, were data.root another folder."""
    inner = sum(path.partition("/")[2] in listing.files for path in paths)
    ends = {path.partition("/")[2] for path in listing.files}
    outer = sum(path in ends for path in paths)
    if inner or outer:
        way = "the folder above" if inner else "a folder in it"
        raise FoldwiseError(
            f"{table}: none of {len(paths)} image paths is below data.root, but {inner or outer} "
            f"would be if data.root were {way}. Paths are relative to data.root: change it so."
        )


def check_reader(reader: str, accepts: Callable[[Path], bool], listing: Listing) -> None:
    """Raise FoldwiseError for an archive in which the reader meets no file of its kind."""
    # A look into some files is enough to say what they are; an archive has many thousands.
    paths = sorted(listing.files)[:LOOKED_AT]
    if not paths or any(accepts(listing.root / path) for path in listing.files):
        return
    dicom = sum(map(_is_dicom, (listing.root / path for path in paths)))
    endings = Counter(os.path.splitext(path)[1].lower() or "no ending" for path in listing.files)
    shown = ", ".join(f"{ending} ({n})" for ending, n in endings.most_common(MOST_SHAPES))
    hint = "They are DICOM: set data.reader: dicom." if dicom else "Name another data.reader."
    raise FoldwiseError(
        f"data.reader is {reader}, and none of {plural(len(listing.files), 'file')} in data.root "
        f"is of its kind; their endings: {shown}. {hint}"
    )


def _is_dicom(path: Path) -> bool:
    """By the four letters after the preamble (PS3.10 7.1)."""
    try:
        with open(path, "rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False
