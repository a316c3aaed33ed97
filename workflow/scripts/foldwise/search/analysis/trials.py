"""Trials as an analysis sees them, of a search of our own or of another system's table."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foldwise.search.ranking import complete
from foldwise.search.settings import Search
from foldwise.search.space import Parameter
from foldwise.search.trials import FoldOutcome, Observation, trial_name

# Epoch -> mean over the folds that reached it.
Curve = dict[int, float]


@dataclass(frozen=True)
class Trial:
    """A trial with a value: `best_epoch`, `last` (value) and `epochs` are means over its folds."""

    name: str
    value: float
    params: Mapping[str, Any]
    best_epoch: float
    last: float | None
    epochs: float
    seconds: float = 0.0
    curves: Mapping[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True)
class Searched:
    """What is analysed: complete trials of the last budget, best first, and what they varied.

    `sign` is 1 where more of the objective is better, else -1; `states` counts all trials;
    `defaults` are the settings that trials change, where they are known.
    """

    study: str
    metric: str
    sign: int
    trials: tuple[Trial, ...]
    space: tuple[Parameter, ...]
    states: Mapping[str, int]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    observations: tuple[Observation, ...] = ()

    def better(self, first: float, second: float) -> bool:
        """Whether the first value is better than the second."""
        return self.sign * (first - second) > 0


def ordered(trials: Iterable[Trial], sign: int) -> tuple[Trial, ...]:
    """Best first; equal ones by name."""
    return tuple(sorted(trials, key=lambda trial: (-sign * trial.value, trial.name)))


def of_search(
    study: str,
    search: Search,
    observations: Sequence[Observation],
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    defaults: Mapping[str, Any],
) -> Searched:
    """Of our own trial files; `histories` are the train_history.json of each trial's folds."""
    objective = search.objectives[0]
    trials = [
        _trial(item, objective.metric, histories.get(trial_name(item.suggestion.number), ()))
        # Of the last budget alone: values after fewer epochs or on a subset do not compare.
        for item in complete(observations, search.phases[-1].budget)
    ]
    results = [item.result for item in observations if item.result]
    states = {
        name: sum(r.state == name for r in results) for name in ("COMPLETE", "PRUNED", "FAIL")
    }
    return Searched(
        study=study,
        metric=objective.metric,
        sign=objective.sign,
        trials=ordered(trials, objective.sign),
        space=search.space,
        states=states,
        defaults=defaults,
        observations=tuple(observations),
    )


def _trial(item: Observation, metric: str, histories: Sequence[Mapping[str, Any]]) -> Trial:
    folds = item.result.folds
    # A metric may be undefined after the last epoch of one fold.
    last = [value for value in map(_last, folds) if value is not None]
    return Trial(
        name=trial_name(item.suggestion.number),
        value=item.result.values[0],
        params=dict(item.suggestion.params),
        best_epoch=statistics.mean(fold.best for fold in folds),
        last=statistics.mean(last) if last else None,
        epochs=statistics.mean(len(fold.curve) for fold in folds),
        seconds=item.result.seconds,
        curves=mean_curves([history["epochs"] for history in histories]),
    )


def _last(fold: FoldOutcome) -> float | None:
    return fold.curve[-1][1] if fold.curve else None


def mean_curves(folds: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Curve]:
    """Each number that epochs tell of -> its mean over the folds that have it, by epoch."""
    seen: dict[str, dict[int, list[float]]] = {}
    for entries in folds:
        for entry in entries:
            for name, value in entry.items():
                if name != "epoch" and isinstance(value, int | float) and math.isfinite(value):
                    seen.setdefault(name, {}).setdefault(entry["epoch"], []).append(value)
    return {
        name: {epoch: statistics.mean(values) for epoch, values in sorted(by_epoch.items())}
        for name, by_epoch in seen.items()
    }


def varied(searched: Searched) -> list[str]:
    """Keys of the parameters that differ between the complete trials."""
    keys = [parameter.key for parameter in searched.space]
    # As text: 1, 1.0 and True are equal in Python and other settings here; lists have no hash.
    seen = {key: {str(trial.params.get(key)) for trial in searched.trials} for key in keys}
    return [key for key in keys if len(seen[key]) > 1]
