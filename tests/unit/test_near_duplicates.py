"""Copies that were changed on their way are found, pictures of different patients are not."""

import itertools

import cv2
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from cohorts import ALL
from foldwise.cohort.conflicts import Conflicts
from foldwise.cohort.near_duplicates import compare
from foldwise.errors import FoldwiseError
from foldwise.pixels.likeness import looks_of, unit

PATIENTS, SIZE = 100, 128


def film(seed):
    """Texture on several scales in an oval on black, as a film of one patient might be."""
    random = np.random.default_rng(seed)
    image = np.zeros((SIZE, SIZE), np.float32)
    for scale in (2, 4, 8, 20):
        noise = random.normal(size=(SIZE, SIZE)).astype(np.float32)
        image += unit(cv2.GaussianBlur(noise, (0, 0), scale).ravel()).reshape(SIZE, SIZE)
    image = (image - image.min()) / np.ptp(image) * 200 + 40
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    wide, high = random.uniform(0.7, 0.95, 2)
    return np.where((x / wide) ** 2 + (y / high) ** 2 < 1, image, 0).astype(np.uint8)


def rescaled(image, random):
    return cv2.resize(image, None, fx=random.uniform(0.4, 0.9), fy=random.uniform(0.4, 0.9))


def recompressed(image, random):
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(40, 80))]
    return cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_GRAYSCALE)


def rewindowed(image, random):
    low, high = np.quantile(image, [random.uniform(0, 0.3), random.uniform(0.97, 1)])
    grey = np.clip((image - low) / (high - low), 0, 1) ** random.uniform(0.6, 1.6)
    return (255 * grey).astype(np.uint8)


def mirrored(image, random):
    return np.ascontiguousarray(image[:, ::-1])


def cut(image, random):
    top, bottom, left, right = (random.uniform(0, 0.1, 4) * len(image)).astype(int)
    return image[top : len(image) - bottom, left : len(image[0]) - right]


def letterboxed(image):
    """As a cache holds it: padded to a square."""
    high, wide = image.shape
    share = SIZE / max(high, wide)
    small = cv2.resize(image, (round(wide * share), round(high * share)))
    out = np.zeros((SIZE, SIZE), np.uint8)
    top, left = ((SIZE - side) // 2 for side in small.shape)
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


CHANGES = [rescaled, recompressed, rewindowed, mirrored, cut]


def test_planted_copies_are_found_and_few_others():
    random = np.random.default_rng(5)
    films = [film(seed) for seed in range(PATIENTS)]
    copies = []
    for number, image in enumerate(films):
        # Every fifth copy has all changes at once.
        kinds = CHANGES if number % 5 == 4 else [CHANGES[number % 5]]
        for change in kinds:
            image = change(image, random)
        copies.append(image)
    looks = [looks_of(letterboxed(image)) for image in (*films, *copies)]
    pairs = compare(looks, [f"p{n}" for n in range(len(looks))])
    true = {(n, n + PATIENTS) for n in range(PATIENTS)}
    found = {(pair.one, pair.other) for pair in pairs}
    others = len(list(itertools.combinations(range(len(looks)), 2))) - PATIENTS
    assert len(found & true) >= 0.99 * PATIENTS
    assert len(found - true) < others / 1000
    # Of one patient a copy is no leak.
    assert compare(looks, [f"p{n % PATIENTS}" for n in range(len(looks))]) == []


def spread_copy(study):
    """A changed copy of one patient's film in the place of a film of another patient."""
    study.cohort()
    rows = study.rows("private/id_map")
    other = next(row for row in rows if row["patient"] != rows[0]["patient"])
    pixels = film(3).astype(np.uint16)
    for file, shown in ((rows[0]["file"], pixels), (other["file"], (pixels[:, ::-1] // 2) + 9)):
        new = dcmread(study.root / file)
        new.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        new.Rows = new.Columns = SIZE
        new.PhotometricInterpretation, new.PixelRepresentation = "MONOCHROME2", 0
        for keyword in ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth"):
            new.pop(keyword, None)
        new.BitsAllocated, new.BitsStored, new.HighBit = 16, 12, 11
        new.PixelData = np.ascontiguousarray(shown).tobytes()
        new["PixelData"].VR = "OW"
        new["PixelData"].is_undefined_length = False
        new.save_as(study.root / file)
    study.cohort()
    return {rows[0]["file"], other["file"]}


def test_a_changed_copy_under_another_patient_is_noted_dropped_or_refused(study):
    files = spread_copy(study)
    manifest = study.audit(**ALL)
    of = {row["sample"]: row["file"] for row in study.rows("private/id_map")}
    assert manifest["near_duplicate_pairs"] >= 1 and manifest["notes"]["near_duplicate"] >= 2
    notes = [row["key"] for row in study.rows("findings")]
    assert not {of[key] for key in notes if key in of} & files  # the cohort could not know
    listed = study.rows("private/near_duplicates")
    assert files <= {row["file"] for row in listed}
    assert {row["detail"].split()[0] for row in listed} == {row["key"] for row in listed}
    images = manifest["images"]
    dropped = study.audit(conflicts=Conflicts(near_duplicates="drop"), **ALL)
    noted = manifest["notes"]["near_duplicate"]
    assert dropped["images"] == images - noted == images - dropped["quarantine"]["near_duplicate"]
    with pytest.raises(FoldwiseError, match=r"pairs? of pictures of two groups .*note goes on"):
        study.audit(conflicts=Conflicts(near_duplicates="refuse"), **ALL)
    assert files <= {row["file"] for row in study.rows("private/stopped")}


def test_what_was_found_is_remembered_until_images_or_groups_change(study, monkeypatch):
    spread_copy(study)
    first, calls = study.audit(**ALL), []
    monkeypatch.setattr(
        "foldwise.cohort.near_duplicates.compare", lambda *args: calls.append(args) or []
    )
    assert study.audit(**ALL)["near_duplicate_pairs"] == first["near_duplicate_pairs"]
    assert not calls
    path = study.results / "private" / "near_duplicates.json"
    path.write_text(path.read_text()[:20])
    assert study.audit(**ALL)["near_duplicate_pairs"] == 0 and len(calls) == 1
