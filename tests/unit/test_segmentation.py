"""Segmentation through the one loop: it learns, repeats, resumes, and counts pixels rightly."""

import csv
import hashlib

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.segmentation import Measures
from foldwise.files import read_json
from foldwise.tasks.segmentation import Segmentation
from foldwise.train.loop import train_fold
from foldwise.train.predict import predict_fold
from foldwise.train.process.stop import Stop, Stopped
from made_masks import mask_images, mask_params, mask_rows
from training import Memory, make_job

ROWS = mask_rows(24)
IMAGES = mask_images(ROWS)


def job_of(out, params, images=IMAGES, stop=None):
    task = Segmentation(params["task"])
    return make_job(out, params, images, (ROWS[:16], ROWS[16:]), task, stop=stop or Stop())


def train(folder, params, images=IMAGES, stop=None, on_epoch=None):
    train_fold(job_of(folder / "results", params, images, stop), on_epoch)
    return folder / "results"


def predict(folder, params, images=IMAGES):
    paths = folder / "val_predictions.csv", folder / "embeddings_val.npy", folder / "maps_val.npy"
    predict_fold(job_of(folder, params, images), folder / "best_model.pt", *paths)
    with open(paths[0], newline="") as stream:
        return list(csv.DictReader(stream)), np.load(paths[1]), np.load(paths[2])


def digest(folder):
    names = "best_model.pt", "train_history.json", "val_predictions.csv", "maps_val.npy"
    found = {name: folder / name for name in names}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in found.items()
        if path.exists()
    }


