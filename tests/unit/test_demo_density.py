"""The made-up mammography archive: readable by others, exact, balanced, the same every time."""

import csv
import hashlib
from collections import Counter
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.uid import HTJ2KLossless, JPEGLosslessSV1
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import made
from foldwise.errors import FoldwiseError
from phantoms.breast import draw_breast, film
from phantoms.catalogue import make
from phantoms.damage import FAULTS
from phantoms.density import draw_film, films_of, plan_exams
from phantoms.encodings import SYNTAXES, encoded
from phantoms.fields import fractal, generator
from phantoms.make_demo import main
from phantoms.mammogram import stored_pixels

SIZE, SEED = 64, 3


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    return made.density_archive(tmp_path_factory.mktemp("density"), 8, SIZE, SEED)


def decoded(dataset: pydicom.Dataset) -> np.ndarray:
    """Stored pixels, by codecs that had no part in writing where there is one."""
    other = {JPEGLosslessSV1: imagecodecs.ljpeg_decode, HTJ2KLossless: imagecodecs.jpeg2k_decode}
    decode = other.get(dataset.file_meta.TransferSyntaxUID)
    if decode is None:
        return dataset.pixel_array
    return decode(next(generate_frames(dataset.PixelData, number_of_frames=1)))


def tree_digest(folder: Path) -> str:
    parts = [p.relative_to(folder).as_posix().encode() + p.read_bytes() for p in files(folder)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_every_film_decodes_to_the_phantoms_pixels(archive):
    seen = set()
    for start, exam in enumerate(plan_exams(8, SEED)):
        for head in films_of(exam, SEED, 4 * start):
            path = archive / "archive" / exam.accession / f"{head.number}.dcm"
            dataset = pydicom.dcmread(path)
            expected = stored_pixels(head, draw_film(exam, head.view, head.side, SIZE))
            np.testing.assert_array_equal(decoded(dataset), expected)
            seen.add(dataset.file_meta.TransferSyntaxUID)
    assert seen == set(SYNTAXES)


def test_headers_hold_the_required_attributes_and_the_variety_of_archives(archive):
    found = [pydicom.dcmread(p, stop_before_pixels=True) for p in files(archive / "archive")]
    required = (
        "SOPInstanceUID",
        "StudyInstanceUID",
        "PatientID",
        "AccessionNumber",
        "ViewPosition",
    )
    required += ("ImageLaterality", "WindowCenter", "ImagerPixelSpacing", "PatientOrientation")
    assert all(name in dataset for dataset in found for name in required)
    assert all(str(dataset.PatientName).startswith("PHANTOM") for dataset in found)
    assert {d.PhotometricInterpretation for d in found} == {"MONOCHROME1", "MONOCHROME2"}
    assert {float(d.RescaleSlope) for d in found} == {0.25, 1.0}
    assert {d.VOILUTFunction for d in found} == {"LINEAR", "SIGMOID"}
    assert len({dataset.SOPInstanceUID for dataset in found}) == len(found)


def test_classes_are_balanced_and_second_exams_belong_to_the_same_patient(archive):
    exams = plan_exams(60, SEED)
    patients = {exam.patient: exam.label for exam in exams}
    assert set(Counter(patients.values()).values()) == {15}
    assert len(exams) == 72
    assert len({exam.accession for exam in exams}) == 72
    rows = list(csv.DictReader((archive / "labels.csv").open()))
    folders = {int(path.name) for path in (archive / "archive").iterdir()}
    assert {int(row["AccessionNumber"]) for row in rows} == folders
    assert any(len(row["AccessionNumber"]) < 6 for row in rows), "no leading zero was lost"


def test_equal_seeds_give_equal_bytes_and_other_seeds_do_not(archive, tmp_path):
    again = made.density_archive(tmp_path / "again", 8, SIZE, SEED)
    other = made.density_archive(tmp_path / "other", 8, SIZE, SEED + 1)
    assert tree_digest(again) == tree_digest(archive)
    assert tree_digest(other) != tree_digest(archive)


def test_more_patients_leave_the_first_ones_pictures_as_they_are():
    few, many = (draw_breast(5, 0.4) for _ in range(2))
    np.testing.assert_array_equal(film(few, "CC", "L", (64, 52)), film(many, "CC", "L", (64, 52)))
    assert [exam.breast.seed for exam in plan_exams(4, 1)] == list(
        dict.fromkeys(exam.breast.seed for exam in plan_exams(9, 1))
    )[:4]


def test_classes_can_be_learned_though_not_from_the_mean_grey():
    pictures, labels, patients = [], [], []
    for exam in plan_exams(48, SEED):
        pictures += [draw_film(exam, view, "R", 96) for view in ("CC", "MLO")]
        labels += [exam.label] * 2
        patients += [exam.patient] * 2
    greys = [picture[picture > 0.03] for picture in pictures]
    means = [[grey.mean(), grey.size] for grey in greys]
    histograms = [np.histogram(grey, 24, (0, 1), density=True)[0] for grey in greys]
    by_mean, by_histogram = (
        cross_val_score(
            make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)),
            features,
            labels,
            groups=patients,
            cv=StratifiedGroupKFold(4, shuffle=True, random_state=0),
        ).mean()
        for features in (means, histograms)
    )
    assert by_mean < 0.55 < by_histogram


