"""What each parameter did to the value, with intervals; sentences say no more than these resolve.

Trials of an adaptive sampler are no random sample, and parameters vary together: these are marginal
differences between trials, which the documents say.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from foldwise.evaluate.wording import setting_name
from foldwise.search.analysis.tables import setting
from foldwise.search.analysis.trials import Searched, Trial

LEVEL = 0.95
# Values of a number up to which each is a level of its own.
MOST_LEVELS = 6
# A range that spans this factor or more is looked at in powers of ten.
WIDE = 10


@dataclass(frozen=True)
class Level:
    """The trials at one value of a parameter; `sd` is None for a single one."""

    value: Any
    n: int
    mean: float
    sd: float | None
    best: float


@dataclass(frozen=True)
class Difference:
    """How much higher the value is at one level than at another, or for a step of a number."""

    what: str
    value: float
    low: float
    high: float

    @property
    def resolved(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Effect:
    """All of one parameter."""

    key: str
    numeric: bool
    levels: tuple[Level, ...]
    differences: tuple[Difference, ...]
    single: bool  # a level has one trial, so that nothing can be compared with it


def effect(searched: Searched, key: str) -> Effect:
    """Levels and differences of one parameter, over the trials in which it is on."""
    trials = [trial for trial in searched.trials if key in trial.params]
    values = sorted({trial.params[key] for trial in trials}, key=_order)
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    groups = {value: [t.value for t in trials if t.params[key] == value] for value in values}
    # Two values of a number are two levels: a line through them says no more than their difference.
    graded = numeric and len(values) > 2
    differences = _slope(key, trials) if graded else _pairs(groups)
    # Few trials have few values of a rate too, each its own: no level that others share.
    drawn = any(one.key == key and one.values() is None for one in searched.space)
    discrete = not numeric or (len(values) <= MOST_LEVELS and not drawn)
    levels = tuple(_level(v, groups[v], searched.sign) for v in values) if discrete else ()
    single = any(len(group) < 2 for group in groups.values()) and not graded
    return Effect(key, numeric, levels, differences, single)


def _order(value: Any) -> tuple[int, Any]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, value) if number else (1, str(value))


def _level(value: Any, group: Sequence[float], sign: int) -> Level:
    sd = float(np.std(group, ddof=1)) if len(group) > 1 else None
    best = max(group, key=lambda one: sign * one)
    return Level(value, len(group), float(np.mean(group)), sd, best)


def _pairs(groups: dict[Any, list[float]]) -> tuple[Difference, ...]:
    """Welch's interval of each pair of levels, Bonferroni's correction for their number."""
    pairs = [
        pair
        for pair in itertools.combinations(groups, 2)
        if min(len(groups[value]) for value in pair) > 1
    ]
    level = 1 - (1 - LEVEL) / max(len(pairs), 1)
    return tuple(
        _welch(f"{second} against {first}", groups[second], groups[first], level)
        for first, second in pairs
    )


def _welch(what: str, more: list[float], less: list[float], level: float) -> Difference:
    value = float(np.mean(more) - np.mean(less))
    # Welch's t divides by the spread: without any, the difference is all that can be said.
    if np.std(more) == 0 and np.std(less) == 0:
        return Difference(what, value, value, value)
    interval = stats.ttest_ind(more, less, equal_var=False).confidence_interval(level)
    return Difference(what, value, float(interval.low), float(interval.high))


def _slope(key: str, trials: Sequence[Trial]) -> tuple[Difference, ...]:
    """Least squares over the parameter, in powers of ten where it spans one or more."""
    x = np.array([trial.params[key] for trial in trials], float)
    y = np.array([trial.value for trial in trials], float)
    if len(x) < 3:
        return ()
    wide = x.min() > 0 and x.max() / x.min() >= WIDE
    x = np.log10(x) if wide else x
    step, what = (1.0, "tenfold") if wide else _step(x)
    fit = stats.linregress(x, y)
    reach = stats.t.ppf((1 + LEVEL) / 2, len(x) - 2) * fit.stderr
    bounds = (step * (fit.slope - reach), step * (fit.slope + reach))
    return (Difference(what, float(step * fit.slope), *map(float, bounds)),)


def _step(x: np.ndarray) -> tuple[float, str]:
    """A step that is easily said: the power of ten below the parameter's range."""
    step = 10.0 ** math.floor(math.log10(x.max() - x.min()))
    return step, f"{step:g} more"


def sentences(effect: Effect, sign: int) -> list[str]:
    """What may be said of a parameter: resolved differences, or that nothing is resolved."""
    name = setting_name(effect.key)
    lines = [_sentence(effect, one, name, sign) for one in effect.differences]
    if effect.single:
        lonely = ", ".join(setting(level.value) for level in effect.levels if level.n < 2)
        lines.append(f"{name} {lonely}: one trial alone, so that no interval can be given.")
    return lines or [f"{name}: too few trials to compare its values."]


def _sentence(effect: Effect, one: Difference, name: str, sign: int) -> str:
    interval = f"({100 * LEVEL:.0f} % interval {one.low:+.4f} to {one.high:+.4f})"
    stated = _stated(effect, one, name)
    if not one.resolved:
        return f"{stated} {one.value:+.4f} {interval}: not resolved."
    better = sign * one.value > 0
    if effect.numeric:
        verdict = f"larger {name} {'helps' if better else 'hurts'}"
    else:
        level = _levels(effect)[one.what.split(" against ")[0]]
        verdict = f"{setting(level.value)} is {'better' if better else 'worse'}"
    return f"{stated} {one.value:+.4f} {interval}: {verdict}."


def _stated(effect: Effect, one: Difference, name: str) -> str:
    if " against " not in one.what:
        return f"{name}, {one.what}:"
    second, _, first = one.what.partition(" against ")
    more, less = (_levels(effect)[value] for value in (second, first))
    high, low = sorted((less, more), key=lambda level: -level.mean)
    values = [setting(level.value) for level in (high, low, more, less)]
    return (
        f"{name} {values[0]} {high.mean:.4f} > {values[1]} {low.mean:.4f} ({high.n} and {low.n} "
        f"trials); {values[2]} against {values[3]}"
    )


def _levels(effect: Effect) -> dict[str, Level]:
    return {str(level.value): level for level in effect.levels}
