"""The allow-listed attributes of a DICOM header; no other value of a file is kept."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset

from foldwise.pixels.dicom.groups import GROUPS, group_items
from foldwise.pixels.dicom.stream import faults, open_dicom
from foldwise.pixels.dicom.values import text, values, whole
from foldwise.pixels.source import Source


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
    modality: str
    photometric: str
    rows: int | None


TEXTS = {
    "patient_id": "PatientID",
    "accession": "AccessionNumber",
    "study_uid": "StudyInstanceUID",
    "burned_in": "BurnedInAnnotation",
    "modality": "Modality",
    "photometric": "PhotometricInterpretation",
}
SIDES = ("ImageLaterality", "Laterality", "FrameLaterality")
OTHERS = ["Rows", "ViewPosition", "ViewCodeSequence", "SpecificCharacterSet", *SIDES[:2], *GROUPS]

# Terms of View Position by what View Code Sequence holds (PS3.16 CID 4014 and 4010), as SNOMED CT
# and as the older SNOMED RT. Mammograms need have the sequence alone (PS3.3 C.8.11.7).
VIEWS = {
    "CC": ("399162004", "R-10242"),
    "MLO": ("399368009", "R-10226"),
    "ML": ("399260004", "R-10224"),
    "LM": ("399352003", "R-10228"),
    "LMO": ("399099002", "R-10230"),
    "FB": ("399196006", "R-10244"),
    "SIO": ("399188001", "R-102D0"),
    "ISO": ("441555000", "R-40AAA"),
    "XCC": ("399265009", "Y-X1770"),
    "XCCL": ("399192008", "R-1024A", "Y-X1771"),
    "XCCM": ("399101009", "R-1024B", "Y-X1772"),
    "AP": ("399348003", "R-10206"),
    "PA": ("272479007", "399148009", "R-40888", "R-10214"),
    "LL": ("399173006", "R-10236"),
    "RL": ("399198007", "R-10232"),
    "LATERAL": ("399067008", "R-102CD"),
}
CODES = {code: view for view, codes in VIEWS.items() for code in codes}


def read_header(source: Source) -> Header:
    """The allow-listed attributes; no other value of the file is kept.

    Raises UnreadableImage: missing, not_readable, empty, not_dicom, truncated, damaged,
    long_header.
    """
    keywords = [*TEXTS.values(), *OTHERS]
    with open_dicom(source, keywords) as (dataset, _), faults("damaged"):
        # Enhanced files keep view and side in functional groups; what stands on top goes first.
        places = [dataset, *group_items(dataset)]
        return Header(
            **{name: text(dataset, keyword) for name, keyword in TEXTS.items()},
            view=_view(places),
            laterality=_first(places, SIDES),
            transfer_syntax=text(dataset.file_meta, "TransferSyntaxUID"),
            rows=whole(dataset, "Rows"),
        )


def _first(places: list[Dataset], keywords: tuple[str, ...]) -> str:
    texts = (text(place, keyword) for keyword in keywords for place in places)
    return next((value for value in texts if value), "")


def _view(places: list[Dataset]) -> str:
    """A term of View Position, else what View Code Sequence says, else whatever stands there."""
    position = _first(places, ("ViewPosition",))
    coded = next((CODES[code] for code in _codes(places) if code in CODES), "")
    # A writer's own word is kept as the last resort: a filter of views may name it.
    return position if position.upper() in VIEWS else coded or position


def _codes(places: list[Dataset]) -> Iterator[str]:
    for place in places:
        for item in values(place, "ViewCodeSequence"):
            yield text(item, "CodeValue") or text(item, "LongCodeValue")
