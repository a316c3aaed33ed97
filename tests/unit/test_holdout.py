"""The holdout: each fold's model as by itself, all together as their mean, measured by others."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    f1_score,
    jaccard_score,
    roc_auc_score,
)

from foldwise.evaluate.holdout_summary import evaluate_holdout, summarise_holdout
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json
from foldwise.plan.targets import holdout_files
from foldwise.registry import load
from foldwise.settings.kinds import has_holdout
from foldwise.tasks.segmentation import Segmentation
from foldwise.train.feed.normalise import levels_by_picture
from foldwise.train.loop import train_fold
from foldwise.train.predict import predict_fold
from foldwise.train.predict_holdout import predict_holdout
from made_masks import mask_images, mask_params, mask_rows
from training import CLASSES, TinyTask, make_images, make_job, make_params, make_rows

FOLDS = (1, 2, 3)
PARAMS = make_params(model__normalisation="train", training__batch_size=7)
TASK = TinyTask(PARAMS["task"])


def trained(folder, params, task, images, rows, folds=FOLDS):
    """Models of folds that are validated on six rows each; the last twelve rows are held out."""
    models, inner = {}, rows[:-12]
    for fold in folds:
        judged = range(6 * fold - 6, 6 * fold)
        val = [inner[i] for i in judged]
        train = [row for i, row in enumerate(inner) if i not in judged]
        out = folder / f"fold_{fold}"
        train_fold(make_job(out, params, images, (train, val), task, fold=fold))
        models[fold] = out / "best_model.pt"
    return models


def predicted_holdout(folder, params, task, images, rows, models):
    """The holdout's files: predictions, those of each fold, maps."""
    out = [folder / name for name in ("val_predictions.csv", "fold_predictions.csv", "maps.npy")]
    job = make_job(folder, params, images, ([], []), task)
    predict_holdout(replace(job, rows={"holdout": rows}), models, *out)
    return out


def probabilities(rows):
    return np.array([[float(row[f"p_{name}"]) for name in CLASSES] for row in rows])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder, rows = tmp_path_factory.mktemp("holdout"), make_rows(36)
    images = make_images(rows)
    models = trained(folder, PARAMS, TASK, images, rows)
    paths = predicted_holdout(folder, PARAMS, TASK, images, rows[-12:], models)
    task = load("MEASURES", "classification")(PARAMS["task"])
    evaluate_holdout(
        *paths[:2],
        task,
        Bootstrap(3, "patient"),
        folder / "metrics",
        folder / "holdout_summary.json",
    )
    return folder, images, rows[-12:], models


def test_each_model_says_what_it_says_by_itself(finished):
    folder, images, rows, models = finished
    alone = read_csv(folder / "fold_predictions.csv")
    assert len(alone) == len(rows) * len(models)
    for fold, path in models.items():
        own = [row | {"fold": fold} for row in rows]
        out = folder / f"{fold}.csv", folder / f"{fold}.npy"
        predict_fold(make_job(folder, PARAMS, images, ([], own), TASK), path, *out)
        assert read_csv(out[0]) == [row for row in alone if row["fold"] == str(fold)]


def test_each_picture_is_measured_once_for_all_models(tmp_path, monkeypatch):
    params = make_params(model__normalisation="image", training__batch_size=7, training__epochs=1)
    rows = make_rows(36)
    images, own, places = make_images(rows), rows[-12:], []
    models = trained(tmp_path, params, TASK, images, rows)

    def levels(images, asked, channels):
        places.append(asked)
        return levels_by_picture(images, asked, channels)

    monkeypatch.setattr("foldwise.train.feed.pixels.levels_by_picture", levels)
    _, each, _ = predicted_holdout(tmp_path, params, TASK, images, own, models)
    assert len(places) == 1
    # Shared pictures, and each model's answers as by itself.
    for fold, path in models.items():
        alone = make_job(tmp_path, params, images, ([], [r | {"fold": fold} for r in own]), TASK)
        predict_fold(alone, path, tmp_path / "own.csv", tmp_path / "own.npy")
        said = [row for row in read_csv(each) if row["fold"] == str(fold)]
        assert read_csv(tmp_path / "own.csv") == said


def test_together_they_say_the_mean_of_their_probabilities(finished):
    folder, _, rows, _ = finished
    together = read_csv(folder / "val_predictions.csv")
    assert [row["sample"] for row in together] == [
        row["sample"] for row in sorted(rows, key=lambda row: row["content"])
    ]
    assert {row["fold"] for row in together} == {"ensemble"}
    alone = read_csv(folder / "fold_predictions.csv")
    each = [probabilities([row for row in alone if row["fold"] == str(fold)]) for fold in FOLDS]
    assert np.ptp(each, axis=0).max() > 0.01  # The models differ, or this would show nothing.
    np.testing.assert_allclose(probabilities(together), np.mean(each, axis=0), atol=2e-9)


