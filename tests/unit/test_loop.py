"""The loop: what it writes, what it leaves alone, and how it ends."""

import json
import math

import numpy as np
import pytest
import torch

from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, read_json
from foldwise.predict import load_model, predict_fold
from foldwise.train.failure import TrainingFailed
from foldwise.train.plan import Plan
from training import TinyTask, make_images, make_params, make_rows, train

NO_AUGMENT = dict.fromkeys(make_params()["augment"], 0)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def weights(folder):
    return torch.load(folder / "best_model.pt", weights_only=True)["state_dict"]


def history(folder):
    return read_json(folder / "train_history.json")


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
    predict_fold(params, task, make_images(rows), rows[24:], folder / "best_model.pt", *paths)
    table = read_csv(paths[0])
    score = task.score(table)
    best = told["epochs"][told["best"]["epoch"] - 1]
    assert {name: best[name] for name in score} == pytest.approx(score, abs=1e-9)
    embeddings = np.load(paths[1])
    assert embeddings.shape == (12, 8)
    assert embeddings.dtype == np.float32
    model, facts = load_model(params, task, folder / "best_model.pt", torch.device("cpu"))
    with torch.no_grad():
        logits = model.head(torch.from_numpy(embeddings))
    probability = [[float(row[f"p_{name}"]) for name in "ABC"] for row in table]
    np.testing.assert_allclose(logits.softmax(1).numpy(), probability, atol=1e-6)
    assert facts["size"] == 16


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
    epochs = []

    class Changing(torch.nn.CrossEntropyLoss):
        epoch = -1

        def forward(self, logits, label):
            epochs.append(self.epoch)
            return super().forward(logits, label)

    class Task(TinyTask):
        def criterion(self, params, train_targets):
            return Changing()

    params = make_params(training__batch_size=12)
    train(tmp_path, params, task=Task(params["task"]))
    assert epochs == [0, 0, 1, 1, 2, 2]


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

    params = make_params(training__epochs=4, training__warmup_epochs=2, model__trainable_blocks=1)
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


def test_early_stopping_and_its_margin(tmp_path):
    class Flat(TinyTask):
        values = iter([0.1, 0.5, 0.55, 0.58, 0.52, 0.9, 0.9])

        def score(self, predictions):
            return super().score(predictions) | {"kappa": next(self.values)}

    stopping = {"patience": 3, "min_delta": 0.1}
    params = make_params(training__epochs=20, training__early_stopping=stopping)
    told = history(train(tmp_path, params, task=Flat(params["task"])))
    assert told["best"]["epoch"] == 2
    assert len(told["epochs"]) == 5
    assert told["ended"] == "no gain"


def test_a_metric_to_be_small_and_one_that_is_undefined(tmp_path):
    class Falling(TinyTask):
        values = iter([math.nan, 0.5, 0.3, 0.4])

        def score(self, predictions):
            return super().score(predictions) | {"log_loss": next(self.values)}

    params = make_params(training__epochs=4, training__monitor="log_loss")
    told = history(train(tmp_path, params, task=Falling(params["task"])))
    assert told["best"]["epoch"] == 3
    assert told["epochs"][0]["log_loss"] is None


def test_a_report_may_end_the_training(tmp_path):
    told = history(train(tmp_path, report=lambda epochs: len(epochs) == 2))
    assert len(told["epochs"]) == 2
    assert told["ended"] == "pruned"


def test_a_loss_that_is_not_finite_stops_at_its_step(tmp_path):
    class Breaking(TinyTask):
        steps = 0

        def loss(self, model, criterion, batch):
            self.steps += 1
            terms = super().loss(model, criterion, batch)
            return {"loss": terms["loss"] * math.inf} if self.steps == 5 else terms

    params = make_params()
    with pytest.raises(TrainingFailed, match="epoch 2, step 2") as caught:
        train(tmp_path, params, task=Breaking(params["task"]))
    assert caught.value.reason == "non_finite"
    assert caught.value.place["epoch"] == 2
    assert caught.value.place["step"] == 2
    assert len(caught.value.place["batch"]) == 8
    assert not (tmp_path / "results" / "best_model.pt").exists()


def test_memory_that_is_not_there_names_sizes_and_settings(tmp_path):
    class Greedy(TinyTask):
        def loss(self, model, criterion, batch):
            torch.empty(2**60)

    params = make_params()
    with pytest.raises(TrainingFailed, match=r"8 images of 1 x 16 x 16.*batch_size") as caught:
        train(tmp_path, params, task=Greedy(params["task"]))
    assert caught.value.reason == "out_of_memory"


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training__sampler": "weighted", "loss__class_weights": "balanced"}, "overdo"),
        ({"training__warmup_epochs": 3}, "never be trained"),
        ({"training__stages": [{"size": 32, "epochs": 1}]}, "image.size 16"),
        ({"training__monitor": "kapa"}, "kapa"),
    ],
)
def test_settings_that_contradict_each_other(tmp_path, changes, message):
    with pytest.raises(FoldwiseError, match=message):
        train(tmp_path, make_params(**changes))


def test_a_plan_names_an_empty_part(tmp_path):
    with pytest.raises(FoldwiseError, match="validation part of this fold is empty"):
        train(tmp_path, rows=make_rows(24))
    assert Plan.__dataclass_params__.frozen
