"""Draws from a space that look at no value: uniform, quasi-random, and what is left of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.search.space import Space, active, combinations, size


def draw(space: Space, units: Sequence[float]) -> dict[str, Any]:
    """Parameters at `units` (D,) in [0, 1), one for each of the D parameters of the space.

    A parameter that is off leaves its place unused.
    """
    chosen: dict[str, Any] = {}
    for parameter, unit in zip(space, units, strict=True):
        if active(parameter, chosen):
            chosen[parameter.key] = parameter.from_unit(float(unit))
    return chosen


def draw_sequence(space: Space, sequence: str, index: int, seed: int) -> dict[str, Any]:
    """Point `index` of a scrambled Sobol or Halton sequence, by scipy.stats.qmc."""
    from scipy.stats import qmc

    engine = {"sobol": qmc.Sobol, "halton": qmc.Halton}[sequence]
    points = engine(len(space), scramble=True, rng=np.random.default_rng(seed))
    if index:
        points.fast_forward(index)
    return draw(space, points.random(1)[0])


def untried(space: Space, tried: list[dict[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    """A combination that was not tried, drawn evenly from what is left of a finite space."""
    if size(space) is None:
        return draw(space, rng.random(len(space)))
    left = [item for item in combinations(space) if item not in tried]
    if not left:
        raise FoldwiseError(
            f"All {len(tried)} combinations of search.space were proposed. Lower search.trials or "
            "widen the space."
        )
    return left[int(rng.integers(len(left)))]
