"""The search space: which settings vary, over what, and under which condition.

Standard library only: the plan of trials is drawn up when the DAG is built.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

# Digits kept of a continuous value: readable, and the last bits in which two machines' linear
# algebra differs never reach a trial.
DIGITS = 6


@dataclass(frozen=True)
class Parameter:
    """One searched setting. `when` maps another searched key to the values that switch this on."""

    key: str
    kind: str
    low: float = 0
    high: float = 0
    step: float | None = None
    log: bool = False
    choices: tuple = ()
    when: Mapping[str, tuple] = field(default_factory=dict)

    def values(self) -> list | None:
        """All values in order, or None for a continuous parameter."""
        if self.kind == "categorical":
            return list(self.choices)
        if self.kind == "float" and self.step is None:
            return None
        # In decimals: 0.1 + 2 x 0.1 would be a value that nobody wrote.
        low, step = Decimal(str(self.low)), Decimal(str(self.step or 1))
        count = int((Decimal(str(self.high)) - low) / step) + 1
        number = int if self.kind == "int" else float
        return [number(low + index * step) for index in range(count)]

    def contains(self, value: Any) -> bool:
        """True if a trial may hold `value`."""
        values = self.values()
        if values is not None:
            # Types too: True equals 1 in Python, and is another setting.
            return any(type(value) is type(one) and value == one for one in values)
        return isinstance(value, float) and self.low <= value <= self.high

    def from_unit(self, unit: float) -> Any:
        """The value at `unit` in [0, 1); equal lengths have equal probability."""
        values = self.values()
        if values is not None and not self.log:
            return values[min(int(unit * len(values)), len(values) - 1)]
        if self.kind == "int":
            # From half a step before to half a step behind: the end values get their full share.
            low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
            return min(max(round(math.exp(low + unit * (high - low))), self.low), self.high)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return self.rounded(math.exp(low + unit * (high - low)))
        return self.rounded(self.low + unit * (self.high - self.low))

    def to_unit(self, value: Any) -> float:
        """The place of `value` in [0, 1]: the middle of its interval where values are discrete."""
        values = self.values()
        if values is not None and not self.log:
            return (values.index(value) + 0.5) / len(values)
        low, high = self.low, self.high
        if self.kind == "int":
            low, high = low - 0.5, high + 0.5
        if self.log:
            return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        return (value - low) / (high - low)

    def rounded(self, value: float) -> float:
        """A continuous value at `DIGITS` significant digits, inside the range."""
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


Space = tuple[Parameter, ...]


def active(parameter: Parameter, chosen: Mapping[str, Any]) -> bool:
    """True if the values chosen so far switch `parameter` on."""
    return all(
        parent in chosen and chosen[parent] in accepted
        for parent, accepted in parameter.when.items()
    )


def combinations(space: Space) -> Iterator[dict[str, Any]]:
    """All combinations of a finite space in the order of the file, last parameter fastest."""
    return _walk(space, 0, {})


def _walk(space: Space, index: int, chosen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if index == len(space):
        yield dict(chosen)
    elif active(space[index], chosen):
        for value in space[index].values():
            yield from _walk(space, index + 1, chosen | {space[index].key: value})
    else:
        yield from _walk(space, index + 1, chosen)


def size(space: Space) -> int | None:
    """Number of combinations, or None if a parameter is continuous."""
    if any(parameter.values() is None for parameter in space):
        return None
    return _count(space, 0, {})


def _count(space: Space, index: int, chosen: dict[str, Any]) -> int:
    """Combinations of the parameters from `index` on, beside the values chosen before.

    Only values that switch others on are gone through, so that 2^30 combinations cost nothing.
    """
    if index == len(space):
        return 1
    parameter = space[index]
    if not active(parameter, chosen):
        return _count(space, index + 1, chosen)
    values = parameter.values()
    if not any(parameter.key in later.when for later in space):
        return len(values) * _count(space, index + 1, chosen)
    return sum(_count(space, index + 1, chosen | {parameter.key: value}) for value in values)


def combination_at(space: Space, rank: int) -> dict[str, Any]:
    """The combination at place `rank` (from 0) of `combinations`, without listing those before."""
    chosen: dict[str, Any] = {}
    for index, parameter in enumerate(space):
        for value in parameter.values() if active(parameter, chosen) else ():
            below = _count(space, index + 1, chosen | {parameter.key: value})
            if rank < below:
                chosen[parameter.key] = value
                break
            rank -= below
    return chosen


def rank_of(space: Space, combination: Mapping[str, Any]) -> int:
    """The place of a combination in `combinations`: what `combination_at` takes."""
    rank, chosen = 0, {}
    for index, parameter in enumerate(space):
        if not active(parameter, chosen):
            continue
        for value in parameter.values():
            if value == combination[parameter.key]:
                break
            rank += _count(space, index + 1, chosen | {parameter.key: value})
        chosen[parameter.key] = combination[parameter.key]
    return rank


def inside(space: Space, values: Mapping[str, Any]) -> bool:
    """True if `values` holds exactly the parameters that are on, each within its range."""
    on = [parameter for parameter in space if active(parameter, values)]
    return {item.key for item in on} == set(values) and all(
        item.contains(values[item.key]) for item in on
    )


def numeric(space: Space) -> Space:
    """Parameters that CMA-ES moves: numbers that are always on. The others are drawn evenly."""
    return tuple(item for item in space if item.kind != "categorical" and not item.when)
