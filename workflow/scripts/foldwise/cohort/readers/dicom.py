"""DICOM files: which they are, what their headers say, their pixels."""

import logging
import warnings
from pathlib import Path

from foldwise.cohort.archive import HeaderFacts, Listing
from foldwise.cohort.identity import Names
from foldwise.cohort.join import by_layout
from foldwise.cohort.readers.base import Columns, Joined, ReadFault
from foldwise.cohort.tables.table import Table
from foldwise.pixels.dicom.header import read_header
from foldwise.pixels.dicom.stream import looks_like_dicom

ENDINGS = {".dcm", ".dicom", ".dic", ".ima"}

# What pydicom says of a file quotes header values. Several threads read headers, so its voice is
# not lowered and raised around each call but kept down for good.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom\b.*")


class Reader:
    """Reads DICOM. A table may name accessions (folders) or files."""

    kind = "dicom 4"

    def accepts(self, path: Path) -> bool:
        """By the file's ending; a file without one by its first bytes."""
        if path.suffix.lower() in ENDINGS:
            return True
        return not _ending(path) and _begins_as_dicom(path)

    def facts(self, path: Path) -> HeaderFacts:
        """What the header says, all of it.

        Raises ReadFault not_an_image, and UnreadableImage as `read_header` does.
        """
        header = read_header(path)
        # Rows are what every image has and no report, plan or index.
        if header.rows is None:
            raise ReadFault("not_an_image")
        return HeaderFacts(
            patient=header.patient_id,
            accession=header.accession,
            study_uid=header.study_uid,
            view=header.view,
            side=header.laterality,
            burned_in=header.burned_in,
            modality=header.modality,
            photometric=header.photometric,
            syntax=header.transfer_syntax,
        )

    def rows(
        self, table: Table, listing: Listing, layout: str, stated: Columns, names: Names
    ) -> Joined:
        """Join by accession folder or by file, as the table's layout says."""
        return by_layout(table, listing, layout, stated, names, self.accepts)


def _ending(path: Path) -> str:
    """The ending, unless it is a part of a UID or a number (`1.2.840.10008`, `IM.0001`)."""
    return "" if path.suffix[1:].isdigit() else path.suffix


def _begins_as_dicom(path: Path) -> bool:
    try:
        with open(path, "rb") as stream:
            return looks_like_dicom(stream.read(1024))
    except OSError:
        return True  # Meant to be read: let it be named as unreadable.
