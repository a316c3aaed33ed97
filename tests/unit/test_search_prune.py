"""Pruning: the decisions of Optuna's pruners, from what the window allows."""

import math
import warnings
from dataclasses import replace

import optuna
import pytest

from foldwise.search.prune import FoldPruner, bracket_of, comparable, stop_between_folds
from foldwise.search.trials import SKIPPED, FoldOutcome, Observation
from searching import EPOCHS, curve_value, run_search, search_of

warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
CASES = [
    (
        {"name": "median", "startup": 3, "warmup": 1},
        optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
    ),
    (
        {"name": "percentile", "percentile": 30.0, "startup": 2, "warmup": 0, "interval": 2},
        optuna.pruners.PercentilePruner(
            30.0, n_startup_trials=2, n_warmup_steps=1, interval_steps=2
        ),
    ),
    (
        {"name": "halving", "first": 1, "factor": 2, "skip": 0},
        optuna.pruners.SuccessiveHalvingPruner(1, 2, 0),
    ),
    (
        {"name": "median", "startup": 2, "warmup": 0, "patience": 1},
        optuna.pruners.PatientPruner(
            optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=1), 1
        ),
    ),
    (
        {"name": "none", "patience": 1, "min_delta": 0.02},
        optuna.pruners.PatientPruner(None, 1, 0.02),
    ),
]


@pytest.mark.parametrize(("settings", "pruner"), CASES)
def test_with_a_window_of_one_decisions_are_those_of_optuna_itself(settings, pruner):
    search = search_of(count=1, window=1, trials=40, sampler="random", pruner=settings)
    known = run_search(search)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    for item in known:
        trial = study.ask()
        for epoch in range(1, EPOCHS + 1):
            value = curve_value(item.suggestion.params, 1, epoch)
            trial.report(value, epoch)
            if trial.should_prune() and epoch < EPOCHS:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                assert item.result.state == "PRUNED"
                assert max(item.result.intermediate()) == epoch
                break
        else:
            study.tell(trial, item.result.values[0])
            assert item.result.state == "COMPLETE"
    states = [item.result.state for item in known]
    assert states.count("PRUNED") >= 5 and states.count("COMPLETE") >= 5


def test_a_trial_that_has_trained_all_its_epochs_keeps_its_value():
    search = search_of(count=2, window=1, trials=9, pruner={"name": "median", "warmup": 0})
    known = run_search(search, 8)
    first, last = (FoldPruner(search, 8, fold, known, EPOCHS) for fold in (1, 2))
    assert last.stop(EPOCHS - 1, -99.0) and last.stop(EPOCHS, -99.0) == ""
    # After the last epoch of another fold, the folds to come are spared.
    assert first.stop(EPOCHS, -99.0)


def test_a_resumed_fold_stands_where_it_stood():
    search = search_of(count=1, window=2, trials=12, pruner={"name": "median", "warmup": 0})
    known = run_search(search, 11)
    whole = FoldPruner(search, 11, 1, known, EPOCHS)
    curve = [(epoch, -5.0 - epoch) for epoch in range(1, EPOCHS + 1)]
    answers = [whole.stop(*pair) for pair in curve]
    for killed in range(1, EPOCHS):
        resumed = FoldPruner(search, 11, 1, known, EPOCHS)
        assert [resumed.stop(*pair) for pair in curve[: killed + 1]] == answers[: killed + 1]
    assert answers[0].startswith("median pruner: kappa -6 at epoch 1")


def test_the_pruner_knows_nothing_younger_than_its_window_or_of_another_budget():
    phases = [{"trials": 10, "epochs": 2}, {"trials": 10, "epochs": 9}]
    search = search_of(phases=phases, window=3, sampler="random")
    known = run_search(search)
    numbers = [item.suggestion.number for item in comparable(search, 16, known)]
    assert numbers == [10, 11, 12, 13]


def test_an_undefined_value_neither_stops_nor_breaks():
    search = search_of(count=1, pruner={"name": "median", "startup": 1})
    pruner = FoldPruner(search, 9, 1, run_search(search, 9), EPOCHS)
    assert pruner.stop(1, None) == pruner.stop(2, math.nan) == ""
    assert pruner.stop(3, -99.0)


def test_hyperband_gives_brackets_their_shares_and_halves_within_them():
    settings = {"name": "hyperband", "first": 1, "factor": 3}
    # Li et al. (2018), table 1: R = 81, eta = 3 has 81, 34, 15, 8 and 5 configurations.
    shares = [bracket_of(settings, number, 81) for number in range(81 + 34 + 15 + 8 + 5)]
    assert [shares.count(bracket) for bracket in range(5)] == [81, 34, 15, 8, 5]
    search = search_of(count=1, window=1, trials=40, sampler="random", pruner=settings)
    known = run_search(search)
    for bracket in (0, 1):
        study = optuna.create_study(
            direction="maximize", pruner=optuna.pruners.SuccessiveHalvingPruner(1, 3, bracket)
        )
        members = [k for k in known if bracket_of(settings, k.suggestion.number, 6) == bracket]
        assert len(members) >= 10
        for item in members:
            trial, stopped = study.ask(), None
            for epoch in range(1, EPOCHS + 1):
                trial.report(curve_value(item.suggestion.params, 1, epoch), epoch)
                if trial.should_prune() and epoch < EPOCHS:
                    stopped = epoch
                    break
            assert (item.result.state == "PRUNED") == (stopped is not None)


def test_a_bad_first_fold_stops_the_trial_and_skips_the_rest():
    search = search_of(
        count=3, window=1, trials=30, sampler="random", across_folds={"name": "first_fold"}
    )
    known = run_search(search)
    firsts = [item.result.folds[0].metrics["kappa"] for item in known]
    assert {item.result.state for item in known[5:]} == {"COMPLETE", "PRUNED"}
    for item in known[5:]:
        number = item.suggestion.number
        ranked = sorted(firsts[:number])
        stopped = item.result.state == "PRUNED"
        middle = (ranked[(number - 1) // 2] + ranked[number // 2]) / 2
        assert stopped == (firsts[number] < middle)
        if stopped:
            assert [part.state for part in item.result.folds[1:]] == ["PRUNED", SKIPPED]
            assert "first_fold: kappa" in item.result.reason


def test_wilcoxon_stops_what_is_worse_in_fold_after_fold():
    search = search_of(count=6, across_folds={"name": "wilcoxon", "p": 0.1}, window=1, trials=9)
    known = run_search(search, 3)
    best = max(known, key=lambda item: item.result.values or (-99,)).result
    scores = [part.metrics["kappa"] for part in best.folds]
    worse = [FoldOutcome(k, "COMPLETE", "", {"kappa": s - 1.0}) for k, s in enumerate(scores, 1)]
    better = [FoldOutcome(k, "COMPLETE", "", {"kappa": s + 1.0}) for k, s in enumerate(scores, 1)]
    # One-sided signed-rank p-values of three and four equal signs: 1/8 and 1/16.
    assert stop_between_folds(search, 3, known, worse[:3]) == ""
    assert stop_between_folds(search, 3, known, worse[:4]).startswith("wilcoxon: kappa")
    assert stop_between_folds(search, 3, known, better[:5]) == ""


def test_after_a_stopped_fold_no_other_begins():
    search = search_of(count=3)
    done = [FoldOutcome(1, "FAIL", "out of memory")]
    assert stop_between_folds(search, 0, [], done) == "fold 1 is FAIL"
    known = [Observation(replace(run_search(search, 1)[0].suggestion))]
    assert comparable(search, 5, known) == []
