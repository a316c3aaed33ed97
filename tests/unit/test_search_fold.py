"""A fold of a trial by the real training loop: complete, pruned, failed, resumed, skipped."""

import json
from dataclasses import replace

import pytest
import torch

from foldwise.errors import FoldwiseError
from foldwise.folds.subset import subset
from foldwise.search.fold import TrialView, run_fold
from foldwise.search.propose.propose import propose
from foldwise.search.prune import stop_between_folds
from foldwise.search.settings import parse_search
from foldwise.search.trials import (
    SKIPPED,
    FoldOutcome,
    Observation,
    combine,
    read_outcome,
    write_trial_file,
)
from foldwise.settings.schema import check
from foldwise.train.loop import train_fold
from foldwise.train.predict import load_model
from foldwise.train.process.stop import Stop, Stopped
from training import TinyTask, make_images, make_job, make_params, make_rows

ROWS = make_rows(36)
SPACE = {"training.lr": {"type": "float", "low": 1e-4, "high": 0.1, "log": True}}
MONITORS = {"kappa": "max"}


def search_of(**raw):
    raw = {"space": SPACE, "window": 1, "trials": 9, "sampler": "random", "folds": [1, 2]} | raw
    return parse_search(check("search", raw, "search"), 3, [1, 2], MONITORS)


def job_of(folder, params, stop=None, fold=1, task=None):
    means = {"stop": stop} if stop else {}
    rows = ROWS[:24], ROWS[24:]
    return make_job(folder / "results", params, make_images(ROWS), rows, task, fold=fold, **means)


def run(folder, search, number=0, fold=1, known=(), done=(), **changes):
    stop = changes.pop("stop", None)
    params = make_params(**{"run": f"trial_{number:04d}", **changes})
    return run_fold(job_of(folder, params, stop, fold), TrialView(search, number, known, done))


def earlier(search, count, value):
    """Trials before this one, each complete in fold 1 with `value` after each epoch."""
    known = []
    for number in range(count):
        suggestion = propose(search, number, known)
        curve = tuple((epoch, value) for epoch in range(1, 7))
        outcome = FoldOutcome(1, "COMPLETE", "", {"kappa": value}, curve)
        result = combine(suggestion, search.objectives, [outcome], 6)
        known.append(Observation(suggestion, result))
    return known


def test_a_fold_that_is_not_pruned_is_trained_like_any_runs(tmp_path):
    outcome = run(tmp_path / "trial", search_of())
    assert outcome.state == "COMPLETE" and outcome.seconds > 0
    params = make_params(run="trial_0000")
    train_fold(job_of(tmp_path / "plain", params))
    for name in ("best_model.pt", "train_history.json"):
        ours, plain = (tmp_path / who / "results" / name for who in ("trial", "plain"))
        assert ours.read_bytes() == plain.read_bytes()
    history = json.loads((tmp_path / "plain" / "results" / "train_history.json").read_text())
    best = history["epochs"][history["best"]["epoch"] - 1]
    assert outcome.metrics["kappa"] == best["kappa"]
    assert outcome.curve == tuple((entry["epoch"], entry["kappa"]) for entry in history["epochs"])


def test_a_bad_fold_is_pruned_where_the_pruner_says(tmp_path):
    search = search_of(folds=[1], pruner={"name": "median", "startup": 2, "warmup": 1})
    known = earlier(search, 5, 0.999)
    outcome = run(tmp_path, search, 5, known=known, training__epochs=6, training__lr=1e-6)
    assert outcome.state == "PRUNED"
    assert [epoch for epoch, _ in outcome.curve] == [1, 2]
    assert "median pruner: kappa" in outcome.reason and "5 known" in outcome.reason
    kept = load_model(job_of(tmp_path, make_params()), tmp_path / "results/best_model.pt")
    assert kept.epoch in (1, 2) and kept.model is not None


def test_a_loss_that_is_not_finite_is_a_failure_with_its_place(tmp_path):
    outcome = run(tmp_path, search_of(), training__lr=1e30, training__clip_norm=None)
    assert outcome.state == "FAIL"
    assert outcome.reason.startswith("non finite (epoch ") and "step" in outcome.reason
    assert "batch" not in outcome.reason and outcome.metrics == {}
    path = tmp_path / "results" / "best_model.pt"
    with pytest.raises(FoldwiseError, match=r"holds no model.*non finite"):
        load_model(job_of(tmp_path, make_params()), path)