def test_sides_hang_to_opposite_sides_and_air_is_zero():
    left, right = (film(draw_breast(1, 0.5), "MLO", side, (96, 78)) for side in "LR")
    assert left[:, -1].max() == 0 < left[:, 0].max()
    assert right[:, 0].max() == 0 < right[:, -1].max()


def test_random_fields_have_unit_deviation_at_any_size():
    for shape in ((64, 52), (256, 208)):
        values = [fractal(generator(seed), shape, 0.15) for seed in range(60)]
        assert np.std(values) == pytest.approx(1, abs=0.12)
        assert np.mean(values) == pytest.approx(0, abs=0.12)


def test_run_length_coding_survives_odd_segments():
    pixels = np.random.default_rng(0).integers(0, 4096, (33, 17)).astype(np.uint16)
    fragment = next(generate_frames(encoded(pixels, SYNTAXES[4], 12), number_of_frames=1))
    read = imagecodecs.dicomrle_decode(fragment, dtype="<u2")
    np.testing.assert_array_equal(np.frombuffer(read, "<u2").reshape(33, 17), pixels)


def test_each_fault_is_there_under_an_accession_of_its_own(tmp_path):
    assert (
        main(["density", str(tmp_path / "d"), "--patients", "4", "--size", "48", "--damaged"]) == 0
    )
    places = {
        r["fault"]: r["accession"] for r in csv.DictReader((tmp_path / "d/damage.csv").open())
    }
    assert list(places) == list(FAULTS)
    folder = tmp_path / "d" / "archive"
    assert not (folder / places["row_without_folder"]).exists()
    assert files(folder / places["empty_folder"]) == []
    assert files(folder / places["empty_file"])[0].read_bytes() == b""
    ids = [pydicom.dcmread(p).PatientID for p in files(folder / places["two_patients"])]
    assert len(set(ids)) == 2
    for fault in ("truncated", "wrong_syntax", "no_pixels"):
        with pytest.raises((AttributeError, ValueError, RuntimeError, EOFError)):
            assert pydicom.dcmread(files(folder / places[fault])[0]).pixel_array is None


def test_a_folder_is_made_once_and_never_mixed(tmp_path, capsys):
    make("density", tmp_path / "a", patients=4, size=48)
    before = tree_digest(tmp_path / "a")
    assert "already" in make("density", tmp_path / "a", patients=4, size=48)
    assert tree_digest(tmp_path / "a") == before
    with pytest.raises(FoldwiseError, match="other settings"):
        make("density", tmp_path / "a", patients=5, size=48)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").write_text("mine")
    assert main(["density", str(tmp_path / "b")]) == 1
    assert "never mixed" in capsys.readouterr().err
    with pytest.raises(FoldwiseError, match="--patients 2 is too small"):
        make("density", tmp_path / "c", patients=2)


@pytest.mark.parametrize(("ending", "bits"), [("png", 8), ("png", 16), ("tif", 16), ("pgm", 8)])
def test_picture_archives_hold_the_same_films(tmp_path, ending, bits):
    folder = made.picture_archive(tmp_path, 4, 48, ending=ending, bits=bits)
    rows = list(csv.DictReader((folder / "paths.csv").open()))
    assert len(rows) == 16
    for row in rows[:3]:
        pixels = cv2.imread(str(folder / row["image_path"]), cv2.IMREAD_UNCHANGED)
        assert pixels.shape == (48, 39)
        assert pixels.dtype.itemsize * 8 == bits


def test_picture_faults_and_feature_s_can_be_asked_for(tmp_path):
    folder = made.picture_archive(tmp_path / "p", 12, 48, faults=made.PICTURE_FAULTS)
    rows = list(csv.DictReader((folder / "paths.csv").open()))
    assert sum(not (folder / row["image_path"]).exists() for row in rows) == 1
    lines = (made.feature_s_archive(tmp_path / "f", 5, 48) / "featureS.txt").read_text().split()
    assert len(lines) == 2 * 4 * 6
    assert set(lines[1::2]) == set("0123")
    assert all((tmp_path / "f" / name).exists() for name in lines[::2])
