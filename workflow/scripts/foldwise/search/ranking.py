"""Trials in order: by one objective, or by Pareto fronts. Standard library only."""

from collections.abc import Sequence

from foldwise.errors import FoldwiseError
from foldwise.search.settings import Budget, Objective, Search
from foldwise.search.trials import Observation, commonest_failure


def budget_of(item: Observation) -> Budget:
    """The budget that a trial was proposed for."""
    return Budget(item.suggestion.epochs, item.suggestion.subset)


def complete(
    observations: Sequence[Observation], budget: Budget | None = None
) -> list[Observation]:
    """Trials with values, of one budget if one is named."""
    return [
        item
        for item in observations
        if item.result is not None
        and item.result.state == "COMPLETE"
        and (budget is None or budget_of(item) == budget)
    ]


def dominates(
    first: Sequence[float], second: Sequence[float], objectives: Sequence[Objective]
) -> bool:
    """True if `first` is nowhere worse and somewhere better."""
    gains = [o.sign * (a - b) for a, b, o in zip(first, second, objectives, strict=True)]
    return min(gains) >= 0 and max(gains) > 0


def front(observations: Sequence[Observation], search: Search) -> list[Observation]:
    """Those of the complete trials that no other of them dominates, in the order given."""
    return [
        item
        for item in observations
        if not any(
            dominates(other.result.values, item.result.values, search.objectives)
            for other in observations
        )
    ]


def ranked(observations: Sequence[Observation], search: Search) -> list[tuple[int, Observation]]:
    """Complete trials of the last phase's budget with their ranks from 1, best first.

    With several objectives a rank is a front: those left when the fronts before are taken away
    (Goldberg 1989). Equal ranks are ordered by the first objective, then by number.
    """
    sign = search.objectives[0].sign
    left = complete(observations, search.phases[-1].budget)
    # The number last: equal trials have one order, however they were read.
    left.sort(key=lambda item: (-sign * item.result.values[0], item.suggestion.number))
    if len(search.objectives) == 1:
        values = [item.result.values[0] for item in left]
        # Equal values share the best of their ranks: the number of a trial is no merit.
        return [(values.index(item.result.values[0]) + 1, item) for item in left]
    rank, order = 1, []
    while left:
        leading = front(left, search)
        numbers = {item.suggestion.number for item in leading}
        order += [(rank, item) for item in leading]
        left = [item for item in left if item.suggestion.number not in numbers]
        rank += 1
    return order


def best(observations: Sequence[Observation], search: Search, where: str = "search") -> Observation:
    """The best trial of the last phase's budget; of a Pareto front, by the first objective.

    Raises FoldwiseError where no trial has a value.
    """
    order = ranked(observations, search)
    if not order:
        results = [item.result for item in observations if item.result]
        states = [result.state for result in results]
        counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
        failed = [result.reason for result in results if result.state == "FAIL"]
        common = f" {commonest_failure(failed)}" if failed else ""
        raise FoldwiseError(
            f"{where}: no trial of the last phase is complete ({counts or 'none has ended'})."
            f"{common} Change the space, the settings or the pruner, or add trials."
        )
    return order[0][1]
