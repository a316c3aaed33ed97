"""Checks at the start of a run, on made-up data with one thing wrong at a time."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch

import preflight as preflight_script
from flow import write_study
from foldwise.cohort.understood import WOULD_STOP
from foldwise.errors import FoldwiseError
from foldwise.plan.batches import batches, likely_batches
from foldwise.plan.disk_space import image_bytes
from foldwise.plan.preflight import decoders, ignored, preflight
from foldwise.plan.state import cache_key
from foldwise.settings.schema import check
from foldwise.settings.study import load_study
from studies import PICTURES

STUDIES = Path(__file__).parents[2] / "config" / "studies"


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "archive").mkdir()
    for number in range(10):
        (tmp_path / "archive" / f"{number}.png").write_bytes(b"x")
    (tmp_path / "labels.csv").write_text("image,label\n0.png,1\n")
    write_study(tmp_path, "made", PICTURES | {"training": {"batch_size": 4}})
    return load_study("made")


def free(monkeypatch, size):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(size, 0, size))


def test_nothing_wrong(study, tmp_path):
    assert preflight([study], "results") == []
    assert not list((tmp_path / "results").iterdir())
    assert image_bytes(study) == 100 * 100
    paired = study | {"data": study["data"] | {"reader": "pairs"}}
    assert image_bytes(paired) == 2 * 100 * 100


def test_all_problems_at_once(study):
    study["data"]["root"] = "elsewhere"
    study["data"]["columns"]["label"] = "lable"
    study["runs"]["cv"] = {"model.weights": "lost.pt"}
    with pytest.raises(FoldwiseError) as caught:
        preflight([study])
    said = str(caught.value)
    assert said.startswith("3 problems, found before any job was started:")
    assert "no column 'lable' (data.columns.label). Did you mean 'label'?" in said
    assert "No archive at elsewhere" in said
    assert "no readable file lost.pt" in said


def test_a_setting_that_no_run_reads_is_told(study):
    study["loss"]["ordinal_weight"] = 2
    study["loss"]["gamma"] = 3
    study["training"]["momentum"] = 0.5
    study["runs"] = {"cv": {}, "other": {"loss.name": "focal"}}
    (said, momentum) = preflight([study])
    assert "loss.ordinal_weight is set, and no run reads it, since loss.name is cross" in said
    assert "training.momentum" in momentum and "gamma" not in said + momentum


@pytest.mark.parametrize("name", sorted(path.stem for path in STUDIES.glob("*.yaml")))
def test_studies_that_are_shipped_set_nothing_in_vain(name):
    assert list(ignored(load_study(name, STUDIES))) == []


def test_a_study_of_folders_has_no_table(study):
    study["data"]["table"] |= {"format": "folders", "path": None}
    assert preflight([study]) == []


def test_data_that_no_job_will_read_are_not_asked_for(study):
    study["data"]["root"] = "elsewhere"
    assert preflight([study], unread=[]) == []


def test_a_full_disk(study, monkeypatch):
    free(monkeypatch, 1 << 20)
    with pytest.raises(FoldwiseError, match=r"results: 1\.0 MB \(1,048,576 bytes\) free"):
        preflight([study])


def test_little_room_is_a_warning_until_all_is_made(study, tmp_path, monkeypatch):
    free(monkeypatch, 100 << 20)
    (warning,) = preflight([study])
    assert "take up to 1.2 GB" in warning
    for fold in range(1, 6):
        results = tmp_path / f"results/made/runs/cv/fold_{fold}/results"
        results.mkdir(parents=True)
        (results / "best_model.pt").touch()
    assert preflight([study]) == []


def test_images_that_are_decoded_need_no_room(study, tmp_path, monkeypatch):
    free(monkeypatch, 32 << 20)
    study["image"]["size"] = 4096
    study["runs"] = {}
    (warning,) = preflight([study])
    assert "take up to 160.0 MB" in warning
    folder = tmp_path / "results/cache" / cache_key(study)
    folder.mkdir(parents=True)
    (folder / "a.npy").write_bytes(bytes(160 << 20))
    assert preflight([study]) == []


def test_results_that_cannot_be_written(study, tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(FoldwiseError, match="results: cannot be written"):
        preflight([study])


def test_packages_that_are_not_there(study, monkeypatch):
    monkeypatch.setattr("foldwise.plan.preflight.MODULES", ("numpy", "not_there_at_all"))
    with pytest.raises(FoldwiseError, match="lacks not_there_at_all, which jobs import"):
        preflight([study])
    assert preflight([study], installed=False) == []


def test_weights_that_are_no_model(study, tmp_path):
    study["model"]["weights"] = "labels.csv"
    with pytest.raises(FoldwiseError, match=r"labels\.csv is no file of torch\.save"):
        preflight([study])
    for old in (False, True):
        torch.save({"a": torch.ones(1)}, "w.pt", _use_new_zipfile_serialization=not old)
        study["model"]["weights"] = "w.pt"
        assert preflight([study]) == []


def test_weights_that_nodes_would_download(study, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    study["model"]["weights"] = "imagenet"
    (warning,) = preflight([study])
    assert "ImageNet weights of resnet50 are not on this machine" in warning
    (tmp_path / "torch/hub/checkpoints").mkdir(parents=True)
    (tmp_path / "torch/hub/checkpoints/resnet50-0676ba61.pth").touch()  # The first version's.
    assert len(preflight([study])) == 1
    (tmp_path / "torch/hub/checkpoints/resnet50-11ad3fa6.pth").touch()
    assert preflight([study]) == []


def test_decoders_are_looked_at_for_films(study):
    assert list(decoders([study])) == []
    study["data"]["reader"] = "dicom"
    assert all("No decoder for" in warning for warning in decoders([study]))


def test_timm_is_asked_for_where_a_run_names_one_of_its_networks(study, monkeypatch):
    study["runs"] = {"cv": {}, "other": {"model.name": "timm/resnet10t"}}
    there = {"timm": None}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there.get(name, name))
    with pytest.raises(FoldwiseError, match=r"model\.name of run other: timm/resnet10t, but timm"):
        preflight([study])


def test_batches_that_no_training_part_can_fill_are_refused(study, tmp_path):
    files = len(list((tmp_path / study["data"]["root"]).rglob("*.*")))
    rows = "".join(f"{number}.png,1\n" for number in range(files))
    (tmp_path / "labels.csv").write_text("image,label\n" + rows)
    study["training"]["batch_size"] = files
    grid = {"training.batch_size": {"type": "categorical", "choices": [2, 4 * files]}}
    study["search"] = check("search", {"space": grid, "sampler": "grid"}, "x")
    with pytest.raises(FoldwiseError) as caught:
        preflight([study])
    said = str(caught.value)
    assert f"training.batch_size of run cv: a batch of {files} is larger than the smallest" in said
    assert f"search.space: training.batch_size: a batch of {4 * files} is larger" in said


def test_a_batch_that_a_smaller_training_part_is_likely_too_small_for_is_warned_of(study):
    study["folds"] |= {"n": 2}
    study["training"]["batch_size"] = 20
    grid = {"training.batch_size": {"type": "categorical", "choices": [2, 20]}}
    assert list(likely_batches(study, 60)) == []
    # 60 images, a third of them held out: 40 are dealt, 20 of them trained with.
    study["folds"]["holdout"] = 1 / 3
    assert list(likely_batches(study, 61)) == [] == list(batches(study, 61))
    study["folds"]["holdout"] = 0.4
    [said] = likely_batches(study, 61)
    assert said.startswith("training.batch_size of run cv: a batch of 20 is larger than the")
    assert "18 images" in said and not list(batches(study, 61))
    study["folds"]["holdout"] = 0
    study["learning_curve"] = [60, 80]
    [said] = likely_batches(study, 60)
    assert "of run cv_part60: a batch of 20 " in said and "18 images" in said
    study["learning_curve"] = None
    study["search"] = check("search", {"space": grid, "sampler": "grid", "inner_folds": 2}, "x")
    [said] = likely_batches(study, 60)
    assert said.startswith("nested, inside an outer fold: search.space: training.batch_size: a ")
    assert "15 images" in said
    assert list(likely_batches(study, 80)) == []


def test_the_start_tells_of_likely_batches_and_goes_on(study, tmp_path):
    files = len(list((tmp_path / study["data"]["root"]).rglob("*.*")))
    rows = "".join(f"{number}.png,1\n" for number in range(files))
    (tmp_path / "labels.csv").write_text("image,label\n" + rows)
    study["folds"] |= {"n": 2, "holdout": 0.5}
    study["training"]["batch_size"] = (files - 1) // 2
    [said] = (text for text in preflight([study]) if "batch" in text)
    assert said.startswith("Study made: likely too large: training.batch_size of run cv: a batch")


def test_what_would_stop_the_run_is_not_called_ready(study, monkeypatch, capsys):
    said = [f"Study mine: {WOULD_STOP}1 exam with two different labels."]
    for name, value in {"preflight": [], "decoders": [], "report": said}.items():
        monkeypatch.setattr(preflight_script, name, lambda *_, value=value: value)
    monkeypatch.setattr(preflight_script, "configured", lambda *_: [{"name": "mine"}])
    monkeypatch.setattr("sys.argv", ["preflight.py"])
    assert preflight_script.main() == 1
    assert "Not ready" in capsys.readouterr().out
    said[0] = "Study mine: 8 rows of the table."
    assert preflight_script.main() == 0
    assert "\nReady: mine." in capsys.readouterr().out
