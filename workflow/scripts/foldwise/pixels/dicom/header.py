"""The allow-listed attributes of a DICOM header; no other value of a file is kept."""

from dataclasses import dataclass
from pathlib import Path

from foldwise.pixels.dicom.stream import faults, open_dicom
from foldwise.pixels.dicom.values import text, whole


@dataclass(frozen=True)
class Header:
    """What a study uses of a header. Patient and accession stay in `private/`."""

    patient_id: str
    accession: str
    study_uid: str
    view: str
    laterality: str
    transfer_syntax: str
    burned_in: str
    rows: int | None


TEXTS = {
    "patient_id": "PatientID",
    "accession": "AccessionNumber",
    "study_uid": "StudyInstanceUID",
    "view": "ViewPosition",
    "laterality": "ImageLaterality",
    "burned_in": "BurnedInAnnotation",
}
OTHERS = ["Rows", "Laterality", "SpecificCharacterSet"]


def read_header(path: str | Path) -> Header:
    """The allow-listed attributes; no other value of the file is kept.

    Raises UnreadableImage: missing, not_readable, empty, not_dicom, truncated, damaged.
    """
    keywords = [*TEXTS.values(), *OTHERS]
    with open_dicom(path, keywords) as (dataset, _), faults("damaged"):
        found = {name: text(dataset, keyword) for name, keyword in TEXTS.items()}
        found["laterality"] = found["laterality"] or text(dataset, "Laterality")
        syntax = text(dataset.file_meta, "TransferSyntaxUID")
        return Header(**found, transfer_syntax=syntax, rows=whole(dataset, "Rows"))
