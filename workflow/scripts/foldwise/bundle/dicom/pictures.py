"""Pictures beside an image: Grad-CAM as a secondary capture, a predicted mask as a segmentation."""

from collections.abc import Mapping
from typing import Any

import cv2
import highdicom as hd
import numpy as np
from highdicom import seg
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from foldwise import __version__
from foldwise.bundle.dicom.report import MAKER, concept
from foldwise.bundle.dicom.source import Source
from foldwise.hashing import digest
from foldwise.pixels.fit import Place

CAPTURES, MASKS = 7002, 7003  # numbers of the series


def capture(
    source: Source, picture_hwc: np.ndarray, part: str, description: str, number: int
) -> hd.sc.SCImage:
    """A colour picture (H, W, 3) uint8 as the network sees it, with a map laid over it.

    `said`: what the map is of.
    """
    header = source.header
    made = hd.sc.SCImage.from_ref_dataset(
        ref_dataset=header,
        pixel_array=picture_hwc,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        series_instance_uid=source.series_uid("gradcam"),
        series_number=CAPTURES,
        series_description="Foldwise: Grad-CAM",
        sop_instance_uid=source.uid("gradcam", part),
        instance_number=number,
        manufacturer=MAKER,
        patient_orientation=("L", "F"),
        software_versions=__version__,
        specific_character_set="ISO_IR 192",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    # Asked for by the library, and known only where the image says so: empty is allowed.
    made.PatientOrientation = header.get("PatientOrientation", None)
    sides = {header.get("Laterality"), header.get("ImageLaterality")} & {"L", "R"}
    made.Laterality = sides.pop() if len(sides) == 1 else None
    made.ConversionType = "WSD"
    made.DerivationDescription = description
    if "BurnedInAnnotation" in header:
        made.BurnedInAnnotation = header.BurnedInAnnotation
    made.SourceImageSequence = [_reference(header)]
    return made


def _reference(header: Dataset) -> Dataset:
    one = Dataset()
    one.ReferencedSOPClassUID = header.SOPClassUID
    one.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return one


def on_source(map_hw: np.ndarray, where: Place, size: int, shape: tuple[int, int]) -> np.ndarray:
    """A map of a prepared picture on the pixels of its image, bilinear; 0 where none was prepared.

    map_hw: of any side; `where` tells which part of the image became which of `size` pixels.
    """
    whole = cv2.resize(map_hw, (size, size), interpolation=cv2.INTER_LINEAR)
    top, left = where.top_row, where.left_column
    inside = whole[top : top + where.rows, left : left + where.columns]
    first_row, last_row, first_column, last_column = (round(edge) for edge in where.box)
    out = np.zeros(shape, np.float32)
    wide = last_column - first_column, last_row - first_row
    out[first_row:last_row, first_column:last_column] = cv2.resize(
        inside, wide, interpolation=cv2.INTER_LINEAR
    )
    return out


def segmentation(
    source: Source, mask_hw: np.ndarray, manifest: Mapping[str, Any], number: int
) -> seg.Segmentation:
    """A binary mask (rows, columns) of the image as a segmentation object of one segment."""
    name, version = manifest["study"], f"{manifest['foldwise']} {digest(manifest['files'])}"
    algorithm = hd.AlgorithmIdentificationSequence(
        name, codes.DCM.ArtificialIntelligence, version, source=MAKER
    )
    segment = seg.SegmentDescription(
        segment_number=1,
        segment_label=name[:64],
        # What was learned has a name in the study's own words only: no code that claims a finding.
        segmented_property_category=codes.SCT.SpatialAndRelationalConcept,
        segmented_property_type=concept("Foreground as the study's masks have it"),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
    )
    made = seg.Segmentation(
        source_images=[source.header],
        pixel_array=mask_hw.astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[segment],
        series_instance_uid=source.series_uid("mask"),
        series_number=MASKS,
        sop_instance_uid=source.uid("mask"),
        instance_number=number,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=__version__,
        # Of a program there is none; the standard wants something to stand there.
        device_serial_number=version,
        series_description="Foldwise: segmentation",
        omit_empty_frames=False,
    )
    if "ImageOrientationPatient" not in source.header:
        made.PatientOrientation = source.header.get("PatientOrientation", None)
    return made
