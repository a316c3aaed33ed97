"""Real files, from the folder in FOLDWISE_TEST_DATA; skipped without it.

`dicom_reader/manifest.csv` says of each odd DICOM file what pydicom makes of it;
`mammo_mias_dicom/archive` holds films in several encodings, `mammo_mias/images` the same as PNG.
"""

import csv
import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from foldwise.pixels import picture_files as pictures
from foldwise.pixels.dicom import file as dicom
from foldwise.pixels.dicom.header import read_header
from foldwise.pixels.digest import pixel_digest
from foldwise.pixels.picture import REASONS, UnreadableImage
from foldwise.pixels.prepare import prepare
from foldwise.pixels.window import inverted, modality
from usual import image_settings

ROOT = Path(os.environ.get("FOLDWISE_TEST_DATA", "/nonexistent"))
MANIFEST, FILMS = ROOT / "dicom_reader/manifest.csv", ROOT / "mammo_mias_dicom/archive"
# Lossy: another decoder may differ by a little.
LOSSY_LEVELS = 4


def entries() -> list[dict[str, str]]:
    if not MANIFEST.exists():
        return []
    with open(MANIFEST, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def outcome(path: Path) -> tuple[str, np.ndarray | None]:
    """`ok` or the reason, and all frames."""
    try:
        return "ok", dicom.read_frames(path)
    except UnreadableImage as error:
        assert error.reason in REASONS
        return error.reason, None


@pytest.mark.skipif(not MANIFEST.exists(), reason="FOLDWISE_TEST_DATA is not set")
@pytest.mark.parametrize("entry", entries(), ids=lambda entry: Path(entry["file"]).name)
def test_odd_files_are_read_as_their_manifest_says_or_better(entry):
    started = time.monotonic()
    reason, frames = outcome(ROOT / entry["file"])
    assert time.monotonic() - started < 20
    if entry["pixel_array"] != "decodes":
        return  # a reason is as good; reading it is better
    assert reason == "ok"
    sizes = [int(entry[name] or 1) for name in ("frames", "rows", "columns", "samples")]
    assert frames.size == np.prod(sizes)
    stored = np.ascontiguousarray(frames.astype(frames.dtype.newbyteorder("<")))
    if hashlib.sha256(stored).hexdigest()[:16] == entry["pixel_sha16"]:
        return
    assert entry["transfer_syntax"].endswith((".50", ".51", ".81", ".91", ".203"))
    for name in ("min", "max", "mean"):
        assert abs(float(entry[name]) - float(getattr(frames, name)())) <= LOSSY_LEVELS


@pytest.mark.skipif(not MANIFEST.exists(), reason="FOLDWISE_TEST_DATA is not set")
def test_lossless_versions_of_one_picture_have_one_digest():
    known: dict[str, set[str]] = {}
    for entry in entries():
        if entry["source_image"].startswith("WG04") and entry["pixel_sha16"]:
            picture = dicom.read_picture(ROOT / entry["file"])
            known.setdefault(entry["pixel_sha16"], set()).add(pixel_digest(picture))
    assert known
    assert all(len(found) == 1 for found in known.values())


@pytest.mark.skipif(not MANIFEST.exists(), reason="FOLDWISE_TEST_DATA is not set")
def test_headers_of_odd_files_are_read_or_refused():
    read = 0
    for entry in entries():
        try:
            header = read_header(ROOT / entry["file"])
        except UnreadableImage:
            assert entry["read"] != "ok"
        else:
            # What is deflated is read as what it is once inflated.
            plain = {DeflatedExplicitVRLittleEndian: ExplicitVRLittleEndian}
            said = entry["transfer_syntax"]
            assert header.transfer_syntax == plain.get(said, said)
            assert entry["rows"] in ("", str(header.rows))
            read += 1
    assert read


@pytest.mark.skipif(not FILMS.exists(), reason="FOLDWISE_TEST_DATA is not set")
def test_films_undone_equal_their_png():
    films = sorted(FILMS.glob("*/*.dcm"))
    assert films
    for path in films:
        film = dicom.read_picture(path)
        plain = pictures.read_picture(ROOT / f"mammo_mias/images/{path.stem}.png")
        undone = modality(film, inverted(film, film.stored))
        np.testing.assert_array_equal(np.floor(undone), plain.stored)
        assert pixel_digest(film) == pixel_digest(plain)
        settings = image_settings(size=256, fit="breast")
        off = prepare(film, settings).astype(int) - prepare(plain, settings)
        assert np.abs(off).max() <= 1
