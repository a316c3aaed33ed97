"""CMA-ES proposals by the library cmaes, the state replayed from the trials of each generation.

All that a trial keeps is the number of its generation; no pickled state is read from any file.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from cmaes import CMA, get_warm_start_mgd

from foldwise.errors import FoldwiseError
from foldwise.search.propose.draws import draw
from foldwise.search.settings import Search
from foldwise.search.space import Space, numeric
from foldwise.search.trials import Observation

GENERATION = "cma:generation"


def propose_cmaes(
    search: Search, options: Mapping[str, Any], guide: Sequence[Observation], seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters that CMA-ES offers after the trials `guide`, and the trial's generation."""
    moved = numeric(search.space)
    if not moved:
        raise FoldwiseError("search.sampler: cmaes needs a number that is always on. Take tpe.")
    evaluated = [item for item in guide if item.result]
    optimizer = replay(search, moved, options, evaluated)
    rng = np.random.default_rng(seed)
    # After the replay: what is drawn now hangs on the trial's number, not on how much was replayed.
    optimizer.reseed_rng(seed % 2**32)
    units = dict(zip((item.key for item in moved), optimizer.ask(), strict=True))
    # For all parameters, whether they are used or not: one more choice shifts no other's draw.
    drawn = rng.random(len(search.space))
    places = [units.get(item.key, unit) for item, unit in zip(search.space, drawn, strict=True)]
    return draw(search.space, places), {GENERATION: optimizer.generation}


def replay(
    search: Search, moved: Space, options: Mapping[str, Any], evaluated: Sequence[Observation]
) -> CMA:
    """The optimiser after all whole generations among `evaluated`, in the unit cube of `moved`.

    A generation is its first `population` trials by number. CMA-ES ranks, so a trial without a
    value counts as worse than all that have one.
    """
    optimizer = start(search, moved, options, evaluated)
    while True:
        members = [
            item
            for item in evaluated
            if item.suggestion.attributes.get(GENERATION) == optimizer.generation
            # The first by number: with several jobs at once more may have been proposed meanwhile.
        ][: optimizer.population_size]
        # A generation counts whole or not at all: all trials after it see the same one.
        if len(members) < optimizer.population_size:
            return optimizer
        losses = losses_of(search, members)
        points = [point(moved, item) for item in members]
        optimizer.tell(list(zip(points, losses, strict=True)))


def start(
    search: Search, moved: Space, options: Mapping[str, Any], evaluated: Sequence[Observation]
) -> CMA:
    """The optimiser before its first generation, warm from an earlier phase's trials if any.

    Warm start: Nomura et al., "Warm starting CMA-ES for hyperparameter optimization", AAAI 2021.
    """
    count = len(moved)
    first = min(
        (item.suggestion.number for item in evaluated if GENERATION in item.suggestion.attributes),
        default=None,
    )
    # Only what the first trial of the run knew, so that the start stays where it was.
    limit = search.seen(first) if first is not None else math.inf
    source = [
        item
        for item in evaluated
        if item.result.state == "COMPLETE"
        and GENERATION not in item.suggestion.attributes
        and item.suggestion.number < limit
    ]
    # Middle of the unit cube, whose sides are then three sigma away: Optuna's own start.
    mean, sigma, covariance = np.full(count, 0.5), 1 / 6, None
    # Its start is made of the best tenth: below ten trials that is none.
    if len(source) >= 10:
        pairs = list(
            zip([point(moved, item) for item in source], losses_of(search, source), strict=True)
        )
        mean, sigma, covariance = get_warm_start_mgd(pairs)
    return CMA(
        mean=np.clip(mean, 0.0, 1.0),
        sigma=options["sigma"] or sigma,
        bounds=np.tile([0.0, 1.0], (count, 1)),
        # Draws outside of the bounds are repeated so often, as Optuna has it, and then clipped.
        n_max_resampling=10 * count,
        seed=0,
        population_size=options["population"],
        cov=covariance,
    )


def point(moved: Space, item: Observation) -> np.ndarray:
    """A trial's place in the unit cube, shape (D,)."""
    return np.array(
        [parameter.to_unit(item.suggestion.params[parameter.key]) for parameter in moved]
    )


def losses_of(search: Search, items: Sequence[Observation]) -> list[float]:
    """Losses to rank by, lower is better; a trial without a value gets the worst plus one."""
    sign = -search.objectives[0].sign
    signed = [
        sign * item.result.values[0] if item.result.state == "COMPLETE" else None for item in items
    ]
    worst = max((loss for loss in signed if loss is not None), default=0.0)
    # Any number above the worst is the same: ranks alone count.
    return [worst + 1.0 if loss is None else loss for loss in signed]
