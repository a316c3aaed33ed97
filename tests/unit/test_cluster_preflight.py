"""Checks before the queue, on made-up data with one thing wrong at a time."""

import shutil
from collections import namedtuple

import pytest

from foldwise.cluster.preflight import cache_bytes, preflight
from foldwise.errors import FoldwiseError


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "archive").mkdir()
    for number in range(10):
        (tmp_path / "archive" / f"{number}.png").write_bytes(b"x")
    (tmp_path / "labels.csv").write_text("image,label\n0.png,1\n")
    return {
        "name": "made",
        "data": {
            "reader": "images",
            "root": "archive",
            "table": {"path": "labels.csv", "format": "paths"},
            "columns": {"image": "image", "label": "label", "patient": None},
        },
        "image": {"size": 100, "channels": 1, "bits": 8},
        "folds": {"n": 5},
        "model": {"name": "resnet18", "weights": "none"},
        "runs": {"cv": {}},
    }


def test_nothing_wrong(study, tmp_path):
    assert preflight([study], "results") == []
    assert not list((tmp_path / "results").iterdir())
    assert cache_bytes(study) == 10 * 100 * 100


def test_all_problems_at_once(study):
    study["data"]["root"] = "elsewhere"
    study["data"]["columns"]["label"] = "lable"
    study["runs"]["cv"] = {"model.weights": "lost.pt"}
    with pytest.raises(FoldwiseError) as caught:
        preflight([study])
    said = str(caught.value)
    assert said.startswith("3 problems, found before any job was queued:")
    assert "no column 'lable' (data.columns.label). Did you mean 'label'?" in said
    assert "No archive at elsewhere" in said and "no readable file lost.pt" in said


def test_a_full_disk(study, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 1 << 20))
    with pytest.raises(FoldwiseError, match=r"0\.0 GB free, about 1\.2 GB needed"):
        preflight([study])


def test_results_that_cannot_be_written(study, tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(FoldwiseError, match="results: cannot be written"):
        preflight([study])


def test_weights_that_nodes_would_download(study, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    study["model"]["weights"] = "imagenet"
    (warning,) = preflight([study])
    assert "ImageNet weights of resnet18 are not on this machine" in warning
    (tmp_path / "torch/hub/checkpoints").mkdir(parents=True)
    (tmp_path / "torch/hub/checkpoints/resnet18-f37072fd.pth").touch()
    assert preflight([study]) == []


def test_decoders_are_looked_at_for_films(study):
    study["data"]["reader"] = "dicom"
    assert all("No decoder for" in warning for warning in preflight([study]))
