"""A fast made-up study for tests of the search: objective, folds, a scheduler in any order."""

import math
import random
from dataclasses import replace
from pathlib import Path

from foldwise.hashing import digest
from foldwise.search.propose.propose import propose
from foldwise.search.prune import FoldPruner, stop_between_folds
from foldwise.search.settings import Search, parse_search
from foldwise.search.trials import (
    SKIPPED,
    FoldOutcome,
    Observation,
    Result,
    Suggestion,
    combine,
    read_observations,
    read_suggestion,
    trial_file,
    write_trial_file,
)
from foldwise.settings.schema import check

MONITORS = {"kappa": "max", "accuracy": "max", "loss": "min"}
EPOCHS = 6
SPACE = {
    "training.lr": {"type": "float", "low": "1e-5", "high": 0.1, "log": True},
    "training.optimizer": {"type": "categorical", "choices": ["adam", "sgd"]},
    "training.momentum": {
        "type": "float",
        "low": 0.5,
        "high": 0.99,
        "when": {"training.optimizer": "sgd"},
    },
    "training.batch_size": {"type": "int", "low": 16, "high": 128, "step": 16},
    "model.dropout": {"type": "float", "low": 0, "high": 0.5, "step": 0.1},
}
FINITE = {
    "model.name": {"type": "categorical", "choices": ["small_cnn", "resnet18"]},
    "training.batch_size": {"type": "int", "low": 8, "high": 16, "step": 4},
    "model.dropout": {
        "type": "float",
        "low": 0,
        "high": 0.2,
        "step": 0.1,
        "when": {"model.name": "resnet18"},
    },
}


def search_of(seed: int = 42, count: int = 2, **raw) -> Search:
    """A search with the made-up study's defaults, of a study of `count` folds."""
    settings = {"space": SPACE, "window": 3, "trials": 10} | raw
    return parse_search(
        check("search", settings, "search"), seed, list(range(1, count + 1)), MONITORS
    )


def score(params: dict, fold: int = 1) -> float:
    """A smooth function of the parameters with its best value, 0, inside the space."""
    total = 0.0
    if "training.lr" in params:
        total += (math.log10(params["training.lr"]) + 3) ** 2
    total += (params.get("training.batch_size", 64) / 64 - 1) ** 2
    total += params.get("model.dropout", 0.2) + 0.01 * fold
    return -total - (params.get("training.momentum", 0.8) - 0.9) ** 2


def curve_value(params: dict, fold: int, epoch: int) -> float:
    """The objective after an epoch: it rises towards the score."""
    wobble = 0.3 * math.sin(7 * epoch + 1000 * score(params, fold))
    return score(params, fold) - 2.0 / epoch + wobble


def run_fold(search: Search, suggestion: Suggestion, fold: int, known: list, done: list):
    """One made-up training of a fold, with pruning."""
    reason = stop_between_folds(search, suggestion.number, known, done)
    if reason:
        stopped = any(outcome.state != "COMPLETE" for outcome in done)
        return FoldOutcome(fold, SKIPPED if stopped else "PRUNED", reason)
    pruner = FoldPruner(search, suggestion.number, fold, known, EPOCHS)
    curve = []
    for epoch in range(1, EPOCHS + 1):
        curve.append((epoch, curve_value(suggestion.params, fold, epoch)))
        reason = pruner.stop(*curve[-1])
        if reason:
            return FoldOutcome(fold, "PRUNED", reason, {}, tuple(curve))
    best = max(value for _, value in curve)
    metrics = {"kappa": best, "accuracy": best / 2, "loss": -best}
    metrics["parameters"] = float(suggestion.params.get("training.batch_size", 0))
    return FoldOutcome(fold, "COMPLETE", "", metrics, tuple(curve))


def run_trial(search: Search, suggestion: Suggestion, known: list[Observation]) -> Result:
    """All folds of a trial."""
    done: list[FoldOutcome] = []
    for fold in search.folds:
        done.append(run_fold(search, suggestion, fold, known, done))
    return combine(suggestion, search.objectives, done, EPOCHS)


def run_search(search: Search, trials: int | None = None) -> list[Observation]:
    """The search in memory, one trial after another, each with what its window allows."""
    known: list[Observation] = []
    for number in range(search.trials if trials is None else trials):
        suggestion = propose(search, number, known)
        visible = [
            item if item.suggestion.number < search.seen(number) else Observation(item.suggestion)
            for item in known
        ]
        known.append(Observation(suggestion, run_trial(search, suggestion, visible)))
    return known


def run_shuffled(search: Search, runs: Path, order: random.Random, kills: float = 0.0) -> None:
    """The search over trial files, with jobs that begin and end in an order drawn at random.

    A job may begin once its inputs are there, as in the workflow; one that is killed leaves
    nothing and is run again.
    """
    suggested, finished = 0, set()
    while len(finished) < search.trials:
        ready = [("train", n) for n in range(suggested) if n not in finished]
        if suggested < search.trials and set(range(search.seen(suggested))) <= finished:
            ready.append(("suggest", suggested))
        job, number = order.choice(ready)
        if order.random() < kills:
            continue
        known = read_observations(runs, number, search)
        if job == "suggest":
            record = propose(search, number, known)
            write_trial_file(trial_file(runs, number, "suggestion.json"), record)
            suggested += 1
        else:
            path = trial_file(runs, number, "suggestion.json")
            record = run_trial(search, read_suggestion(path, search), known)
            write_trial_file(trial_file(runs, number, "result.json"), record)
            finished.add(number)


def digest_of(known: list[Observation]) -> str:
    """Digest of all parameters, values, pruning epochs and reasons of a study."""
    return digest(
        [
            [
                dict(item.suggestion.params),
                item.result.state,
                item.result.reason,
                item.result.values,
                list(item.result.intermediate().items()),
            ]
            for item in known
        ]
    )


def timed(known):
    """The trials with a start and seconds in each fold that ran."""
    return [
        Observation(
            item.suggestion,
            replace(
                item.result,
                folds=tuple(
                    replace(
                        fold,
                        started=f"2026-01-02T03:{item.suggestion.number:02d}:00+01:00",
                        seconds=2.0 * len(fold.curve),
                    )
                    for fold in item.result.folds
                ),
            ),
        )
        for item in known
    ]