class Soon(Stop):
    """Asks to stop at the n-th time it is looked at."""

    def __init__(self, at):
        self.looked, self.at = 0, at
        super().__init__()

    @property
    def requested(self):
        self.looked += 1
        return "SIGTERM" if self.looked == self.at else None

    @requested.setter
    def requested(self, value):
        pass


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A U-Net that has learned the discs: folder of results, params, predictions."""
    params = mask_params(training__epochs=25, training__batch_size=4, training__lr=0.01)
    params["training"] |= {"early_stopping": {"patience": None, "min_delta": 0}}
    params["augment"] |= {"border": "reflect"}
    out = train(tmp_path_factory.mktemp("learned"), params)
    return out, params, predict(out, params)


def test_it_learns_what_a_threshold_cannot(learned):
    _, _, (rows, embeddings, maps) = learned
    assert Measures({}).score(rows)["jaccard"] > 0.6
    assert embeddings.shape == (8, 16 * 4)
    assert maps.shape == (8, 32, 32)
    assert maps.dtype == np.uint8


def test_the_table_says_what_scikit_learn_says_of_the_maps(learned):
    rows, _, maps = learned[2]
    order = {row["sample"]: row["content"] for row in ROWS}
    assert len(rows) > 4
    for row, found in zip(rows, maps, strict=True):
        truth = IMAGES.pixels[IMAGES.where[order[row["sample"]]], 1].ravel()
        # Maps are rounded to 1/255: pixels next to the threshold may differ.
        answer = (found >= 127.5).ravel()
        assert float(row["jaccard"]) == pytest.approx(jaccard_score(truth, answer), abs=0.02)
        assert float(row["dice"]) == pytest.approx(f1_score(truth, answer), abs=0.02)
        counts = {name: int(row[name]) for name in ("tp", "fp", "fn", "truth", "predicted")}
        assert counts["tp"] + counts["fn"] == counts["truth"] == truth.sum()
        assert counts["tp"] + counts["fp"] == counts["predicted"]
        assert abs(counts["predicted"] - answer.sum()) <= 8


def test_the_score_is_that_of_the_kept_weights(learned):
    out, _, (rows, _, _) = learned
    best = read_json(out / "train_history.json")["best"]
    assert best["monitor"] == "jaccard"
    assert Measures({}).score(rows)["jaccard"] == best["score"]


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_two_runs_end_in_the_same_bits(tmp_path, precision):
    params = mask_params(
        training__epochs=2,
        training__batch_size=4,
        training__precision=precision,
        training__stages=[{"size": [16, 32], "epochs": 1}, {"size": 32, "epochs": 1}],
        model__name="attention_resunet",
        model__norm="group",
        loss__ramp_epochs=2,
        loss__boundary_weight=2.0,
    )
    found = []
    for name in ("a", "b"):
        out = train(tmp_path / name, params)
        predict(out, params)
        found.append(digest(out))
    assert found[0] == found[1]
    assert len(found[0]) == 4
    history = read_json(out / "train_history.json")["epochs"]
    assert [entry["size"] for entry in history] == [32, 32]


def test_stopped_and_run_again_ends_in_the_same_bits(tmp_path):
    params = mask_params(training__epochs=3, training__batch_size=4, loss__ramp_epochs=3)
    whole = digest(train(tmp_path / "whole", params))

    with pytest.raises(Stopped):
        train(tmp_path / "cut", params, stop=Soon(8))
    assert digest(train(tmp_path / "cut", params)) == whole


def test_tiles_train_on_crops_and_predict_whole_pictures(tmp_path):
    tiles = {"size": 16, "overlap": 0.5, "per_image": 2}
    params = mask_params(training__epochs=1, training__batch_size=4, training__tiles=tiles)
    out = train(tmp_path, params)
    assert predict(out, params)[2].shape == (8, 32, 32)


def in_squares(images, side=48):
    """The same pictures, every other one cut to a strip, in the middle of larger squares."""
    pixels = np.zeros((len(images.pixels), 2, side, side), np.uint8)
    parts = np.tile([8, 40, 8, 40], (len(pixels), 1))
    parts[::2] = [14, 34, 8, 40]
    for planes, whole, (a, b, c, d) in zip(pixels, images.pixels, parts, strict=True):
        planes[:, a:b, c:d] = whole[:, a - 8 : b - 8, c - 8 : d - 8]
    return Memory(pixels, [row["content"] for row in ROWS], parts)


MIXED = {
    "training__tiles": {"size": 32, "overlap": 0.25, "per_image": 2},
    "training__batch_size": 4,
    "training__lr": 0.01,
    "model__norm": "group",
    "model__normalisation": "image",
    "augment__invert": 0.5,
    "augment__quarter_turn": 0.75,
    "augment__border": "reflect",
}


def test_pictures_of_several_sizes_end_in_the_same_bits_stopped_or_not(tmp_path):
    params, images = mask_params(48, training__epochs=2, **MIXED), in_squares(IMAGES)
    whole = train(tmp_path / "whole", params, images)

    with pytest.raises(Stopped):
        train(tmp_path / "cut", params, images, stop=Soon(5))
    assert digest(train(tmp_path / "cut", params, images)) == digest(whole)
    rows, _, maps = predict(whole, params, images)
    best = read_json(whole / "train_history.json")["best"]
    assert Measures({}).score(rows)["jaccard"] == best["score"]
    assert maps.shape == (8, 48, 48)
    assert maps[:, :8].max() == 0 and maps[:, :, 40:].max() == 0


@pytest.mark.slow
@pytest.mark.parametrize("invert", [0.0, 0.5])
def test_objects_of_the_other_polarity_are_learnt_by_inverting(tmp_path, invert):
    images = in_squares(IMAGES)
    darker = [images.where[row["content"]] for row in ROWS[16:]]
    for number in darker:
        a, b, c, d = images.parts[number]
        images.pixels[number, 0, a:b, c:d] = 255 - images.pixels[number, 0, a:b, c:d]
    params = mask_params(48, training__epochs=20, **MIXED | {"augment__invert": invert})
    rows = predict(train(tmp_path, params, images), params, images)[0]
    score = Measures({}).score(rows)["jaccard"]
    assert score > 0.5 if invert else score < 0.3


@pytest.mark.parametrize("name", registry.MASK_LOSSES)
def test_every_loss_gets_smaller(name, tmp_path):
    params = mask_params(training__epochs=3, training__batch_size=4, loss__name=name)
    params["training"] |= {"early_stopping": {"patience": None, "min_delta": 0}, "lr": 0.005}
    losses = [
        e["train_loss"] for e in read_json(train(tmp_path, params) / "train_history.json")["epochs"]
    ]
    assert losses[-1] < losses[0]


def test_the_criterion_is_told_the_epoch(tmp_path):
    params = mask_params(loss__ramp_epochs=30)
    task = Segmentation(params["task"])
    criterion = task.criterion(params, {})
    criterion.epoch = 15
    assert criterion.share(criterion.epoch) == pytest.approx(0.6)
    logits, mask = torch.randn(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    mask[..., 2:5, 2:5] = 1
    assert criterion(logits, mask) == criterion(logits, mask, 15) != criterion(logits, mask, 0)


def test_pictures_of_16_bits_have_masks_too(tmp_path):
    images = mask_images(ROWS)
    pixels = images.pixels.astype(np.uint16)
    pixels[:, 0] *= 257
    images.pixels, images.dtype = pixels, pixels.dtype
    params = mask_params(training__epochs=1, training__batch_size=4)
    assert len(predict(train(tmp_path, params, images), params, images)[0]) == 8


def test_an_image_without_objects_has_no_size_and_no_overlap():
    task = Segmentation({"threshold": 0.5, "tiles": {"size": None, "overlap": 0}})
    measured = task.measure(np.zeros((2, 8, 8), np.float32), np.zeros((2, 8, 8), np.uint8))
    row = task.table(ROWS[:2], {"measured": measured})[0]
    assert row["jaccard"] == row["dice"] == row["object_pixels_true"] == ""
    assert row["objects_true"] == row["tp"] == "0"
    assert np.isnan(task.score([row])["jaccard"])


def test_a_threshold_that_differs_changes_the_counts(learned):
    out, params, (rows, _, _) = learned
    low = params | {"task": params["task"] | {"threshold": 0.05}}
    again = predict(out, low)[0]
    assert sum(int(row["predicted"]) for row in again) > sum(int(row["predicted"]) for row in rows)


def test_weighted_sampling_is_refused():
    with pytest.raises(FoldwiseError, match="shuffle"):
        Segmentation({}).sampling_weights({})


@pytest.mark.parametrize("batch_size", [1, 2])
def test_group_norm_learns_from_one_or_two_images_a_step_and_repeats(tmp_path, batch_size):
    params = mask_params(
        training__epochs=3,
        training__batch_size=batch_size,
        training__accumulate=2,
        training__schedule={"name": "plateau", "factor": 0.5, "patience": 30, "min_lr": 0},
        model__norm="group",
    )
    first, second = (train(tmp_path / name, params) for name in "ab")
    assert digest(first) == digest(second)
    entries = read_json(first / "train_history.json")["epochs"]
    assert entries[-1]["train_loss"] < entries[0]["train_loss"]
    # Three epochs are no plateau of thirty.
    assert {entry["lr_head"] for entry in entries} == {params["training"]["lr"]}
