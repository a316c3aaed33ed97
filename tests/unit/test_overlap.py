"""Pictures that a site and the training both have: by a shared key alone, and only as counts."""

import hashlib
import hmac
import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from foldwise.bundle.overlap import COMPARED, NO_KEY, NOT_CARRIED, in_words
from foldwise.bundle.predict import Request, predict
from foldwise.bundle.site import SiteFiles, predict_site
from foldwise.cohort.tables.exclusions import IdList
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, read_json
from foldwise.plan.bundles import Bundles
from foldwise.settings.bundle_file import read_manifest
from foldwise.settings.validation import with_bundle
from made_bundles import cohort, make, write_pictures

KEY, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("bundle"), key=KEY)


def overlap_at(made, folder, key):
    """site.json of nine pictures, three of which the training had, and the private list."""
    paths = write_pictures(folder / "pictures", 9, seed=11)
    for n in (0, 1, 5):
        # Another name and a copied file: the pixels are the same.
        shutil.copy(sorted(made.pictures.iterdir())[n], paths[n])
    cohort(folder, paths, made.params)
    names = ("p.csv", "folds.csv", "maps.npy", "site.json", "private/in_training.csv")
    out = [str(folder / name) for name in (*names, "private/id_map.csv")]
    path = None
    if key:
        path = folder / "shared.key"
        path.write_text(key + "\n")
    predict_site(SiteFiles(made.bundle, folder / "cohort.csv", folder / "cache", (), *out, path))
    return read_json(out[3])["overlap"], read_csv(out[4])


def test_pictures_of_the_training_are_counted_and_listed_in_private(made, tmp_path):
    found, listed = overlap_at(made, tmp_path, KEY)
    # g0 has pictures 0 and 1, g2 has 5.
    assert found == {"state": COMPARED, "n": 9, "same": 3, "groups": 2}
    assert sorted(row["group"] for row in listed) == ["g0", "g0", "g2"]
    text = in_words(found, "patient")
    assert "3 pictures of 2 patients here are the training's own" in text
    assert not [row for row in listed if row["sample"] in (tmp_path / "site.json").read_text()]
    # As it stands the list leaves these pictures out, and no other.
    left_out = IdList(str(tmp_path / "private/in_training.csv"), "data.exclusions", reasons=True)
    taken = [path.name for path in sorted((tmp_path / "pictures").iterdir())]
    assert [name for name in taken if left_out.find([name])] == [taken[n] for n in (0, 1, 5)]
    assert left_out.find([taken[0]]) == [
        f"in the training of {read_manifest(made.bundle)['study']}"
    ]


def test_without_the_key_nothing_is_known_and_that_is_said(made, tmp_path):
    found, listed = overlap_at(made, tmp_path, "")
    assert found["state"] == NO_KEY and listed == []
    assert "cannot be known" in in_words(found, "patient")
    assert "names none" in in_words(found | {"state": NOT_CARRIED}, "patient")
    none = {"state": COMPARED, "n": 9, "same": 0, "groups": 0}
    assert "None of 9 pictures" in in_words(none, "patient")


def test_what_leaves_is_keyed_and_nothing_else(made):
    """By hmac of the standard library; no plain digest of pixels or file is in the bundle."""
    cache = made.bundle.parent / "cache"
    pixels = np.concatenate([np.load(path) for path in cache.glob("*.npy")])
    raw = [f"{one.shape}{one.dtype}".encode() + one.tobytes() for one in pixels]
    key = bytes.fromhex(KEY)
    expected = [hmac.new(key, b"picture\0" + one, hashlib.sha256).hexdigest()[:20] for one in raw]
    assert read_manifest(made.bundle)["overlap"]["pictures"] == sorted(expected)
    plain = [hashlib.sha256(one.tobytes()).hexdigest() for one in pixels]
    plain += [hashlib.sha256(one).hexdigest() for one in raw]
    plain += [hashlib.sha256(path.read_bytes()).hexdigest() for path in made.pictures.iterdir()]
    with zipfile.ZipFile(made.bundle) as archive:
        contents = b"".join(archive.read(name) for name in archive.namelist())
    assert KEY.encode() not in contents
    assert not [one for one in plain if one[:12].encode() in contents]


