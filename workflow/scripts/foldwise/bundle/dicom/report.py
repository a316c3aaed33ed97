"""A structured report of one image's answers: TID 1500 (PS3.16), as Comprehensive SR.

Numbers are measurements, classes are qualitative evaluations. Concepts that DICOM has no code for
have one of the private scheme 99FOLDWISE, made of their text, so that equal ones are equal.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.sr.codedict import codes

from foldwise import __version__
from foldwise.bundle.dicom.source import Source
from foldwise.bundle.reliance import BETWEEN, SETS
from foldwise.evaluate.metrics.heads import columns_of
from foldwise.hashing import digest

REPORTS = 7001  # number of the series: above those of scanners
SCHEME, MAKER = "99FOLDWISE", "Foldwise"
MOST_LETTERS = 64  # of a code's meaning (LO)
# Column -> what it measures and its unit, of answers that are no classes.
NUMBERS = {
    "predicted": ("Segmented pixels of the prepared picture", "{pixels}", "pixels"),
    "objects_predicted": ("Segmented objects", "{objects}", "objects"),
    "object_pixels_predicted": ("Median size of an object", "{pixels}", "pixels"),
    "distance": ("Distance from the training images in features", "1", "no units"),
    "grey_distance": ("Distance from the training images in grey levels", "1", "no units"),
}
SPREAD = codes.SCT.StandardDeviation
TITLES = {"set": "Conformal set", "set_by_class": "Conformal set, by class"}


def concept(text: str) -> sr.CodedConcept:
    """A code of the private scheme for a text."""
    # A backslash would part it into two values.
    meaning = text.replace("\\", "/")
    return sr.CodedConcept(digest(text, 12).upper(), SCHEME, meaning[:MOST_LETTERS])


def report(
    source: Source, row: Mapping[str, str], manifest: Mapping[str, Any], number: int
) -> sr.ComprehensiveSR:
    """The report of a row of the table of predictions; `number` of the instance in its series."""
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=source.uid("device"), name=MAKER, manufacturer_name=MAKER, model_name=__version__
    )
    context = sr.ObservationContext(
        observer_device_context=sr.ObserverContext(codes.DCM.Device, device)
    )
    content = sr.MeasurementReport(
        observation_context=context,
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=list(groups(source, row, manifest)),
        title=codes.DCM.ImagingMeasurementReport,
    )
    scheme = CodingSchemeIdentificationItem(SCHEME, name="Concepts of Foldwise by their text")
    return sr.ComprehensiveSR(
        evidence=[source.header],
        content=content[0],
        series_instance_uid=source.series_uid("report"),
        series_number=REPORTS,
        series_description="Foldwise: predictions",
        sop_instance_uid=source.uid("report"),
        instance_number=number,
        manufacturer=MAKER,
        # Nobody has looked at it: it is neither final nor verified.
        is_complete=True,
        software_versions=__version__,
        specific_character_set="ISO_IR 192",
        coding_schemes=[scheme],
    )


def groups(
    source: Source, row: Mapping[str, str], manifest: Mapping[str, Any]
) -> Iterator[sr.MeasurementsAndQualitativeEvaluations]:
    """A group of measurements a part of the answer, and one of numbers that are of no class."""
    parts = {name: of_classes(name, classes, row) for name, classes in manifest["classes"].items()}
    for name, (measured, evaluations) in (parts | {"image": (of_numbers(row), [])}).items():
        if measured or evaluations:
            yield sr.MeasurementsAndQualitativeEvaluations(
                tracking_identifier=sr.TrackingIdentifier(source.uid(name), name or "answer"),
                algorithm_id=algorithm(manifest),
                finding_type=concept(name) if name in manifest["classes"] and name else None,
                measurements=measured,
                qualitative_evaluations=evaluations,
                source_images=[
                    sr.SourceImageForMeasurementGroup(
                        source.header.SOPClassUID, source.header.SOPInstanceUID
                    )
                ],
            )


def algorithm(manifest: Mapping[str, Any]) -> sr.AlgorithmIdentification:
    """Which bundle answered: its study, the version that wrote it, the digest of its files."""
    return sr.AlgorithmIdentification(
        name=manifest["study"],
        version=f"{manifest['foldwise']} {digest(manifest['files'])}",
        manufacturer=MAKER,
    )


def of_classes(
    name: str, classes: Sequence[str], row: Mapping[str, str]
) -> tuple[list[sr.Measurement], list[sr.QualitativeEvaluation]]:
    """Probabilities with their spread, and the class and sets that are answered."""
    end, prefix = f"_{name}" if name else "", columns_of(name)[1]
    measured = []
    for one in classes:
        for before, title in (("", "Probability"), ("calibrated_", "Calibrated probability")):
            column = f"{before}{prefix}{one}"
            measured += quantity(row, column, f"{title} of {one}", "1", "no units")
    evaluations = [
        sr.QualitativeEvaluation(concept("Predicted class"), concept(row[f"predicted{end}"]))
    ]
    for column in SETS.values():
        title = concept(TITLES[column])
        if f"{column}{end}" in row:
            # An empty set is an answer as well: no class fits.
            inside = row[f"{column}{end}"].split(BETWEEN) if row[f"{column}{end}"] else ["No class"]
            evaluations += [sr.QualitativeEvaluation(title, concept(one)) for one in inside]
    return measured, evaluations


def of_numbers(row: Mapping[str, str]) -> list[sr.Measurement]:
    """Numbers of the whole image."""
    return [
        one for column, quantities in NUMBERS.items() for one in quantity(row, column, *quantities)
    ]


def quantity(
    row: Mapping[str, str], column: str, title: str, unit: str, meaning: str
) -> Iterator[sr.Measurement]:
    """A number of the table and its spread over the models, of those that it has."""
    units = sr.CodedConcept(unit, "UCUM", meaning)
    for name, derivation in ((column, None), (f"sd_{column}", SPREAD)):
        if _is_number(row.get(name, "")):
            yield sr.Measurement(concept(title), float(row[name]), units, derivation=derivation)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
