"""Copies that were changed on their way are found, pictures of different patients are not."""

import itertools

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from cohorts import ALL
from copied import CHANGES, SIZE, film, letterboxed
from foldwise.cohort.near_duplicates import compare
from foldwise.errors import FoldwiseError
from foldwise.pixels.likeness import looks_of
from usual import conflicts

PATIENTS = 100


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


def through(seed, share=0.55):
    """A film of patient 7 as little of it as `share` shows through another."""
    one, other = film(7).astype(float), film(1000 + seed).astype(float)
    return (share * one + (1 - share) * other).astype(np.uint8)


def looks(images):
    return [looks_of(letterboxed(image)) for image in images]


def test_a_poor_copy_is_found_where_it_stands_out_and_not_among_pictures_as_alike():
    (pair,) = compare(looks([*map(film, range(20)), through(0)]), [f"p{n}" for n in range(21)])
    assert (pair.one, pair.other) == (7, 20) and 0.7 <= pair.correlation < 0.85
    # Five patients whose films are as like one another: a family, of which none is a copy.
    family = looks(through(seed) for seed in range(5))
    groups = [f"p{n}" for n in range(5)]
    assert len(compare(family, groups, least=0.7)) >= 5
    assert compare(family, groups) == []
    # Other films of the partner's own patient are no third match.
    twice = looks([film(7), through(1), through(0)])
    assert {(p.one, p.other) for p in compare(twice, ["p7", "p7", "copy"])} >= {(0, 2)}


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
    # A note takes no image away: the steps of the flow still add up.
    taken = [step["images"] for step in manifest["flow"] if step["images"] < 0]
    assert manifest["flow"][0]["images"] + sum(taken) == images
    dropped = study.audit(conflicts=conflicts(near_duplicates="drop"), **ALL)
    noted = manifest["notes"]["near_duplicate"]
    assert dropped["images"] == images - noted == images - dropped["quarantine"]["near_duplicate"]
    with pytest.raises(FoldwiseError, match=r"pairs? of pictures of two groups .*note goes on"):
        study.audit(conflicts=conflicts(near_duplicates="refuse"), **ALL)
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