def test_metrics_are_those_of_scikit_learn_on_the_mean(finished):
    folder, *_ = finished
    alone = read_csv(folder / "fold_predictions.csv")
    each = [[row for row in alone if row["fold"] == str(fold)] for fold in FOLDS]
    mean = np.mean([probabilities(rows) for rows in each], axis=0)
    truth, said = [row["label"] for row in each[0]], [CLASSES[k] for k in mean.argmax(axis=1)]
    expected = {
        "accuracy": accuracy_score(truth, said),
        "kappa": cohen_kappa_score(truth, said, weights="quadratic"),
        "macro_f1": f1_score(truth, said, average="macro"),
        "auc": roc_auc_score(truth, mean / mean.sum(axis=1, keepdims=True), multi_class="ovr"),
    }
    summary = read_json(folder / "holdout_summary.json")
    found = summary["ensemble"]["image"]["metrics"]
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, abs=1e-9), name
        low, high = found[name]["interval"]
        if low is None:
            assert "one and the same value" in found[name]["no_interval"]
            continue
        assert low <= value <= high
    written = json.loads((folder / "metrics/val_metrics.json").read_text())
    assert written["kappa"] == found["kappa"]["value"]
    accuracies = [
        accuracy_score(truth, [CLASSES[k] for k in probabilities(rows).argmax(axis=1)])
        for rows in each
    ]
    assert [entry["accuracy"] for entry in summary["folds"]] == pytest.approx(accuracies)
    assert summary["accuracy"]["mean"] == pytest.approx(np.mean(accuracies))
    assert summary["accuracy"]["std"] == pytest.approx(np.std(accuracies, ddof=1))
    assert (summary["n"], summary["groups"]) == (12, 6)


def test_one_patient_in_the_holdout_has_a_value_and_no_interval(finished):
    folder, *_ = finished
    rows = read_csv(folder / "val_predictions.csv")
    task = load("MEASURES", "classification")(PARAMS["task"])
    one_patient = [row | {"group": "g"} for row in rows]
    found = summarise_holdout(one_patient, [], task, Bootstrap(3, "patient", 50))
    accuracy = found["ensemble"]["image"]["metrics"]["accuracy"]
    assert accuracy["value"] is not None
    assert accuracy["interval"] == [None, None]


def test_masks_are_averaged_before_they_are_measured(tmp_path):
    rows = mask_rows(30)
    images, params = mask_images(rows), mask_params(training__epochs=2)
    task = Segmentation(params["task"])
    models = trained(tmp_path, params, task, images, rows, folds=(1, 2))
    table, alone, maps = predicted_holdout(tmp_path, params, task, images, rows[-12:], models)
    rows = sorted(rows[-12:], key=lambda row: row["content"])
    each = []
    for fold, path in models.items():
        own = [row | {"fold": fold} for row in rows]
        out = [tmp_path / f"{fold}.{end}" for end in ("csv", "npy", "map.npy")]
        predict_fold(make_job(tmp_path, params, images, ([], own), task), path, *out)
        each.append(np.load(out[2]).astype(float))
    mean = np.mean(each, axis=0)
    assert np.abs(np.load(maps) - mean).max() <= 1  # Maps are rounded to 1/255.
    truth = np.empty((len(rows), 2, 32, 32), np.uint8)
    images.take(images.places(rows), truth)
    sure = (np.abs(mean - 127.5) > 1).all(axis=(1, 2))  # No pixel at the threshold.
    found = read_csv(table)
    for i in np.flatnonzero(sure):
        expected = jaccard_score(truth[i, 1].ravel() != 0, mean[i].ravel() > 127.5)
        assert float(found[i]["jaccard"]) == pytest.approx(expected, abs=1e-6)
    assert len(read_csv(alone)) == 2 * len(rows)


def test_maps_of_a_smaller_side_are_enlarged():
    task = Segmentation({"threshold": 0.5, "tiles": {"size": None, "overlap": 0.25}})
    random = np.random.default_rng(0)
    large, small = (torch.from_numpy(random.random((2, n, n))).float() for n in (16, 8))
    batch = {"image": torch.zeros(2, 1, 16, 16), "planes": torch.ones(2, 1, 16, 16).int()}
    found = task.ensemble([{"map": large}, {"map": small}], batch)["map"]
    assert found.shape == (2, 16, 16)
    whole = found.mean(dim=(1, 2)).numpy()
    expected = (large.mean(dim=(1, 2)) + small.mean(dim=(1, 2))).numpy() / 2
    np.testing.assert_allclose(whole, expected, atol=0.02)


def test_data_that_name_no_holdout_give_empty_files(finished, tmp_path):
    *_, models = finished
    paths = predicted_holdout(tmp_path, PARAMS, TASK, None, [], models)
    task = load("MEASURES", "classification")(PARAMS["task"])
    evaluate_holdout(
        *paths[:2], task, Bootstrap(3, "patient"), tmp_path / "metrics", tmp_path / "summary.json"
    )
    summary = read_json(tmp_path / "summary.json")
    assert (summary["n"], summary["folds"]) == (0, [])
    assert read_csv(paths[0]) == []


@pytest.mark.parametrize(
    ("folds", "splits", "there"),
    [
        ({"preset": None, "holdout": 0.0}, {}, False),
        ({"preset": None, "holdout": 0.2}, {}, True),
        ({"preset": "test", "holdout": 0.0}, {}, True),
        ({"preset": "split", "holdout": 0.0}, {}, True),
        ({"preset": "split", "holdout": 0.0}, {"train": "a.csv", "val": "b.csv"}, False),
        ({"preset": "split", "holdout": 0.0}, {"train": "a.csv", "test": "b.csv"}, True),
    ],
)
def test_which_studies_are_judged_on_a_holdout(folds, splits, there):
    study = {"name": "mine", "folds": folds, "data": {"splits": splits}}
    assert has_holdout(study) is there
    assert bool(holdout_files(study, "cv")) is there
