"""How training ends: early, by a report, by its own doing, or not at all."""

import math

import pytest
import torch

from foldwise.errors import FoldwiseError
from foldwise.train import fit
from foldwise.train.failure import TrainingFailed
from foldwise.train.plan import Plan
from training import TinyTask, history, make_params, make_rows, train


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


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
    told = history(train(tmp_path, on_epoch=lambda epochs: len(epochs) == 2))
    assert len(told["epochs"]) == 2
    assert told["ended"] == "pruned"


@pytest.mark.parametrize("late", [False, True])
def test_a_loss_that_is_not_finite_stops_at_its_step(tmp_path, monkeypatch, late):
    if late:  # As on a GPU, whose numbers are read some steps later.
        monkeypatch.setattr(fit.Noted, "on_cpu", False)

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
    for path in (tmp_path / "state").glob("*.pt"):
        state = torch.load(path, weights_only=True)
        assert all(value.isfinite().all() for value in state["model"].values())


def test_a_prediction_that_is_no_number_names_epoch_and_validation_rows(tmp_path):
    class Breaking(TinyTask):
        def validate(self, model, criterion, batch):
            found, terms = super().validate(model, criterion, batch)
            return found | {"probability": found["probability"] * math.nan}, terms

    params = make_params()
    with pytest.raises(TrainingFailed, match="probability is nan after epoch 1") as caught:
        train(tmp_path, params, task=Breaking(params["task"]))
    said = str(caught.value)
    assert "validation part" in said and "training part" not in said
    assert len(said) < 400
    assert "step" not in caught.value.place


def test_memory_that_is_not_there_names_sizes_and_settings(tmp_path):
    class Greedy(TinyTask):
        def loss(self, model, criterion, batch):
            torch.empty(2**60)

    params = make_params()
    with pytest.raises(TrainingFailed, match=r"8 images of 1 x 16 x 16.*batch_size") as caught:
        train(tmp_path, params, task=Greedy(params["task"]))
    assert caught.value.reason == "out_of_memory"


def test_a_head_alone_may_be_warmed_up_to_the_end(tmp_path):
    """What the message on a warm-up that fills all epochs tells to do, with the usual schedule."""
    params = make_params(
        training__epochs=3,
        training__head_only_epochs=3,
        training__schedule={"name": "cosine"},
        model__trainable_blocks=0,
    )
    told = history(train(tmp_path, params))
    assert [entry["lr_head"] for entry in told["epochs"]] == [params["training"]["lr"]] * 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training__sampler": "weighted", "loss__class_weights": "balanced"}, "overdo"),
        ({"training__head_only_epochs": 3}, "never be trained"),
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


def test_a_batch_larger_than_the_training_part_is_refused(tmp_path):
    with pytest.raises(FoldwiseError, match=r"a batch of 25 .* 24 images: .* Take 24 or less"):
        train(tmp_path, make_params(training__batch_size=25))
