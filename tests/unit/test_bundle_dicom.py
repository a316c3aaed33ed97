"""Predictions as DICOM objects: read back by pydicom, in the exam of their image, and no more."""

from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import torch
from pydicom.uid import generate_uid

from dicoms import write
from foldwise.bundle.dicom.pictures import on_source, segmentation
from foldwise.bundle.dicom.source import Source, read_source
from foldwise.bundle.members import facts_of, model_name, weights_of
from foldwise.bundle.portable import portable_params
from foldwise.bundle.predict import Request, predict
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, read_json
from foldwise.pixels.fit import place
from foldwise.registry import load as load_entry
from foldwise.settings.bundle_file import write_bundle
from foldwise.train.job import FoldJob
from foldwise.train.predict import KeptModel, build_model
from made_bundles import CANARY, CLASSES, make, write_pictures
from made_masks import mask_params

LOOKS = {"modality": {"MG": 48}, "colour": {"grey": 48}}
PATIENT = {"PatientName": "Müller^Zoë", "PatientID": "Q-17", "PatientSex": "F"}
PATIENT |= {
    "PatientBirthDate": "19610203",
    "AccessionNumber": "A9",
    "SpecificCharacterSet": "ISO_IR 100",
}
# What a header has of people and that no object takes over.
OTHERS = {"OperatorsName": CANARY, "InstitutionName": CANARY, "PatientAddress": CANARY}


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    return make(tmp_path_factory.mktemp("bundle"), number=48, looks=LOOKS)


def film(path: Path, **named: str) -> Path:
    """A mammogram of noise in an exam of its own."""
    path.parent.mkdir(exist_ok=True)
    random = np.random.default_rng(sum(map(ord, path.name)))
    uids = {f"{one}InstanceUID": generate_uid() for one in ("Study", "Series", "SOP")}
    own = {"Modality": "MG"} | uids | PATIENT | OTHERS | named
    write(path, random.integers(0, 256, (44, 40), dtype=np.uint8), "raw", 8, **own)
    return path


def predicted(bundled, folder, out, **more):
    predict(Request(str(bundled.bundle), (str(folder),), out, reader="dicom", dicom=True, **more))
    private = out.parent / "private" / out.stem
    return private / "dicom", {row["sample"]: row for row in read_csv(private / "dicom.csv")}


def values_of(report):
    """(concept, whether a spread) -> number, and concept -> meanings, by highdicom's own reader."""
    content = hd.sr.srread(report).content
    groups = content.get_image_measurement_groups()
    numbers = {}
    for group in groups:
        for one in group.get_measurements():
            spread = one.derivation is not None
            numbers[one.name.meaning, spread] = one.value
    said: dict[str, list[str]] = {}
    for group in groups:
        for one in group.get_qualitative_evaluations():
            said.setdefault(one.name.meaning, []).append(one.value.meaning)
    return numbers, said, groups


def test_a_report_says_what_the_table_says(bundled, tmp_path):
    film(tmp_path / "in/a.dcm")
    film(tmp_path / "in/b.dcm")
    folder, _ = predicted(bundled, tmp_path / "in", tmp_path / "p.csv")
    for row in read_csv(tmp_path / "p.csv"):
        numbers, said, groups = values_of(folder / f"{row['sample']}_report.dcm")
        for name in CLASSES:
            assert numbers[f"Probability of {name}", False] == float(row[f"p_{name}"])
            assert numbers[f"Probability of {name}", True] == float(row[f"sd_p_{name}"])
            calibrated = float(row[f"calibrated_p_{name}"])
            assert numbers[f"Calibrated probability of {name}", False] == calibrated
        assert said["Predicted class"] == [row["predicted"]]
        assert "|".join(said["Conformal set"]) == (row["set"] or "No class")
        texts = {
            item.ConceptNameCodeSequence[0].CodeMeaning: item.TextValue
            for group in groups
            for item in group[0].ContentSequence
            if item.ValueType == "TEXT"
        }
        assert texts["Algorithm Name"] == "made" and texts["Algorithm Version"].startswith("0.1.0 ")


def test_objects_lie_in_the_exam_and_hold_nothing_else_of_the_header(bundled, tmp_path):
    image = pydicom.dcmread(film(tmp_path / "in/a.dcm"))
    folder, listed = predicted(bundled, tmp_path / "in", tmp_path / "p.csv")
    made = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    assert [one.Modality for one in made] == ["OT", "SR"]
    for one in made:
        for name in (*PATIENT, "StudyInstanceUID"):
            if name != "SpecificCharacterSet":
                assert str(one[name].value) == str(image[name].value)
        assert one.SOPInstanceUID != image.SOPInstanceUID
        assert one.SeriesInstanceUID != image.SeriesInstanceUID
        referenced = [e.value for e in one.iterall() if e.keyword == "ReferencedSOPInstanceUID"]
        assert set(referenced) == {image.SOPInstanceUID}
    assert not [p for p in folder.iterdir() if CANARY.encode() in p.read_bytes()]
    assert folder.stat().st_mode & 0o77 == 0
    public = [p for p in tmp_path.iterdir() if p.is_file()]
    assert public and not [p for p in public if b"Q-17" in p.read_bytes()]
    names = {name for row in listed.values() for name in row["objects"].split()}
    assert names == {path.name for path in folder.iterdir()}


