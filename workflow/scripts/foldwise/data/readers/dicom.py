"""DICOM files: which they are, what their headers say, their pixels."""

from pathlib import Path
from typing import Any

from foldwise.data.archive import Listing
from foldwise.data.identity import Names
from foldwise.data.join import by_accession, by_folder, by_path, columns_of
from foldwise.data.readers.base import Columns, Joined, ReadFault
from foldwise.data.table import Table

ENDINGS = {".dcm", ".dicom", ".dic", ".ima"}
TAGS = {
    "patient": ("PatientID",),
    "accession": ("AccessionNumber",),
    "view": ("ViewPosition",),
    "side": ("ImageLaterality", "Laterality"),
    "burned_in": ("BurnedInAnnotation",),
}


class Reader:
    """Reads DICOM. A table may name accessions (folders) or files."""

    kind = "dicom 1"

    def accepts(self, path: Path) -> bool:
        """By the file's ending; a file without one by its first bytes."""
        if path.suffix.lower() in ENDINGS:
            return True
        return not _ending(path) and _begins_as_dicom(path)

    def facts(self, path: Path) -> dict[str, str]:
        """Patient, accession, view, side and whether text is burned in, as the header says.

        Raises ReadFault: empty, not_dicom, not_an_image.
        """
        header = _header(path)
        return {name: _first(header, keywords) for name, keywords in TAGS.items()}

    def rows(
        self, table: Table, listing: Listing, root: Path, layout: str, stated: Columns, names: Names
    ) -> Joined:
        """Join by accession folder or by file, as the table's layout says."""
        columns = columns_of(table, layout, stated)
        if layout == "accession":
            return by_accession(
                table, listing, lambda path: self.accepts(root / path), columns, names
            )
        join = by_folder if layout == "feature_s" else by_path
        return join(table, listing, root, columns, names)


def _ending(path: Path) -> str:
    """The ending, unless it is a part of a UID or a number (`1.2.840.10008`, `IM.0001`)."""
    return "" if path.suffix[1:].isdigit() else path.suffix


def _begins_as_dicom(path: Path) -> bool:
    """Preamble and `DICM`, or the first element of a file that lost both (group 2 or 8)."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(132)
    except OSError:
        return True  # Meant to be read: let it be named as unreadable.
    bare = head[:2] in (b"\x02\x00", b"\x08\x00") and head[3:4] == b"\x00"
    return head[128:] == b"DICM" or bare


def _header(path: Path) -> Any:
    import pydicom
    from pydicom.errors import InvalidDicomError

    if path.stat().st_size == 0:
        raise ReadFault("empty")
    wanted = [*(keyword for keywords in TAGS.values() for keyword in keywords), "Rows"]
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=wanted)
    except InvalidDicomError:
        raise ReadFault("not_dicom") from None
    if "Rows" not in header:
        raise ReadFault("not_an_image")
    return header


def _first(header: Any, keywords: tuple[str, ...]) -> str:
    values = (str(header.get(keyword) or "").strip() for keyword in keywords)
    return next((value for value in values if value), "")
