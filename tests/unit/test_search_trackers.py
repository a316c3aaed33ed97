"""Trackers: what they are told arrives, nothing else does, and their failure stops nothing."""

import logging
import platform
import socket

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from foldwise import registry
from foldwise.trackers.base import Tolerant
from foldwise.trackers.hook import FoldTracker
from training import make_params, train

SETTINGS = {"training.lr": 0.001, "model.name": "small_cnn", "model.weights": None}


def track(tracker):
    for epoch in (1, 2, 3):
        tracker.epoch(epoch, {"kappa": epoch / 10, "auc": float("nan"), "note": "text"})
    tracker.end({"kappa": 0.3})


def test_tensorboard_holds_the_numbers(tmp_path):
    from foldwise.trackers.tensorboard import TensorBoard

    track(Tolerant("tensorboard", lambda: TensorBoard(tmp_path, "demo", "cv", 1, SETTINGS)))
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    kappa = [(event.step, round(event.value, 6)) for event in events.Scalars("kappa")]
    assert kappa == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert "auc" not in events.Tags()["scalars"]


@pytest.mark.slow  # W&B's own service process writes the file, in seconds or in a minute.
def test_wandb_is_offline_and_tells_nothing_of_the_machine(tmp_path, monkeypatch):
    from foldwise.trackers.wandb import Wandb

    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(socket, "gethostname", lambda: "host-of-the-clinic")
    monkeypatch.setattr(platform, "node", lambda: "host-of-the-clinic")
    track(Tolerant("wandb", lambda: Wandb(tmp_path, "demo", "cv", 1, SETTINGS)))
    files = list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
    assert len(files) == 1
    content = files[0].read_bytes()
    assert b"kappa" in content and b"training.lr" in content
    for private in ("host-of-the-clinic", "test_search_trackers"):
        assert private.encode() not in content


class Broken:
    def epoch(self, epoch, metrics):
        raise RuntimeError("no space")

    def end(self, summary):
        raise AssertionError("is left alone after its first failure")


def refuse():
    raise ValueError("no such host")


@pytest.mark.parametrize("make", [Broken, refuse])
def test_a_tracker_that_fails_warns_once_and_stops_nothing(caplog, make):
    with caplog.at_level(logging.WARNING):
        track(Tolerant("broken", make))
    assert len(caplog.records) == 1
    assert "Tracker broken failed" in caplog.text and "goes on without it" in caplog.text


def test_a_training_tells_its_epochs_and_is_the_same_with_a_tracker(tmp_path):
    params = make_params()
    tracker = FoldTracker("tensorboard", tmp_path / "tracker", "demo", params, 1)
    tracked, plain = train(tmp_path / "told", on_epoch=tracker), train(tmp_path / "plain")
    tracker.end({"score": 0.5})
    assert (tracked / "best_model.pt").read_bytes() == (plain / "best_model.pt").read_bytes()
    events = EventAccumulator(str(tmp_path / "tracker" / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("kappa")] == [1, 2, 3]


def test_a_tool_that_is_not_installed_is_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(registry.TRACKERS, "wandb", "foldwise.trackers.missing:Nothing")
    tracker = FoldTracker("wandb", tmp_path, "demo", make_params(), 1)
    with caplog.at_level(logging.WARNING):
        train(tmp_path / "told", on_epoch=tracker)
    assert "Tracker wandb failed (ModuleNotFoundError" in caplog.text
    assert not FoldTracker("none", tmp_path, "demo", make_params(), 1)([{"epoch": 1}])