def test_a_capture_shows_the_picture_and_its_map(bundled, tmp_path):
    film(tmp_path / "in/a.dcm", ImageLaterality="R")
    folder, _ = predicted(bundled, tmp_path / "in", tmp_path / "p.csv")
    (path,) = folder.glob("*_gradcam.dcm")
    found = pydicom.dcmread(path)
    assert found.pixel_array.shape == (32, 32, 3)
    assert found.Laterality == "R"
    assert found.DerivationDescription.endswith("mean of 2 models")
    assert (found.pixel_array[..., 0] != found.pixel_array[..., 2]).any()  # it is in colour


def test_a_network_without_places_gets_a_report_alone(bundled, tmp_path, monkeypatch):
    # One that reads a text with the image has none: what speaks for a class is in both.
    monkeypatch.delattr("foldwise.models.vision.VisionModel.gradcam_layer")
    film(tmp_path / "in/a.dcm")
    folder, _ = predicted(bundled, tmp_path / "in", tmp_path / "p.csv")
    assert [path.name.partition("_")[2] for path in folder.iterdir()] == ["report.dcm"]


def test_what_is_there_is_not_made_again_and_of_other_answers_is(bundled, tmp_path):
    film(tmp_path / "in/a.dcm")
    folder, _ = predicted(bundled, tmp_path / "in", tmp_path / "p.csv")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    predicted(bundled, tmp_path / "in", tmp_path / "p.csv")
    assert {path: path.stat().st_mtime_ns for path in before} == {
        p: t for p, (t, _) in before.items()
    }
    predicted(bundled, tmp_path / "in", tmp_path / "p.csv", folds=(1,))
    assert all(path.read_bytes() != content for path, (_, content) in before.items())


def test_an_image_of_no_exam_is_listed_with_the_reason_and_predicted(bundled, tmp_path, caplog):
    film(tmp_path / "in/a.dcm", StudyInstanceUID="")
    film(tmp_path / "in/b.dcm", PatientSex="unclear")
    folder, listed = predicted(bundled, tmp_path / "in", tmp_path / "p.csv")
    assert len(read_csv(tmp_path / "p.csv")) == 2
    reasons = {Path(row["file"]).name: row["reason"] for row in listed.values()}
    assert reasons["a.dcm"] == "its header has no StudyInstanceUID"
    assert reasons["b.dcm"].startswith("its header holds what no object may take over")
    assert list(folder.iterdir()) == []
    assert read_json(tmp_path / "p_about.json")["dicom"]["objects"] == 0
    assert "1 image without a DICOM object" in caplog.text and "unclear" not in caplog.text


def test_objects_among_the_images_are_no_images_of_the_next_run(bundled, tmp_path):
    film(tmp_path / "in/a.dcm")
    for _ in range(2):
        _, listed = predicted(bundled, tmp_path / "in", tmp_path / "in/out/p.csv")
        assert len(listed) == 1
        assert len(read_csv(tmp_path / "in/out/private/p/files.csv")) == 1


def test_pictures_are_refused_before_anything_is_decoded(bundled, tmp_path):
    with pytest.raises(FoldwiseError, match="read as 'images', which belong to no exam"):
        predict(
            Request(str(bundled.bundle), (str(bundled.pictures),), tmp_path / "p.csv", dicom=True)
        )
    assert not (tmp_path / "private").exists()


@pytest.fixture(scope="module")
def segmenting(tmp_path_factory):
    """A bundle of a network that segments and has learned nothing: its masks are what they are."""
    params = mask_params(32, image__fit="letterbox", image__window="minmax")
    task = load_entry("TASKS", "segmentation")(params["task"])
    job = FoldJob(params, task, {}, None, 1, Path())
    kept = KeptModel(build_model(job).eval(), ([0.5], [0.25]), 32, 1)
    width = len(kept.model.answer(torch.zeros(1, 1, 32, 32))[1][0])
    features = {"mean": [0.0] * width, "std": [1.0] * width, "far": 1.0, "n": 4}
    spread = {"n": 4, "mean": 0.5, "std": 0.1, "deciles": []}
    manifest = {
        "foldwise": "0.1.0", "study": "cells", "reader": "pairs", "group_by": "patient",
        "licence": None, "params": portable_params(params, "cells"), "classes": {}, "overlap": None,
        "members": [{"fold": 1, "features": features} | facts_of(kept)],
        "reliability": {"reason": "no classes", "error": None, "parts": {}},
        "looks": {"modality": {}, "colour": {}},
        "cohort": {"intensity": {"mean": spread, "contrast": spread}},
    }  # fmt: skip
    path = tmp_path_factory.mktemp("cells") / "cells.zip"
    write_bundle(path, manifest, {model_name(1): weights_of(kept.model)})
    return path


