"""Saved states: whole, of exactly this run, and enough to go on from any step."""

import multiprocessing
import os
import shutil
import stat
import time

import numpy as np
import pytest
import torch

from foldwise.train.checkpoint import arrays_digest, run_digest
from foldwise.train.process.lock import FoldLock, forget
from foldwise.train.process.stop import EXIT_STOPPED, Stop, Stopped
from foldwise.train.sealed import save_sealed
from training import StopAt, TinyTask, make_params, make_rows, train


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


PARAMS = make_params(
    training__epochs=4,
    training__stages=[{"size": 8, "epochs": 2}, {"size": 16, "epochs": 2}],
    training__schedule={"name": "plateau", "patience": 0, "factor": 0.5, "min_lr": 0.0},
    training__sampler="weighted",
    training__accumulate=2,
)
RESULTS = ("best_model.pt", "train_history.json")


@pytest.mark.parametrize(
    "optimizer", [{"optimizer": "adamw"}, {"optimizer": "sgd", "momentum": 0.9}]
)
def test_going_on_from_every_step_ends_in_the_same_bytes(tmp_path, optimizer):
    params = PARAMS | {"training": PARAMS["training"] | optimizer}
    whole = train(tmp_path / "whole", params)
    stops = 0
    # Three pauses at the least: a stop within the scoring, of two batches, scores from its start.
    while not (tmp_path / "parts" / "results" / "train_history.json").exists():
        try:
            folder = train(tmp_path / "parts", params, stop=StopAt(3 + stops % 2))
        except Stopped as stopped:
            stops += 1
            assert stopped.code == EXIT_STOPPED
            assert stops < 100
    assert stops > 5
    for name in RESULTS:
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    lines = (folder / "ray_cv.jsonl").read_text().splitlines()
    assert len(lines) == 4


def stopped(folder, **named):
    with pytest.raises(Stopped):
        train(folder, stop=StopAt(5), **named)
    return folder / "state"


def test_a_state_is_private(tmp_path):
    os.umask(0o022)
    state = stopped(tmp_path)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_state_of_other_code_is_removed_and_not_read(tmp_path, caplog):
    (old,) = stopped(tmp_path, code="one").glob("*.pt")
    with caplog.at_level("INFO", "foldwise"):
        train(tmp_path, code="two")
    assert not old.exists()
    assert "starting anew" in caplog.text
    assert "Going on" not in caplog.text


def test_a_state_of_this_run_is_read(tmp_path, caplog):
    stopped(tmp_path, code="one")
    with caplog.at_level("INFO", "foldwise"):
        train(tmp_path, code="one")
    assert "Going on after epoch 0, step 3" in caplog.text


def test_a_broken_state_is_removed(tmp_path):
    (path,) = stopped(tmp_path).glob("*.pt")
    path.write_bytes(path.read_bytes()[:1000])
    broken = train(tmp_path)
    whole = train(tmp_path / "whole")
    for name in RESULTS:
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


def again(folder, **named):
    """Train once more after the results were removed, without a single step."""
    kept = {name: (folder / "results" / name).read_bytes() for name in RESULTS}
    shutil.rmtree(folder / "results")
    steps = []
    task = TinyTask(make_params()["task"])
    task.loss = lambda *_: steps.append(1)
    train(folder, task=task, **named)
    assert not steps
    assert {name: (folder / "results" / name).read_bytes() for name in RESULTS} == kept


def test_results_lost_after_the_end_are_written_again_without_training(tmp_path, caplog):
    train(tmp_path)
    with caplog.at_level("INFO", "foldwise"):
        again(tmp_path)
    assert "Training had ended (all epochs)" in caplog.text
    forget(tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_why_a_training_was_ended_early_is_asked_again(tmp_path):
    told = []
    train(tmp_path, on_epoch=lambda history: len(history) == 2)
    again(tmp_path, on_epoch=lambda history: told.append(len(history)))
    assert told == [2]


def test_a_process_that_trains_the_same_fold_is_waited_for(tmp_path, caplog):
    begun = multiprocessing.get_context("fork").Event()
    other = multiprocessing.get_context("fork").Process(target=hold, args=(tmp_path, begun))
    other.start()
    assert begun.wait(20)
    start = time.monotonic()
    with caplog.at_level("INFO", "foldwise"):
        FoldLock(tmp_path, Stop()).wait()
    assert time.monotonic() - start > 0.5
    assert "Another process still trains this fold" in caplog.text
    other.join()


def hold(folder, begun):
    lock = FoldLock(folder, Stop())
    lock.wait()
    begun.set()
    time.sleep(1)


def test_waiting_ends_when_asked_to_stop_and_when_the_other_gives_no_sign(tmp_path, monkeypatch):
    monkeypatch.setattr(FoldLock, "_taken", lambda self: True)
    with pytest.raises(Stopped):
        FoldLock(tmp_path, StopAt(1)).wait()
    os.utime(tmp_path, (0, 0))
    os.utime(tmp_path / "lock", (0, 0))
    FoldLock(tmp_path, Stop()).wait()


def test_the_digest_follows_settings_code_contents_and_targets():
    params, rows = make_params(), {"train": make_rows(6), "val": make_rows(3, 6)}
    targets = {part: TinyTask(params["task"]).targets(members) for part, members in rows.items()}
    first = run_digest(params, "code", rows, targets)
    renamed = {part: [row | {"sample": "x"} for row in members] for part, members in rows.items()}
    assert run_digest(params, "code", renamed, targets) == first
    relabelled = {**targets, "val": {"label": targets["val"]["label"] + 1}}
    others = [
        run_digest(make_params(training__lr=0.5), "code", rows, targets),
        run_digest(params, "other", rows, targets),
        run_digest(params, "code", {**rows, "val": rows["val"][::-1]}, targets),
        run_digest(params, "code", rows, relabelled),
    ]
    assert len({first, *others}) == 5


def test_arrays_of_other_shape_or_type_differ():
    one = np.zeros(4, np.int32)
    same = {arrays_digest({"a": value}) for value in (one, one.reshape(2, 2), one.view(np.float32))}
    assert len(same) == 3


def test_equal_values_are_equal_bytes_under_any_name(tmp_path):
    for name in ("one.pt", "other.pt"):
        save_sealed(tmp_path / name, {"weight": torch.arange(6.0), "epoch": 3})
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "other.pt").read_bytes()
    assert torch.load(tmp_path / "one.pt", weights_only=True)["epoch"] == 3
