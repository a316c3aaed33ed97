"""A model handed over: what a bundle carries, how it is read, what it predicts."""

import subprocess
import sys
import time
import zipfile

import cv2
import numpy as np
import PIL.Image
import pytest

from flow import ROOT
from foldwise.bundle.predict import Request, predict
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv
from foldwise.settings.bundle_file import read_manifest
from made_bundles import CANARY, CLASSES, picture_of_numbers, write_pictures


def predicted(bundled, out, *sources, **more):
    predict(Request(str(bundled.bundle), tuple(map(str, sources)), out, **more))
    return read_csv(out)


def answers(rows, names=("predicted", *(f"p_{name}" for name in CLASSES))):
    return [[row[name] for name in names] for row in rows]


@pytest.mark.parametrize("fold", [1, 2])
def test_a_folds_validation_part_is_predicted_byte_for_byte(bundled, tmp_path, fold):
    rows = predicted(bundled, tmp_path / "p.csv", *bundled.validated[fold], folds=(fold,))
    assert answers(rows) == answers(bundled.predictions[fold])


def test_all_models_together_are_their_mean_and_tell_their_spread(bundled, tmp_path):
    together = predicted(bundled, tmp_path / "all.csv", bundled.pictures)
    alone = [
        predicted(bundled, tmp_path / f"{f}.csv", bundled.pictures, folds=(f,)) for f in (1, 2)
    ]
    assert len(together) == 24
    for name in CLASSES:
        each = np.array([[float(row[f"p_{name}"]) for row in rows] for rows in alone])
        mean, spread = each.mean(axis=0), each.std(axis=0, ddof=1)
        assert [float(row[f"p_{name}"]) for row in together] == pytest.approx(mean, abs=1e-7)
        assert [float(row[f"sd_p_{name}"]) for row in together] == pytest.approx(spread, rel=1e-4)


def test_nothing_identifying_is_in_a_bundle_or_outside_of_private(bundled, tmp_path):
    predicted(bundled, tmp_path / "p.csv", bundled.pictures)
    with zipfile.ZipFile(bundled.bundle) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    samples = {row["sample"] for rows in bundled.predictions.values() for row in rows}
    public = [
        p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and "private" not in p.parts
    ]
    assert public and not [text for text in [*contents, *public] if CANARY.encode() in text]
    assert not [text for text in contents for sample in samples if sample.encode() in text]
    assert CANARY in (tmp_path / "private/p/files.csv").read_text()


def test_a_stopped_prediction_goes_on(bundled, tmp_path, monkeypatch):
    whole = predicted(bundled, tmp_path / "whole.csv", bundled.pictures)
    monkeypatch.setattr("foldwise.bundle.predict.PART", 8)
    from foldwise.bundle import predict as module

    calls, real = [], module.answer_part

    def stops(*given):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*given)

    monkeypatch.setattr(module, "answer_part", stops)
    with pytest.raises(KeyboardInterrupt):
        predicted(bundled, tmp_path / "p.csv", bundled.pictures)
    monkeypatch.setattr("foldwise.bundle.sources.write_shard", None)  # nothing is decoded again
    assert answers(predicted(bundled, tmp_path / "p.csv", bundled.pictures)) == answers(whole)
    assert len(calls) == 4


def test_images_are_predicted_while_others_are_decoded(bundled, tmp_path, monkeypatch):
    """The last of two shards waits for the first answer: without overlap there would be none."""
    from foldwise.bundle import predict as module
    from foldwise.bundle import sources

    write_pictures(tmp_path / "in", 40, seed=9)
    whole = predicted(bundled, tmp_path / "whole.csv", tmp_path / "in")
    decode, answer = sources.write_shard, module.answer_part
    began, shards = tmp_path / "began", []

    def waits(*given):
        shards.append(1)
        end = time.monotonic() + 60
        while len(shards) == 2 and not began.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        return decode(*given)

    def answers_first(*given):
        answer(*given)
        began.touch()

    monkeypatch.setattr("foldwise.bundle.predict.PART", 8)
    monkeypatch.setattr(sources, "write_shard", waits)
    monkeypatch.setattr(module, "answer_part", answers_first)
    assert answers(predicted(bundled, tmp_path / "p.csv", tmp_path / "in")) == answers(whole)
    assert began.exists() and len(whole) == 40


def test_what_cannot_be_read_is_told_and_the_rest_predicted(bundled, tmp_path):
    write_pictures(tmp_path / "in", 3, seed=9)
    (tmp_path / "in/bad.png").write_bytes(b"no picture")
    (tmp_path / "in/notes.txt").write_text("none either")
    assert len(predicted(bundled, tmp_path / "p.csv", tmp_path / "in")) == 3
    quarantine = read_csv(tmp_path / "p_quarantine.csv")
    assert [row["reason"] for row in quarantine] == ["not_a_picture"]
    sample = quarantine[0]["sample"]
    files = {row["sample"]: row["file"] for row in read_csv(tmp_path / "private/p/files.csv")}
    assert files[sample].endswith("bad.png")


