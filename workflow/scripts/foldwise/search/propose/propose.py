"""The proposal of one trial: a pure function of settings, number and the trials before it.

Trial n knows the values of trials 0 .. n - window and the parameters of all before n. So the same
trials come out on any machine, with any number of jobs at once, and in whatever order they end.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.hashing import stream_seed
from foldwise.search.propose.cma import propose_cmaes
from foldwise.search.propose.draws import draw, draw_sequence, shuffled_ranks, untried
from foldwise.search.propose.samplers import propose_model
from foldwise.search.ranking import budget_of
from foldwise.search.settings import Phase, Search
from foldwise.search.space import combination_at, rank_of, size
from foldwise.search.trials import Observation, Suggestion

# Values that a model without a start of its own needs.
LEAST = 2
# A sampler that offers a trial again is asked this often before an untried one is drawn.
TRIES = 16
# Points of a sequence between one attempt and the next.
FAR = 1 << 20


def propose(search: Search, number: int, observations: Sequence[Observation]) -> Suggestion:
    """Propose trial `number`.

    Args:
        search: the search's settings.
        number: number of the trial, from 0.
        observations: of the trials 0 .. number - 1 in order. Results that the window does not
            allow are ignored, so that passing more cannot change the proposal.
    """
    if [item.suggestion.number for item in observations] != list(range(number)):
        raise FoldwiseError(f"Trial {number} needs the suggestions of trials 0 to {number - 1}.")
    seen = search.seen(number)
    # A result that happens to be there early is not read: a proposal must not depend on which of
    # several jobs ended first.
    observations = [
        item if item.suggestion.number < seen else replace(item, result=None)
        for item in observations
    ]
    phase = search.phase(number)
    earlier = [item for item in observations if budget_of(item) == phase.budget]
    params, attributes = fresh(search, phase, number, observations, earlier)
    return Suggestion(
        number=number,
        identity=search.identity(number),
        sampler=phase.sampler,
        params=params,
        objectives=tuple((item.metric, item.direction) for item in search.objectives),
        epochs=phase.budget.epochs,
        subset=phase.budget.subset,
        attributes=attributes,
    )


def fresh(
    search: Search,
    phase: Phase,
    number: int,
    observations: list[Observation],
    earlier: list[Observation],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters that no trial of the same budget had, and the sampler's attributes.

    Training is reproducible, so the same parameters twice would tell nothing new.
    """
    tried = [dict(item.suggestion.params) for item in earlier]
    if phase.sampler == "best":
        return best_of(search, phase, observations, tried), {}
    if phase.sampler == "grid":
        return grid(search, tried), {}
    for attempt in range(TRIES):
        params, attributes = sample(search, number, attempt, observations, earlier)
        if params not in tried:
            return params, attributes
    rng = np.random.default_rng(stream_seed(search.seed, "trial", number, "untried"))
    return untried(search.space, tried, rng), {}


def sample(
    search: Search,
    number: int,
    attempt: int,
    observations: list[Observation],
    earlier: list[Observation],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One answer of the phase's sampler; an attempt after a repeat has a seed of its own."""
    phase, seed = search.phase(number), stream_seed(search.seed, "trial", number, attempt)
    if phase.sampler == "random":
        return draw(search.space, np.random.default_rng(seed).random(len(search.space))), {}
    if phase.sampler == "qmc":
        # An attempt after a repeat takes a point that no other trial will come to.
        index = number - phase.first + attempt * FAR
        # One sequence a phase: its points are even only together, so trials share its seed.
        stream = stream_seed(search.seed, "sequence", phase.first)
        return draw_sequence(search.space, phase.options["sequence"], index, stream), {}
    guide = guiding(search, phase, observations, earlier)
    if phase.sampler == "cmaes":
        return propose_cmaes(search, phase.options, guide, seed)
    return propose_model(search, phase, guide, seed)


def guiding(
    search: Search, phase: Phase, observations: list[Observation], earlier: list[Observation]
) -> list[Observation]:
    """The trials that a model learns from: those of one budget only.

    The phase's own budget once it has enough values, else the latest earlier budget that has,
    as BOHB does (Falkner, Klein and Hutter, ICML 2018, section 4.1).
    """
    startup = phase.options.get("startup")
    enough = LEAST if startup is None else startup
    for other in [phase, *reversed([item for item in search.phases if item.first < phase.first])]:
        trials = [item for item in observations if budget_of(item) == other.budget]
        # Failed trials show where not to go, but a model cannot start from them.
        evaluated = [item for item in trials if item.result and item.result.state != "FAIL"]
        # Values of two budgets are never mixed: those of short trainings are of another scale.
        if len(evaluated) >= enough:
            return trials if other.budget == phase.budget else evaluated + pending(earlier)
    return earlier


def pending(trials: list[Observation]) -> list[Observation]:
    """The trials with their values taken away: to a model, they are still running."""
    return [replace(item, result=None) for item in trials]


def grid(search: Search, tried: list[dict]) -> dict[str, Any]:
    """The next combination in an order drawn from the seed, so that a part covers the whole."""
    every, taken = size(search.space), {rank_of(search.space, item) for item in tried}
    # Of the study's seed alone, so that all trials walk through one order.
    for rank in shuffled_ranks(np.random.default_rng(stream_seed(search.seed, "grid")), every):
        if rank not in taken:
            return combination_at(search.space, rank)
    raise FoldwiseError(f"The grid is done: all {every} combinations were proposed.")


def best_of(
    search: Search, phase: Phase, observations: list[Observation], tried: list[dict]
) -> dict[str, Any]:
    """The best parameters of other budgets that this budget has not tried, latest phase first."""
    objective = search.objectives[0]
    for other in reversed([item for item in search.phases if item.first < phase.first]):
        complete = [
            item
            for item in observations
            if budget_of(item) == other.budget != phase.budget
            and item.result
            and item.result.state == "COMPLETE"
            and dict(item.suggestion.params) not in tried
        ]
        if complete:
            best = max(complete, key=lambda item: item.result.values[0] * objective.sign)
            return dict(best.suggestion.params)
    rng = np.random.default_rng(stream_seed(search.seed, "best", len(observations)))
    return untried(search.space, tried, rng)
