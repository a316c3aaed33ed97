"""A bundle as a file: what stands in it, and which files are refused as none."""

import json
import zipfile

import pytest
from safetensors.numpy import load as load_safetensors

from foldwise.bundle.portable import encoder_files
from foldwise.bundle.predict import Request, predict
from foldwise.errors import FoldwiseError
from foldwise.settings.bundle_file import FORMAT, MANIFEST, read_file, read_manifest, write_bundle
from made_bundles import CANARY


def test_it_holds_what_another_program_reads(bundled):
    manifest = read_manifest(bundled.bundle)
    weights = load_safetensors(read_file(bundled.bundle, manifest, "models/fold_1.safetensors"))
    assert all(value.dtype.kind in "fi" for value in weights.values())
    assert manifest["licence"] == "CC-BY-4.0"
    assert manifest["cohort"]["labels"] == {"label": {"A": 8, "B": 8, "C": 8}}
    assert manifest["expected"]["levels"]["image"]["n"] == 24
    card = read_file(bundled.bundle, manifest, "MODEL_CARD.md").decode()
    assert "CC-BY-4.0" in card and "Not a medical device" in card
    assert str(bundled.pictures.parent) not in json.dumps(manifest)


def test_equal_contents_are_equal_bytes(bundled, tmp_path):
    manifest = read_manifest(bundled.bundle)
    files = {name: read_file(bundled.bundle, manifest, name) for name in manifest["files"]}
    write_bundle(tmp_path / "again.zip", manifest, files)
    assert (tmp_path / "again.zip").read_bytes() == bundled.bundle.read_bytes()


def spoilt(bundled, tmp_path, change):
    """A copy of the bundle in which `change` has edited the dict of its files."""
    with zipfile.ZipFile(bundled.bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    path = tmp_path / "spoilt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def edited(**values):
    def change(files):
        files[MANIFEST] = json.dumps(json.loads(files[MANIFEST]) | values).encode()

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited(format=FORMAT + 1, foldwise="9.9"), "Update Foldwise here to version 9.9"),
        (edited(format=0), "Make the bundle anew"),
        (edited(licence="mine"), "damaged or changed"),
        (lambda files: files.pop(MANIFEST), "no bundle of Foldwise"),
        (lambda files: files.update({MANIFEST: b"{"}), "cut short or damaged"),
    ],
)
def test_a_bundle_that_is_none_is_refused_by_name(bundled, tmp_path, change, said):
    path = spoilt(bundled, tmp_path, change)
    with pytest.raises(FoldwiseError, match=said) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)


def test_other_weights_are_refused(bundled, tmp_path):
    def change(files):
        files["models/fold_1.safetensors"] = files["models/fold_2.safetensors"]

    path = spoilt(bundled, tmp_path, change)
    with pytest.raises(FoldwiseError, match=r"fold_1\.safetensors is not what was put in"):
        predict(Request(str(path), (str(bundled.pictures),), tmp_path / "p.csv"))


def test_a_tokenizer_of_a_folder_goes_out_only_once_its_words_were_read(tmp_path):
    for part in ("vision", "text"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text("{}")
    (tmp_path / "text/tokenizer.json").write_text(CANARY)
    (tmp_path / "text/model.safetensors").write_bytes(b"weights")
    model = {part: {"name": str(tmp_path / part)} for part in ("vision", "text")}
    params = {"kind": "distillation", "model": model}
    with pytest.raises(FoldwiseError, match=r"words may be of your patients' texts.*checked"):
        encoder_files(params, "Study mine", checked=False)
    found = encoder_files(params, "Study mine", checked=True)
    names = ["text/config.json", "text/tokenizer.json", "vision/config.json"]
    assert sorted(found) == [f"encoders/{name}" for name in names]


def test_a_cut_file_a_folder_and_nothing_are_refused(bundled, tmp_path):
    cut = tmp_path / "cut.zip"
    cut.write_bytes(bundled.bundle.read_bytes()[:2000])
    for path, said in ((cut, "cut short"), (tmp_path, "is a folder"), (tmp_path / "x", "no such")):
        with pytest.raises(FoldwiseError, match=said):
            read_manifest(path)