def test_memory_that_runs_out_is_a_failure_with_the_sizes(tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(TinyTask, "loss", full)
    outcome = run(tmp_path, search_of())
    assert (outcome.state, outcome.reason) == (
        "FAIL",
        "out of memory (batch_size 8, size 16, channels 1)",
    )
    assert outcome.curve == ()


def test_settings_that_contradict_each_other_are_a_failure_of_the_trial(tmp_path):
    outcome = run(tmp_path, search_of(), training__head_only_epochs=3)
    assert outcome.state == "FAIL" and "cannot run: " in outcome.reason


def test_a_killed_fold_goes_on_and_is_pruned_at_the_same_epoch(tmp_path):
    search = search_of(folds=[1], pruner={"name": "median", "startup": 2, "warmup": 3})
    known = earlier(search, 5, 0.999)
    changes = {"training__epochs": 6, "training__lr": 1e-6, "run": "trial_0005"}
    whole = run(tmp_path / "whole", search, 5, known=known, **changes)
    stop = Stop()
    task = TinyTask(make_params()["task"])
    score, calls = task.score, []

    def counted(rows):
        calls.append(1)
        if len(calls) == 2:
            stop.requested = "SIGTERM"
        return score(rows)

    task.score = counted
    params = make_params(**changes)
    folder = tmp_path / "killed"
    with pytest.raises(Stopped):
        run_fold(job_of(folder, params, stop, task=task), TrialView(search, 5, known))
    resumed = run(folder, search, 5, known=known, **changes)
    assert len(whole.curve) == 4
    still = {"seconds": 0.0, "started": ""}
    assert replace(resumed, **still) == replace(whole, **still)
    for name in ("best_model.pt", "train_history.json"):
        ours, other = (tmp_path / who / "results" / name for who in ("whole", "killed"))
        assert ours.read_bytes() == other.read_bytes()


def test_after_a_pruned_fold_the_next_is_skipped_and_says_why(tmp_path):
    search = search_of(pruner="median")
    done = [FoldOutcome(1, "PRUNED", "median pruner: x")]
    outcome = run(tmp_path, search, fold=2, done=done)
    assert outcome.state == SKIPPED
    assert stop_between_folds(search, 0, [], done) == outcome.reason == "fold 1 is PRUNED"
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "best_model.pt",
        "ray_trial_0000.jsonl",
        "train_history.json",
    ]
    write_trial_file(tmp_path / "outcome.json", outcome)
    assert read_outcome(tmp_path / "outcome.json") == outcome


def test_a_subset_is_of_whole_groups_and_grows_with_its_share():
    rows = [row | {"stratum": row["label"]} for row in ROWS]
    small, large = (subset(rows, share, 3) for share in (0.3, 0.6))
    groups = [{row["group"] for row in part} for part in (small, large, rows)]
    assert groups[0] < groups[1] < groups[2]
    assert all(sum(r["group"] == g for r in small) == 2 for g in groups[0])
    assert {row["stratum"] for row in small} == {row["stratum"] for row in rows}
    renamed = [row | {"group": f"x{row['group']}", "sample": "y"} for row in rows[::-1]]
    contents = sorted(row["content"] for row in subset(renamed, 0.3, 3))
    assert contents == sorted(row["content"] for row in small)
    assert subset(rows, 1.0, 3) is rows


@pytest.mark.parametrize("columns", [["label"], ["label_place", "label_kind"]])
def test_a_small_subset_keeps_every_class(columns):
    """Ten patients in a hundred: a class that two of them have must not be left out by chance."""
    rows = [
        {"group": f"g{n}", "content": f"{7919 * n % 100:032x}", "stratum": ""}
        | {name: "rare" if n in (5 * (k + 1), 77) else "common" for k, name in enumerate(columns)}
        for n in range(100)
    ]
    for seed in range(20):
        kept = subset(rows, 0.1, seed)
        assert all({row[name] for row in kept} == {"rare", "common"} for name in columns)
        assert 10 <= len(kept) <= 10 + 2 ** len(columns)


def test_costs_that_are_objectives_are_measured_on_the_kept_model(tmp_path):
    search = search_of(objective=["kappa", "parameters", "multiply_adds", "milliseconds"])
    outcome = run(tmp_path, search)
    # Two 3 x 3 convolutions (1 to 4, 4 to 8) with biases and batch norms, and a head of 8 to 3.
    assert outcome.metrics["parameters"] == (36 + 4 + 8) + (288 + 8 + 16) + (24 + 3)
    # Outputs of 7 x 7 and 3 x 3 pixels, and the head.
    assert outcome.metrics["multiply_adds"] == 36 * 49 + 288 * 9 + 24
    assert outcome.metrics["milliseconds"] > 0
