"""The loop: what it writes and what it leaves alone."""

import json

import numpy as np
import pytest
import torch

from foldwise.files import read_csv
from foldwise.train.predict import load_model, predict_fold
from training import (
    CLASSES,
    NO_AUGMENT,
    TinyTask,
    history,
    make_images,
    make_job,
    make_params,
    make_rows,
    train,
    weights,
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def test_equal_settings_end_in_equal_bytes(tmp_path):
    first, second = train(tmp_path / "first"), train(tmp_path / "second")
    for name in ("best_model.pt", "train_history.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert list((tmp_path / "first" / "state").glob("*.pt"))


def test_names_of_samples_and_order_of_rows_decide_nothing(tmp_path):
    rows = make_rows(36)
    renamed = [row | {"sample": f"x{35 - n}", "group": "g"} for n, row in enumerate(rows)]
    shuffled = renamed[:24][::-1] + renamed[24:]
    first = train(tmp_path / "first", rows=rows, images=make_images(rows))
    second = train(tmp_path / "second", rows=shuffled, images=make_images(rows))
    assert (first / "best_model.pt").read_bytes() == (second / "best_model.pt").read_bytes()


def test_another_seed_is_another_model(tmp_path):
    first = weights(train(tmp_path / "first"))
    second = weights(train(tmp_path / "second", make_params(seed=4)))
    assert not torch.equal(first["head.1.weight"], second["head.1.weight"])


def test_it_learns(tmp_path):
    params = make_params(training__epochs=25, training__lr=0.02, augment=NO_AUGMENT)
    told = history(train(tmp_path, params))
    assert told["best"]["score"] > 0.8
    assert told["epochs"][-1]["train_loss"] < told["epochs"][0]["train_loss"]


def test_best_weights_are_kept_and_predict_as_in_their_epoch(tmp_path):
    params = make_params(training__epochs=8)
    folder = train(tmp_path, params)
    told, rows = history(folder), make_rows(36)
    kappas = [epoch["kappa"] for epoch in told["epochs"]]
    assert told["best"]["epoch"] == 1 + int(np.argmax(kappas))
    paths = tmp_path / "val_predictions.csv", tmp_path / "embeddings_val.npy"
    task = TinyTask(params["task"])
    job = make_job(tmp_path, params, make_images(rows), (rows[:24], rows[24:]))
    predict_fold(job, folder / "best_model.pt", *paths)
    table = read_csv(paths[0])
    score = task.score(table)
    best = told["epochs"][told["best"]["epoch"] - 1]
    assert {name: best[name] for name in score} == pytest.approx(score, abs=1e-9)
    embeddings = np.load(paths[1])
    assert embeddings.shape == (12, 8)
    assert embeddings.dtype == np.float32
    kept = load_model(job, folder / "best_model.pt")
    with torch.no_grad():
        logits = kept.model.head(torch.from_numpy(embeddings))
    probability = [[float(row[f"p_{name}"]) for name in "ABC"] for row in table]
    np.testing.assert_allclose(logits.softmax(1).numpy(), probability, atol=1e-6)
    assert kept.size == 16


def test_history_has_no_times_and_ray_lines_do(tmp_path):
    folder = train(tmp_path)
    told = history(folder)
    assert not [key for epoch in told["epochs"] for key in epoch if "time" in key]
    assert told["environment"]["threads"] == 1
    lines = [json.loads(line) for line in (folder / "ray_cv.jsonl").read_text().splitlines()]
    assert [line["training_iteration"] for line in lines] == [1, 2, 3]
    for line, epoch in zip(lines, told["epochs"], strict=True):
        assert line["fold"] == 1
        assert line["trial_id"] == "cv"
        assert line["kappa"] == epoch["kappa"]
        assert line["config"]["training"]["lr"] == 0.01
        assert {"timestamp", "time_total_s", "time_this_iter_s"} <= set(line)


def test_a_criterion_that_changes_is_told_the_epoch(tmp_path):
    epochs, validated = [], []

    class Changing(torch.nn.CrossEntropyLoss):
        epoch = -1

        def forward(self, logits, label):
            # The validation part's loss is of the same epoch, and asked without gradients.
            (epochs if torch.is_grad_enabled() else validated).append(self.epoch)
            return super().forward(logits, label)

    class Task(TinyTask):
        def criterion(self, params, train_targets):
            return Changing()

    params = make_params(training__batch_size=12)
    train(tmp_path, params, task=Task(params["task"]))
    assert epochs == [0, 0, 1, 1, 2, 2]
    assert validated == [0, 1, 2]


def test_a_warm_up_trains_the_head_alone_and_then_the_blocks(tmp_path):
    seen = []

    class Watching(TinyTask):
        def score(self, predictions):
            seen.append({name: value.clone() for name, value in self.model.state_dict().items()})
            return super().score(predictions)

        def build(self, params, channels):
            self.model = super().build(params, channels)
            seen.append({name: value.clone() for name, value in self.model.state_dict().items()})
            return self.model

    params = make_params(
        training__epochs=4, training__head_only_epochs=2, model__trainable_blocks=1
    )
    train(tmp_path, params, task=Watching(params["task"]))
    start, _, warm, after, _ = seen

    def same(one, other, part):
        names = [name for name in one if name.startswith(part)]
        return all(torch.equal(one[name], other[name]) for name in names)

    assert same(start, warm, "one")
    assert same(start, warm, "two")
    assert not same(start, warm, "head")
    assert same(start, after, "one")
    assert not same(start, after, "two")


def test_accumulated_batches_are_one_large_batch(tmp_path):
    common = {"model__trainable_blocks": 0, "model__dropout": 0, "training__optimizer": "sgd"}
    large = make_params(training__batch_size=10, training__accumulate=1, **common)
    small = make_params(training__batch_size=5, training__accumulate=2, **common)
    one, two = weights(train(tmp_path / "one", large)), weights(train(tmp_path / "two", small))
    for name, value in one.items():
        torch.testing.assert_close(value, two[name])


def test_a_last_batch_of_one_joins_the_one_before(tmp_path):
    sizes = []

    class Counting(TinyTask):
        def loss(self, model, criterion, batch):
            sizes.append(len(batch["image"]))
            return super().loss(model, criterion, batch)

    params = make_params(training__batch_size=23, training__epochs=1)
    train(tmp_path, params, task=Counting(params["task"]))
    assert sizes == [24]


def test_stages_go_on_from_the_best_weights_at_the_next_size(tmp_path):
    sizes = []

    class Sizes(TinyTask):
        def loss(self, model, criterion, batch):
            sizes.append(batch["image"].shape[-1])
            return super().loss(model, criterion, batch)

    stages = [{"size": 8, "epochs": 2}, {"size": [12, 16], "epochs": 3}]
    params = make_params(training__stages=stages)
    folder = train(tmp_path, params, task=Sizes(params["task"]))
    assert set(sizes[:6]) == {8}
    assert set(sizes[6:]) == {12, 16}
    told = history(folder)
    assert [epoch["size"] for epoch in told["epochs"]] == [8, 8, 16, 16, 16]
    assert told["best"]["epoch"] >= 3
    assert told["best"]["size"] == 16


def test_bfloat16_gives_float32_to_the_loss(tmp_path):
    types = []

    class Types(TinyTask):
        def criterion(self, params, train_targets):
            inner = super().criterion(params, train_targets)

            def watched(logits, label):
                types.append((logits.dtype, torch.is_autocast_enabled("cpu")))
                return inner(logits, label)

            return watched

        def loss(self, model, criterion, batch):
            types.append((model(batch["image"]).dtype, torch.is_autocast_enabled("cpu")))
            return super().loss(model, criterion, batch)

    params = make_params(training__precision="bf16", training__epochs=1)
    folder = train(tmp_path, params, task=Types(params["task"]))
    assert types[:2] == [(torch.bfloat16, True), (torch.float32, False)]
    assert weights(folder)["head.1.weight"].dtype == torch.float32
    assert history(folder)["environment"]["number_type"] == "bf16"


def test_a_weighted_sampler_draws_classes_equally(tmp_path):
    labels = []

    class Labels(TinyTask):
        def loss(self, model, criterion, batch):
            labels.extend(batch["label"].tolist())
            return super().loss(model, criterion, batch)

    rows = make_rows(36)
    for row in rows[:24]:
        row["label"] = "B" if row["label"] == "C" and row is not rows[2] else row["label"]
    params = make_params(training__sampler="weighted", training__epochs=30)
    images = make_images(make_rows(36))
    train(tmp_path, params, task=Labels(params["task"]), rows=rows, images=images)
    share = np.bincount(labels) / len(labels)
    assert share == pytest.approx([1 / 3] * 3, abs=0.06)


def test_the_validation_loss_of_each_epoch_is_in_the_history(tmp_path):
    folder = train(tmp_path)
    params, rows = make_params(), make_rows(36)
    told = history(folder)
    job = make_job(tmp_path, params, make_images(rows), (rows[:24], rows[24:]))
    kept = load_model(job, folder / "best_model.pt")
    pixels = make_images(rows).pixels[24:] / np.float32(255)
    label = torch.tensor([CLASSES.index(row["label"]) for row in rows[24:]])
    (mean,), (std,) = kept.normalise
    with torch.inference_mode():
        logits = kept.model((torch.from_numpy(pixels).float() - mean) / std)
    expected = torch.nn.functional.cross_entropy(logits, label).item()
    assert told["epochs"][kept.epoch - 1]["val_loss"] == pytest.approx(expected, rel=1e-4)
    lines = [json.loads(line) for line in (folder / "ray_cv.jsonl").read_text().splitlines()]
    assert [line["val_loss"] for line in lines] == [one["val_loss"] for one in told["epochs"]]
