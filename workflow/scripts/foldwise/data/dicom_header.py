"""The allow-listed attributes of a DICOM header; no other value of a file is kept."""

from dataclasses import dataclass
from pathlib import Path

from foldwise.data.dicom_stream import faults, open_dicom
from foldwise.data.dicom_values import text, whole


@dataclass(frozen=True)
class Header:
    """The attributes that a study may use. Those of the first block stay in `private/`."""

    patient_id: str
    accession: str
    study_instance: str
    sop_instance: str
    study_date: str

    view: str
    laterality: str
    modality: str
    presentation: str
    photometric: str
    transfer_syntax: str
    burned_in: str
    rows: int | None
    columns: int | None
    frames: int
    samples: int
    bits_stored: int | None


TEXTS = {
    "patient_id": "PatientID",
    "accession": "AccessionNumber",
    "study_instance": "StudyInstanceUID",
    "sop_instance": "SOPInstanceUID",
    "study_date": "StudyDate",
    "view": "ViewPosition",
    "laterality": "ImageLaterality",
    "modality": "Modality",
    "presentation": "PresentationIntentType",
    "photometric": "PhotometricInterpretation",
    "burned_in": "BurnedInAnnotation",
}
WHOLE = {"rows": "Rows", "columns": "Columns", "bits_stored": "BitsStored"}
OTHERS = ["Laterality", "NumberOfFrames", "SamplesPerPixel", "SpecificCharacterSet"]


def read_header(path: str | Path) -> Header:
    """The allow-listed attributes; no other value of the file is kept.

    Raises UnreadableImage: missing, not_readable, empty, not_dicom, truncated, damaged.
    """
    keywords = [*TEXTS.values(), *WHOLE.values(), *OTHERS]
    with open_dicom(path, keywords) as (dataset, _), faults("damaged"):
        found = {name: text(dataset, keyword) for name, keyword in TEXTS.items()}
        found["laterality"] = found["laterality"] or text(dataset, "Laterality")
        return Header(
            **found,
            **{name: whole(dataset, keyword) for name, keyword in WHOLE.items()},
            transfer_syntax=text(dataset.file_meta, "TransferSyntaxUID"),
            frames=whole(dataset, "NumberOfFrames", 1),
            samples=whole(dataset, "SamplesPerPixel", 1),
        )
