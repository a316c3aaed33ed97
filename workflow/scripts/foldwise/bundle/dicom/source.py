"""What is taken over from the image that an object is about: who it is, which exam, which picture.

A list of names and not the whole header: nothing else of an image gets into what is made of it.
"""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID, generate_uid

# As of pydicom, in the reader: what it says of an image quotes values of its header.
logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"highdicom\b.*")

# Who and which exam: objects of one exam must agree in these, else an archive files them apart.
PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
EXAM = (
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDate",
    "StudyID",
    "StudyInstanceUID",
    "StudyTime",
)
IMAGE = ("BurnedInAnnotation", "Columns", "ImageLaterality", "Laterality", "Modality", "Rows")
IMAGE += ("NumberOfFrames", "PatientOrientation")
IMAGE += ("SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID", "SpecificCharacterSet")
# Where pixels lie in the patient: a segmentation says that of its own.
PLACE = ("FrameOfReferenceUID", "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing")
PLACE += ("SliceThickness",)
# Without these nothing can be said to be about an image.
NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID")


class NotReferable(Exception):
    """No object can be about this file; says why, without a value of its header."""


@dataclass(frozen=True)
class Source:
    """An image by what is taken over of its header, and the UIDs of what is made of it.

    `about`: what the objects say, of which models; equal content has equal UIDs, so that an archive
    that is sent the same twice has it once.
    """

    header: Dataset
    about: str

    def uid(self, *what: str) -> UID:
        """Of an object of this image."""
        return self._uid(self.header.SOPInstanceUID, *what)

    def series_uid(self, *what: str) -> UID:
        """Of a series of this exam: objects of one kind by one bundle lie together."""
        return self._uid(self.header.StudyInstanceUID, "series", *what)

    def _uid(self, *parts: str) -> UID:
        return generate_uid(entropy_srcs=[self.about, *map(str, parts)])


def read_source(path: Path) -> Dataset:
    """The part of a file's header that is taken over. Raises NotReferable."""
    names = [*PATIENT, *EXAM, *IMAGE, *PLACE]
    try:
        dataset = pydicom.dcmread(path, specific_tags=names, stop_before_pixels=True, force=True)
    # pydicom is stricter than the decoder, and says what it met with the header's own text.
    except Exception as error:
        raise NotReferable(f"its header cannot be read ({type(error).__name__})") from None
    lacking = [name for name in NEEDED if not dataset.get(name)]
    if lacking:
        raise NotReferable(f"its header has no {', '.join(lacking)}")
    header = Dataset()
    for name in [name for name in names if name in dataset]:
        header[name] = dataset[name]
    if not all(header.get(name) for name in PLACE):
        # A film has no place in the patient: part of one would only be refused.
        for name in [name for name in PLACE if name in header]:
            del header[name]
    # Required even where empty (type 2); an image that lacks them is common.
    for name in [name for name in (*PATIENT, *EXAM, "Modality") if name not in header]:
        setattr(header, name, None)
    return header