def site(made, key):
    data = {"reader": "images", "root": "x", "table": {"path": "t.csv"}}
    return {"validate": {"bundle": str(made.bundle), "pixel_key": str(key)}, "data": data}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OTHER, "is not the key by which .* names its pictures"),
        ("ab", "holds no key of 64 hex digits. Name the file that was bundle.pixel_key"),
        (None, "cannot be read .* Name the file that was bundle.pixel_key"),
    ],
)
def test_a_wrong_key_is_refused_before_any_work(made, tmp_path, text, message):
    path = tmp_path / "shared.key"
    if text:
        path.write_text(text)
    with pytest.raises(FoldwiseError, match=rf"site.yaml: validate.pixel_key: .*{message}"):
        with_bundle(site(made, path), "site.yaml")
    path.write_text(KEY)
    assert with_bundle(site(made, path), "site.yaml")["kind"] == "classification"


@pytest.mark.parametrize(("text", "message"), [("ab", "holds no key"), (None, "cannot be read")])
def test_where_the_bundle_is_made_a_wrong_key_is_refused_before_any_training(
    tmp_path, text, message
):
    path = tmp_path / "shared.key"
    if text:
        path.write_text(text)
    mine = SimpleNamespace(study="mine")

    def inputs(named):
        studies = SimpleNamespace(of=lambda wildcards: {"bundle": {"pixel_key": named}})
        return Bundles.key(SimpleNamespace(studies=studies), mine)

    with pytest.raises(FoldwiseError, match=rf"mine: bundle.pixel_key: .*{message}.*a new one"):
        inputs(str(path))
    path.write_text(KEY)
    assert inputs(str(path)) == [str(path)] and inputs(None) == []


def test_a_bundle_without_digests_says_whom_to_ask(made, tmp_path, monkeypatch):
    manifest = read_manifest(made.bundle) | {"overlap": None}
    monkeypatch.setattr("foldwise.settings.validation.read_manifest", lambda path: manifest)
    (tmp_path / "shared.key").write_text(KEY)
    with pytest.raises(FoldwiseError, match=r"carries no digests .* set bundle.pixel_key"):
        with_bundle(site(made, tmp_path / "shared.key"), "site.yaml")


def test_predictions_mark_what_the_training_had_by_the_key_alone(made, tmp_path, caplog):
    caplog.set_level("INFO", logger="foldwise")
    paths = write_pictures(tmp_path / "in", 4, seed=11)
    shutil.copy(sorted(made.pictures.iterdir())[3], paths[2])
    (tmp_path / "shared.key").write_text(KEY)
    (tmp_path / "other.key").write_text(OTHER)

    def predicted(**more):
        predict(Request(str(made.bundle), (str(tmp_path / "in"),), tmp_path / "p.csv", **more))
        return read_csv(tmp_path / "p.csv"), read_json(tmp_path / "p_about.json")["overlap"]

    rows, about = predicted(key=str(tmp_path / "shared.key"))
    files = {row["sample"]: row["file"] for row in read_csv(tmp_path / "private/p/files.csv")}
    marked = {files[row["sample"]] for row in rows if row["in_training"] == "yes"}
    assert marked == {str(paths[2])} and about == {"state": COMPARED, "n": 4, "same": 1}
    assert "The training had 1 of 4 images too" in caplog.text
    rows, about = predicted()
    assert "in_training" not in rows[0] and about == {"state": NO_KEY}
    assert "without their key (--pixel-key) it cannot be known" in caplog.text
    with pytest.raises(FoldwiseError, match=r"--pixel-key: .*other\.key is not the key"):
        predicted(key=str(tmp_path / "other.key"))


def test_predictions_say_that_nothing_can_be_known_of_a_bundle_without_digests(
    bundled, tmp_path, caplog
):
    caplog.set_level("INFO", logger="foldwise")
    predict(Request(str(bundled.bundle), (str(bundled.pictures),), tmp_path / "p.csv"))
    assert "cannot be known from a bundle, which names none" in caplog.text
    (tmp_path / "shared.key").write_text(KEY)
    with pytest.raises(FoldwiseError, match="carries no digests of its pictures"):
        key = str(tmp_path / "shared.key")
        predict(Request(str(bundled.bundle), (str(bundled.pictures),), tmp_path / "p.csv", key=key))