def test_a_model_that_segments_takes_films_and_answers_with_a_mask(segmenting, tmp_path):
    image = pydicom.dcmread(film(tmp_path / "in/a.dcm"))
    request = Request(str(segmenting), (str(tmp_path / "in"),), tmp_path / "p.csv", "dicom")
    predict(replace(request, dicom=True))
    (row,) = read_csv(tmp_path / "p.csv")
    mask, report = sorted((tmp_path / "private/p/dicom").iterdir())
    found = pydicom.dcmread(mask)
    assert found.Modality == "SEG" and found.pixel_array.shape == (44, 40)
    (maps,) = (tmp_path / "private/p/parts").glob("*.maps.npy")
    where = place("letterbox", 32, (0, 44, 0, 40))
    expected = on_source(np.load(maps)[0] / np.float32(255), where, 32, (44, 40)) >= 0.5
    assert (found.pixel_array == expected).all()
    numbers, _, _ = values_of(report)
    assert numbers["Segmented pixels of the prepared picture", False] == float(row["predicted"])
    reference = [e.value for e in found.iterall() if e.keyword == "ReferencedSOPInstanceUID"]
    assert set(reference) == {image.SOPInstanceUID}


def test_a_model_that_segments_takes_plain_files(segmenting, tmp_path):
    (path,) = write_pictures(tmp_path / "in", 1)
    predict(Request(str(segmenting), (str(path),), tmp_path / "plain.csv", "images"))
    predict(Request(str(segmenting), (str(path),), tmp_path / "pairs.csv", "pairs"))
    rows = [read_csv(tmp_path / f"{name}.csv")[0] for name in ("plain", "pairs")]
    assert rows[0]["soft_predicted"] == rows[1]["soft_predicted"]


@pytest.mark.parametrize("fit", ["letterbox", "crop", "stretch"])
def test_a_mask_lies_on_the_images_own_pixels(fit):
    where = place(fit, 32, (0, 80, 0, 40))
    share = np.zeros((32, 32), np.float32)
    share[:, 16:] = 1  # the right half of the square
    found = on_source(share, where, 32, (80, 40)) >= 0.5
    inside = found[20:60]
    assert inside[:, 20:].all() and not inside[:, :20].any()
    # What was cut away is in no mask.
    assert found[:20].any() == (fit != "crop")


def test_a_segmentation_reads_back_as_its_mask(bundled, tmp_path):
    path = film(tmp_path / "in/a.dcm")
    source = Source(read_source(path), "about")
    mask = np.zeros((44, 40), bool)
    mask[10:20, 5:30] = True
    manifest = {"study": "made", "foldwise": "0.1.0", "files": {}}
    segmentation(source, mask, manifest, 1).save_as(tmp_path / "seg.dcm")
    found = pydicom.dcmread(tmp_path / "seg.dcm")
    assert (found.pixel_array == mask).all()
    assert not found.PatientOrientation and "FrameOfReferenceUID" not in found
    by_image = hd.seg.segread(tmp_path / "seg.dcm").get_pixels_by_source_instance(
        [pydicom.dcmread(path).SOPInstanceUID]
    )
    assert (by_image[0, ..., 0] == mask).all()


def test_a_segmentation_lies_where_its_slice_does(tmp_path):
    places = {"FrameOfReferenceUID": generate_uid(), "ImagePositionPatient": [1.0, 2.0, 3.0]}
    places |= {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceThickness": 2.0}
    path = film(tmp_path / "in/a.dcm", **places, PixelSpacing=[0.5, 0.5])
    manifest = {"study": "made", "foldwise": "0.1.0", "files": {}}
    source = Source(read_source(path), "about")
    segmentation(source, np.eye(44, 40, dtype=bool), manifest, 1).save_as(tmp_path / "seg.dcm")
    found = pydicom.dcmread(tmp_path / "seg.dcm")
    assert found.FrameOfReferenceUID == places["FrameOfReferenceUID"]
    frame = found.PerFrameFunctionalGroupsSequence[0]
    assert frame.PlanePositionSequence[0].ImagePositionPatient == [1, 2, 3]
    # A frame of reference without a position in it is no place.
    path = film(tmp_path / "in/b.dcm", FrameOfReferenceUID=generate_uid())
    assert "FrameOfReferenceUID" not in read_source(path)
