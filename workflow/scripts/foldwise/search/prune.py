"""Pruning that repeats: the pruner of trial n knows trials 0 .. n - window and nothing younger.

Within a fold a trial is compared with the same fold of earlier trials; across folds with their
scores. The decisions are those of Optuna's pruners.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import optuna

from foldwise.search.propose.samplers import quiet
from foldwise.search.ranking import budget_of
from foldwise.search.settings import Search
from foldwise.search.trials import FoldOutcome, Observation

STATE = optuna.trial.TrialState


class FoldPruner:
    """Told the objective after each epoch of one fold of one trial, it says when to stop.

    A resumed job tells the epochs that it has behind it again and stands where it stood.
    """

    def __init__(
        self,
        search: Search,
        number: int,
        fold: int,
        observations: Sequence[Observation],
        epochs: int,
    ):
        """`observations`: of trials before `number`; `epochs`: the most that a fold is trained."""
        self.name = search.pruner["name"]
        self.metric = search.objectives[0].metric
        self.off = self.name == "none" and not search.patient
        # After the last epoch of the last fold nothing is left to spare: its value is kept.
        self.end = epochs if fold == search.folds[-1] else math.inf
        if self.off:
            return
        # By the trial's number alone: Optuna hashes the study's name as well, so that a study that
        # was renamed would prune otherwise.
        bracket = bracket_of(search.pruner, number, epochs)
        peers = comparable(search, number, observations)
        if self.name == "hyperband":
            peers = [
                item
                for item in peers
                if bracket_of(search.pruner, item.suggestion.number, epochs) == bracket
            ]
        rungs = rung_steps(search.pruner, bracket, epochs)
        with quiet():
            self.study = memory(search, make_pruner(search.pruner, bracket))
            for item in peers:
                # Of the same fold: folds differ in difficulty by more than trials do.
                outcome = next((part for part in item.result.folds if part.fold == fold), None)
                if outcome is not None and outcome.curve:
                    self.study.add_trial(past(outcome, self.metric, rungs))
            # Before `ask`, which adds the trial itself.
            self.peers = len(self.study.trials)
            self.trial = self.study.ask()

    def stop(self, epoch: int, value: float | None) -> str:
        """The reason to stop after `epoch` (from 1) with the objective at `value`, or ''."""
        # An undefined metric is no bad one: the pruner is not asked about it.
        if self.off or epoch >= self.end or value is None or not math.isfinite(value):
            return ""
        with quiet():
            self.trial.report(value, epoch)
            if not self.trial.should_prune():
                return ""
        return f"{self.name} pruner: {self.metric} {value:.4g} at epoch {epoch}, {self.peers} known"


def comparable(
    search: Search, number: int, observations: Sequence[Observation]
) -> list[Observation]:
    """Earlier trials with a result that trial `number` may know, of its own budget."""
    # A trial of fewer epochs or images is worse at the same epoch for that reason alone.
    phase = search.phase(number)
    return [
        item
        for item in observations
        if item.result is not None
        and item.suggestion.number < search.seen(number)
        and budget_of(item) == phase.budget
    ]


def memory(search: Search, pruner: optuna.pruners.BasePruner) -> optuna.Study:
    """An in-memory study in which nothing is sampled."""
    return optuna.create_study(
        direction=search.objectives[0].direction,
        pruner=pruner,
        # Never asked; the default one would be made of the machine's entropy.
        sampler=optuna.samplers.RandomSampler(seed=0),
    )


def past(outcome: FoldOutcome, metric: str, rungs: Sequence[int]) -> optuna.trial.FrozenTrial:
    """A fold of an earlier trial, with the marks of the rungs of successive halving it reached."""
    # Optuna leaves these marks while a trial runs. Here none runs in its study: without them
    # successive halving would compare a trial with nobody.
    curve = {epoch: value for epoch, value in outcome.curve if value is not None}
    reached = [next((step for step in sorted(curve) if step >= rung), None) for rung in rungs]
    value = outcome.metrics.get(metric)
    complete = outcome.state == "COMPLETE" and value is not None
    return optuna.trial.create_trial(
        state=STATE.COMPLETE if complete else STATE.PRUNED,
        value=value if complete else None,
        intermediate_values=curve,
        system_attrs={
            f"completed_rung_{index}": curve[step]
            for index, step in enumerate(reached)
            if step is not None
        },
    )


def make_pruner(settings: Mapping[str, Any], bracket: int) -> optuna.pruners.BasePruner:
    """Optuna's pruner for the settings; for Hyperband, the halving of one bracket."""
    name = settings["name"]
    if name in ("median", "percentile"):
        inner: Any = optuna.pruners.PercentilePruner(
            50.0 if name == "median" else settings["percentile"],
            n_startup_trials=settings["startup"],
            # Epochs count from 1; none of the first `warmup` epochs prunes.
            n_warmup_steps=settings["warmup"] + 1,
            interval_steps=settings["interval"],
            n_min_trials=settings["least"],
        )
    elif name in ("halving", "hyperband"):
        inner = optuna.pruners.SuccessiveHalvingPruner(
            min_resource=settings["first"],
            reduction_factor=settings["factor"],
            min_early_stopping_rate=bracket if name == "hyperband" else settings["skip"],
        )
    else:
        inner = None
    if settings.get("patience"):
        return optuna.pruners.PatientPruner(inner, settings["patience"], settings["min_delta"])
    return inner or optuna.pruners.NopPruner()


