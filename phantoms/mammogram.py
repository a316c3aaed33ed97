"""A made-up film as a DICOM file: Digital Mammography X-Ray Image Storage - For Presentation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation

from foldwise.files import replacing
from foldwise.hashing import stream_seed
from phantoms.encodings import encoded, is_compressed, stored_bits
from phantoms.fields import levels

FILM_HEIGHT_MM = 240.0
# (row direction, column direction) of each film, as left breasts hang to the right.
ORIENTATIONS = {
    ("CC", "L"): ["A", "R"],
    ("CC", "R"): ["P", "L"],
    ("MLO", "L"): ["A", "FR"],
    ("MLO", "R"): ["P", "FL"],
}
VIEW_CODES = {
    "CC": ("399162004", "cranio-caudal"),
    "MLO": ("399368009", "medio-lateral oblique"),
}


@dataclass(frozen=True)
class Film:
    """Who, when and how: all that a file's header is made from. Dates are YYYYMMDD."""

    seed: int
    patient: str
    name: str
    birth_date: str
    accession: str
    date: str
    view: str
    side: str
    number: int  # of the file within the exam, from 1
    syntax: UID
    inverted: bool = False  # MONOCHROME1
    slope: float = 1.0
    intercept: float = 0.0
    curve: str = "LINEAR"  # VOI LUT function
    manufacturer: str = "PHANTOM WORKS"
    institution: str = "PHANTOM HOSPITAL"


def stored_pixels(film: Film, picture: np.ndarray) -> np.ndarray:
    """Picture float32 (H, W) of values 0..1 as the uint16 pixels that the file holds."""
    bits = stored_bits(film.syntax)
    pixels = levels(picture, bits)
    return (2**bits - 1) - pixels if film.inverted else pixels


def write_film(path: Path, film: Film, pixels: np.ndarray) -> None:
    """Write stored pixels uint16 (H, W) with a whole header; equal input gives equal bytes."""
    dataset = header(film, pixels)
    dataset.PixelData = encoded(pixels, film.syntax, stored_bits(film.syntax))
    dataset["PixelData"].VR = "OW" if not is_compressed(film.syntax) else "OB"
    dataset["PixelData"].is_undefined_length = is_compressed(film.syntax)
    with replacing(path) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)


def header(film: Film, pixels: np.ndarray) -> Dataset:
    """The data set without its pixels."""
    dataset = Dataset()
    dataset.file_meta = _file_meta(film)
    for part in (_patient, _study, _series, _image, _anatomy):
        part(dataset, film)
    _pixel_description(dataset, film, pixels)
    return dataset


def uid(seed: int, *names: str | int) -> str:
    """A UID under 2.25 that depends on the seed and the names alone."""
    return f"2.25.{stream_seed(seed, 'uid', *names)}"


def _file_meta(film: Film) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = uid(film.seed, film.accession, film.number)
    meta.TransferSyntaxUID = film.syntax
    # pydicom would write its own version here, and files would change with it.
    meta.ImplementationClassUID = uid(0, "foldwise")
    meta.ImplementationVersionName = "FOLDWISE"
    return meta


def _patient(dataset: Dataset, film: Film) -> None:
    dataset.PatientName = film.name
    dataset.PatientID = film.patient
    dataset.PatientBirthDate = film.birth_date
    dataset.PatientSex = "F"


def _study(dataset: Dataset, film: Film) -> None:
    dataset.StudyInstanceUID = uid(film.seed, film.accession, "study")
    dataset.StudyDate = dataset.ContentDate = dataset.AcquisitionDate = film.date
    dataset.StudyTime = dataset.ContentTime = dataset.AcquisitionTime = f"0{film.number % 10}1500"
    dataset.AccessionNumber = film.accession
    dataset.ReferringPhysicianName = "PHANTOM^REFERRER"
    dataset.StudyID = film.accession
    dataset.InstitutionName = film.institution


def _series(dataset: Dataset, film: Film) -> None:
    dataset.Modality = "MG"
    dataset.SeriesInstanceUID = uid(film.seed, film.accession, "series", film.view, film.side)
    dataset.SeriesNumber = film.number
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = film.manufacturer


def _image(dataset: Dataset, film: Film) -> None:
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = uid(film.seed, film.accession, film.number)
    dataset.InstanceNumber = film.number
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.PatientOrientation = ORIENTATIONS[film.view, film.side]
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.AcquisitionContextSequence = Sequence()
    dataset.DetectorType = "DIRECT"
    dataset.BreastImplantPresent = "NO"
    dataset.PositionerType = "MAMMOGRAPHIC"
    dataset.OrganExposed = "BREAST"


def _anatomy(dataset: Dataset, film: Film) -> None:
    dataset.ImageLaterality = film.side
    dataset.ViewPosition = film.view
    dataset.BodyPartExamined = "BREAST"
    dataset.AnatomicRegionSequence = Sequence([_code("76752008", "Breast")])
    view = _code(*VIEW_CODES[film.view])
    view.ViewModifierCodeSequence = Sequence()
    dataset.ViewCodeSequence = Sequence([view])


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def _pixel_description(dataset: Dataset, film: Film, pixels: np.ndarray) -> None:
    bits = stored_bits(film.syntax)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if film.inverted else "MONOCHROME2"
    dataset.PresentationLUTShape = "INVERSE" if film.inverted else "IDENTITY"
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if film.inverted else -1
    spacing = f"{FILM_HEIGHT_MM / pixels.shape[0]:.6g}"
    dataset.ImagerPixelSpacing = dataset.PixelSpacing = [spacing, spacing]
    dataset.RescaleSlope, dataset.RescaleIntercept = f"{film.slope:g}", f"{film.intercept:g}"
    dataset.RescaleType = "US"
    low, high = np.percentile(pixels, [2, 99.8]) * film.slope + film.intercept
    dataset.WindowCenter = f"{(low + high) / 2:.0f}"
    dataset.WindowWidth = f"{max(high - low, 2):.0f}"
    dataset.VOILUTFunction = film.curve