def test_pictures_of_another_look_are_seen_as_far(bundled, tmp_path):
    (tmp_path / "in").mkdir()
    for step in (16, 24, 48):
        stripes = np.tile(np.arange(48) % step < step // 2, (48, 1)).astype(np.uint8) * 255
        assert cv2.imwrite(str(tmp_path / f"in/{step}.png"), stripes)
    near = predicted(bundled, tmp_path / "near.csv", bundled.pictures)
    far = predicted(bundled, tmp_path / "far.csv", tmp_path / "in")
    assert min(float(row["grey_distance"]) for row in far) > 1
    for name in ("distance", "grey_distance"):
        assert np.median([float(row[name]) for row in near]) < 1


def test_pictures_in_colour_are_kept_out_where_grey_was_learned(bundled, tmp_path, caplog):
    write_pictures(tmp_path / "in", 1, seed=9)
    random = np.random.default_rng(2).integers(0, 256, (44, 40, 3), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "in/colour.png"), random)
    assert read_manifest(bundled.bundle)["looks"]["colour"] == {"grey": 24}
    rows = predicted(bundled, tmp_path / "p.csv", tmp_path / "in")
    quarantine = read_csv(tmp_path / "p_quarantine.csv")
    assert len(rows) == 1 and [row["reason"] for row in quarantine] == ["other_photometric"]
    assert "1 image in quarantine: image in colour" in caplog.text
    assert "--allow other_photometric" in caplog.text
    allowed = {"allow": ("other_photometric",)}
    rows = predicted(bundled, tmp_path / "p.csv", tmp_path / "in", **allowed)
    assert sorted(row["note"] for row in rows) == ["", "in colour"]
    assert "1 image in colour" in caplog.text


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_grey_stored_as_colour_is_grey_and_colour_is_not(bundled, tmp_path, mode):
    grey = PIL.Image.open(write_pictures(tmp_path / "grey", 1, seed=9)[0])
    (tmp_path / "in").mkdir()
    grey.convert(mode).save(tmp_path / "in/grey.png")
    plain = predicted(bundled, tmp_path / "plain.csv", tmp_path / "grey")
    rows = predicted(bundled, tmp_path / "p.csv", tmp_path / "in")
    assert [row["note"] for row in rows] == [""] and answers(rows) == answers(plain)
    if mode == "LA":
        return  # it has no colours
    coloured = np.array(grey.convert("RGB"))
    coloured[:20, :, 0] = 255
    PIL.Image.fromarray(coloured).convert(mode).save(tmp_path / "in/colour.png")
    rows = predicted(bundled, tmp_path / "both.csv", tmp_path / "in")
    assert answers(rows) == answers(plain)
    reasons = [row["reason"] for row in read_csv(tmp_path / "both_quarantine.csv")]
    assert reasons == ["other_photometric"]


def test_an_empty_folder_and_one_of_other_files_say_so(bundled, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FoldwiseError, match="No image to predict"):
        predicted(bundled, tmp_path / "p.csv", tmp_path / "empty")
    (tmp_path / "empty/film.dcm").write_bytes(b"x")
    with pytest.raises(FoldwiseError, match=r"1 file there, none of which it takes.*--reader"):
        predicted(bundled, tmp_path / "p.csv", tmp_path / "empty")


def test_the_command_line_ends_in_a_sentence(bundled, tmp_path):
    command = [
        sys.executable,
        str(ROOT / "workflow/scripts/predict.py"),
        "none.zip",
        "x",
        "-o",
        "p.csv",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: none.zip: no such bundle. Correct the path.\n"


KEPT = {
    "bundle_format_1": [0.391043, 0.281354, 0.327603],
    "bundle_format_1_calibrated": [0.374899, 0.262290, 0.362811],
}


@pytest.mark.parametrize("kept", sorted((ROOT / "tests/kept").glob("*.zip")), ids=lambda p: p.stem)
def test_a_bundle_of_each_version_is_read_as_it_was(kept, tmp_path):
    """Written once and kept: who changes the format either reads it or refuses it by name."""
    assert cv2.imwrite(str(tmp_path / "numbers.png"), picture_of_numbers())
    predict(Request(str(kept), (str(tmp_path / "numbers.png"),), tmp_path / "p.csv"))
    [row] = read_csv(tmp_path / "p.csv")
    assert row["predicted"] == "A"
    found = [float(row[f"p_{name}"]) for name in CLASSES]
    assert found == pytest.approx(KEPT[kept.stem], abs=1e-5)
    calibrated = [row.get(f"calibrated_p_{name}") for name in CLASSES]
    if kept.stem == "bundle_format_1":
        assert calibrated == [None] * 3
    else:
        expected = [0.338842, 0.323732, 0.337426]
        assert [float(value) for value in calibrated] == pytest.approx(expected, abs=1e-5)
        assert (row["set"], row["set_by_class"]) == ("A|B|C", "B")