def rung_steps(settings: Mapping[str, Any], bracket: int, epochs: int) -> list[int]:
    """Epochs at which successive halving decides."""
    if settings["name"] not in ("halving", "hyperband"):
        return []
    skip = bracket if settings["name"] == "hyperband" else settings["skip"]
    steps, step = [], settings["first"] * settings["factor"] ** skip
    # No rung lies behind the last epoch: a fold that is done has nothing left to spare.
    while step <= epochs:
        steps.append(step)
        step *= settings["factor"]
    return steps


def bracket_of(settings: Mapping[str, Any], number: int, epochs: int) -> int:
    """Bracket of Hyperband that trial `number` belongs to; 0 prunes most eagerly.

    The shares are those of Li et al., "Hyperband", JMLR 18 (2018), algorithm 1: bracket s of
    s_max + 1 gets ceil((s_max + 1) factor^s / (s + 1)) trials, repeated in this order.
    """
    if settings["name"] != "hyperband":
        return 0
    factor, brackets = settings["factor"], 1
    while settings["first"] * factor**brackets <= epochs:
        brackets += 1
    shares = [math.ceil(brackets * factor**s / (s + 1)) for s in reversed(range(brackets))]
    # By number, in a fixed order: Hyperband's own order would need to know which trials run.
    place = number % sum(shares)
    for bracket, share in enumerate(shares):
        if place < share:
            return bracket
        place -= share
    raise AssertionError("place is below the sum of all shares")


def stop_between_folds(
    search: Search, number: int, observations: Sequence[Observation], done: Sequence[FoldOutcome]
) -> str:
    """The reason not to begin the fold after those `done`, or ''."""
    # A trial that failed or was pruned in one fold has no mean, whatever its other folds gave.
    for outcome in done:
        if outcome.state != "COMPLETE":
            return f"fold {outcome.fold} is {outcome.state}"
    name, metric = search.across["name"], search.objectives[0].metric
    scores = {outcome.fold: outcome.metrics.get(metric) for outcome in done}
    if name == "none" or not done or None in scores.values():
        return ""
    if name == "first_fold":
        scores = {done[0].fold: scores[done[0].fold]} if len(done) == 1 else {}
    peers = [fold_scores(item, metric) for item in comparable(search, number, observations)]
    with quiet():
        # A study of its own, in which a step is a fold and not an epoch.
        study = memory(search, across_pruner(search.across))
        for earlier, whole in peers:
            # The mean of some folds is no score to be compared with that of all.
            if earlier and (whole or name == "first_fold"):
                study.add_trial(scored(earlier))
        trial = study.ask()
        for fold, score in scores.items():
            trial.report(score, fold)
        stop = bool(scores) and trial.should_prune()
    return (
        f"{name}: {metric} {list(scores.values())[-1]:.4g} in fold {done[-1].fold}" if stop else ""
    )


def across_pruner(settings: Mapping[str, Any]) -> optuna.pruners.BasePruner:
    """Optuna's pruner of a rule across folds; a step is a fold."""
    if settings["name"] == "wilcoxon":
        return optuna.pruners.WilcoxonPruner(
            p_threshold=settings["p"], n_startup_steps=settings["startup"]
        )
    return optuna.pruners.PercentilePruner(
        settings["percentile"], n_startup_trials=settings["startup"]
    )


def fold_scores(item: Observation, metric: str) -> tuple[dict[int, float], bool]:
    """Scores of the folds that a trial finished, and whether it finished all."""
    scores = {
        outcome.fold: outcome.metrics[metric]
        for outcome in item.result.folds
        if outcome.state == "COMPLETE" and outcome.metrics.get(metric) is not None
    }
    return scores, item.result.state == "COMPLETE"


def scored(scores: Mapping[int, float]) -> optuna.trial.FrozenTrial:
    """A finished trial whose steps are folds."""
    return optuna.trial.create_trial(
        state=STATE.COMPLETE,
        # fsum is exact: the mean must not hang on the order of folds.
        value=math.fsum(scores.values()) / len(scores),
        intermediate_values=dict(scores),
    )
