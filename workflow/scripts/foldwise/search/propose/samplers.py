"""Proposals by Optuna's samplers, from an in-memory study rebuilt out of trial files."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import optuna

from foldwise.search.settings import Phase, Search
from foldwise.search.space import Parameter, Space, active
from foldwise.search.trials import Observation, Result

GENERATION = "NSGAIISampler:generation"
# What an in-memory study says of times has no part in any decision.
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna's notices of experimental features out of the log."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)


@contextmanager
def stable_sorts() -> Iterator[None]:
    """Make numpy.argsort keep the order of equal values, whatever the processor.

    By default it puts them in an order that depends on the processor's vector instructions. Optuna
    sorts the values of a setting with it, where equal ones are common, and gives each the width of
    its kernel by that order: without this the same trials lead to other proposals elsewhere.
    """
    usual = np.argsort

    def stable(a: Any, axis: int | None = -1, kind: str | None = None, **more: Any) -> np.ndarray:
        return usual(a, axis=axis, kind=kind or "stable", **more)

    np.argsort = stable
    try:
        yield
    finally:
        np.argsort = usual


def distribution(parameter: Parameter) -> optuna.distributions.BaseDistribution:
    """Optuna's form of a parameter."""
    if parameter.kind == "categorical":
        return optuna.distributions.CategoricalDistribution(parameter.choices)
    if parameter.kind == "int":
        step = int(parameter.step or 1)
        return optuna.distributions.IntDistribution(
            int(parameter.low), int(parameter.high), parameter.log, step
        )
    return optuna.distributions.FloatDistribution(
        parameter.low, parameter.high, parameter.log, parameter.step
    )


def distributions(space: Space, params: Mapping[str, Any]) -> dict:
    """Distributions of the parameters that a trial has."""
    return {item.key: distribution(item) for item in space if item.key in params}


def frozen(item: Observation, search: Search) -> optuna.trial.FrozenTrial:
    """A trial for a sampler's in-memory study.

    A failed trial stands there as pruned before its first epoch, the worst there is, so that a
    model learns to stay away; the database says FAIL.
    """
    result = item.result
    if result is None:
        state, values, intermediate = optuna.trial.TrialState.RUNNING, None, {}
    elif result.state == "COMPLETE":
        state, values, intermediate = optuna.trial.TrialState.COMPLETE, result.values, {}
    else:
        state, values = optuna.trial.TrialState.PRUNED, None
        intermediate = reached(result) if len(search.objectives) == 1 else {}
    params = dict(item.suggestion.params)
    trial = optuna.trial.create_trial(
        state=state,
        values=values,
        params=params,
        distributions=distributions(search.space, params),
        intermediate_values=intermediate,
        # Trials of other samplers count as the first generation of NSGA-II.
        system_attrs={GENERATION: 0, **item.suggestion.attributes},
    )
    trial.datetime_start = SOME_TIME
    return trial


def reached(result: Result) -> dict[int, float]:
    """Intermediate values of a pruned trial; none of a failed one."""
    return result.intermediate() if result.state == "PRUNED" else {}


def sampler_of(phase: Phase, search: Search, seed: int) -> optuna.samplers.BaseSampler:
    """The sampler of a phase, seeded for one trial."""
    # NumPy's older generator, which Optuna uses, takes 32 bits.
    seed, options = seed % 2**32, phase.options
    if phase.sampler == "gp":
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=options["startup"])
    if phase.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(
            population_size=options["population"],
            crossover_prob=options["crossover"],
            mutation_prob=options["mutation"],
            seed=seed,
        )
    return optuna.samplers.TPESampler(
        n_startup_trials=options["startup"],
        n_ei_candidates=options["candidates"],
        # Settings act together (a rate and its batch): one density for all of them, as in BOHB.
        multivariate=True,
        # Parameters that are switched on together are modelled together.
        group=any(parameter.when for parameter in search.space),
        # Trials that run are taken for bad ones: parallel jobs do not all ask for the same place.
        constant_liar=True,
        seed=seed,
    )


def propose_model(
    search: Search, phase: Phase, guide: Sequence[Observation], seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters that the phase's sampler offers after the trials `guide`, and its attributes."""
    with quiet(), stable_sorts():
        study = optuna.create_study(
            directions=[objective.direction for objective in search.objectives],
            sampler=sampler_of(phase, search, seed),
        )
        study.add_trials([frozen(item, search) for item in guide])
        trial = study.ask()
        params = {}
        for parameter in search.space:
            if active(parameter, params):
                params[parameter.key] = suggest(trial, parameter)
        attributes = study.get_trials(deepcopy=False)[-1].system_attrs
    # Nothing else is kept: other attributes of Optuna's would only repeat what trial files say.
    kept = {GENERATION: attributes[GENERATION]} if GENERATION in attributes else {}
    return params, kept


def suggest(trial: optuna.Trial, parameter: Parameter) -> Any:
    """One value from Optuna, in the form in which a trial holds it."""
    key, low, high, log = parameter.key, parameter.low, parameter.high, parameter.log
    if parameter.kind == "categorical":
        return trial.suggest_categorical(key, parameter.choices)
    if parameter.kind == "int":
        step = int(parameter.step or 1)
        return trial.suggest_int(key, int(low), int(high), step=step, log=log)
    value = trial.suggest_float(key, low, high, step=parameter.step, log=log)
    values = parameter.values()
    if values is None:
        return parameter.rounded(value)
    # A float with a step carries its rounding error; the nearest listed value is meant.
    return min(values, key=lambda listed: abs(listed - value))
