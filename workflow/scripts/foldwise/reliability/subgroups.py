"""How good a model is for whom: metrics of each value of named columns, against all others.

What a reviewer asks for by TRIPOD+AI (Collins et al. 2024, BMJ 385:e078378, items 12e and 23b).
A difference is tested by its bootstrap over groups, and the p-values of all columns together are
adjusted after Holm (1979, "A simple sequentially rejective multiple test procedure", Scandinavian
Journal of Statistics 6:65-70). A value of fewer groups than stated is counted and not measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from foldwise.evaluate.fold import Measured, plain
from foldwise.evaluate.metrics.draws import resample
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.numbers import Weights, mean_defined
from foldwise.evaluate.metrics.paired import holm
from foldwise.evaluate.pooled import bounds
from foldwise.hashing import stream_seed
from foldwise.metrics import DISTANCE
from foldwise.reliability.parts import Row


@dataclass(frozen=True)
class SubgroupRequest:
    """What is measured of each value: the metric that is tested, others that are shown, and the
    number of groups below which nothing is. `covered`: name -> (N,) whether the conformal set of a
    sample holds its truth, of each label that has sets."""

    metric: str
    others: tuple[str, ...]
    least: int
    covered: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        task: Measured,
        monitor: str | None,
        least: int,
        covered: Mapping[str, np.ndarray],
    ) -> "SubgroupRequest":
        """The metric that chose the weights is tested, and one more is shown."""
        metric = monitor or next(iter(task.monitors))
        others = [name for name in task.monitors if name != metric]
        return cls(metric, tuple(others[:1]), least, covered)


def subgroups(
    rows: Sequence[Row],
    values: Mapping[str, Mapping[str, str]],
    columns: Sequence[Mapping[str, Any]],
    task: Measured,
    request: SubgroupRequest,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """The content of subgroups.json of a run.

    rows: val_predictions.csv of all folds; values: sample -> column -> value, as subgroups.csv;
    columns: `column`, `levels`, `refused` of each, as the study's subgroups.json.
    """
    judged = []
    for one in columns:
        name = one["column"]
        own = [] if one["refused"] else [values[row["sample"]][name] for row in rows]
        levels = [_level(rows, own, level, task, request, bootstrap) for level in one["levels"]]
        judged.append(dict(one) | _published(levels, _unknown(rows, own, request.least)))
    _adjust([level for one in judged for level in one["levels"] if level.get("p") is not None])
    whole = _measured(rows, task, request, bootstrap)
    named = {"metric": request.metric, "metrics": [request.metric, *request.others]}
    judged = {"columns": judged, "all": whole, "least": request.least, "level": bootstrap.level}
    return plain(named | judged)


def _unknown(rows: Sequence[Row], own: Sequence[str], least: int) -> dict[str, Any]:
    """Images without a value as a level of its own: their number, or that they are too few."""
    inside = [row["group"] for row, value in zip(rows, own, strict=bool(own)) if value == ""]
    return {"level": "", "n": len(inside), "few": 0 < len(set(inside)) < least}


def _published(levels: list[dict[str, Any]], unknown: dict[str, Any]) -> dict[str, Any]:
    """`levels`, `unknown` (a number, None of few) and `unknown_few`, by the rule of rare values."""
    # An unknown image counts as a value: else its number is what the others leave of the whole.
    shown_levels = hidden([*levels, *([unknown] if unknown["n"] else [])])
    few = bool(unknown["n"]) and shown_levels[-1]["few"]
    shown = {"levels": _once(shown_levels[: len(levels)]), "unknown_few": few}
    return shown | {"unknown": None if few else unknown["n"]}


def hidden(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where one value alone is too rare to be told, the next rare one is not told either.

    Else its number is what the others leave of the whole (secondary suppression: Hundepool et al.
    2012, Statistical Disclosure Control, 4.3).
    """
    shown = [level for level in levels if not level["few"]]
    if shown and len(levels) - len(shown) == 1:
        rarest = min(shown, key=lambda level: level["n"])
        place = levels.index(rarest)
        levels[place] = {"level": rarest["level"], "few": True}
    return levels


def _once(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of two values each is all that is not the other: one test, not two, for Holm to count."""
    measured = [level for level in levels if level.get("p") is not None]
    if len(levels) == len(measured) == 2:
        levels[1]["p"] = None
    return levels


def _level(
    rows: Sequence[Row],
    own: Sequence[str],
    level: str,
    task: Measured,
    request: SubgroupRequest,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    inside = [row for row, value in zip(rows, own, strict=True) if value == level]
    groups = len({row["group"] for row in inside})
    measures = {"level": level, "n": len(inside), "groups": groups}
    if groups < request.least:
        # Not even how many: a count of one or two is a patient.
        return {"level": level, "few": True}
    within = np.array([value == level for value in own])
    # An unknown value may be this one: such images are on neither side.
    of_others = np.array([value not in (level, "") for value in own])
    measures |= {"few": False, "metrics": _measured(inside, task, request, bootstrap)}
    measures["coverage"] = {
        name: mean_of(covered[within], [row["group"] for row in inside], bootstrap)
        for name, covered in request.covered.items()
    }
    if len({row["group"] for row, other in zip(rows, of_others, strict=True) if other}) < 2:
        return measures | {"difference": None, "p": None}
    return measures | _difference(rows, (within, of_others), task, request.metric, bootstrap)


def mean_of(values: np.ndarray, groups: Sequence[str], bootstrap: Bootstrap) -> dict[str, Any]:
    """Share of samples with its interval, which is Wilson's: it goes by the name of accuracy."""

    def statistic(weights: Weights) -> dict[str, Any]:
        return {"accuracy": mean_defined(values, weights)}

    interval = bootstrap.of_table("coverage", statistic, groups)["accuracy"]
    return {"value": float(np.mean(values))} | bounds(interval)


def _measured(
    rows: Sequence[Row], task: Measured, request: SubgroupRequest, bootstrap: Bootstrap
) -> dict[str, Any]:
    scored = task.scorer(rows)
    wanted = (request.metric, *request.others)

    def statistic(weights: Weights) -> dict[str, Any]:
        values = scored(weights)
        return {name: v for name, v in values.items() if name.removesuffix(DISTANCE) in wanted}

    intervals = bootstrap.of_table("subgroups", statistic, [row["group"] for row in rows])
    values = statistic(None)
    return {name: {"value": values[name]} | bounds(intervals[name]) for name in wanted}


def _difference(
    rows: Sequence[Row],
    sides: tuple[np.ndarray, np.ndarray],
    task: Measured,
    metric: str,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """Metric inside less metric of all others, its interval, and the p-value of no difference."""
    places = [np.flatnonzero(side) for side in sides]
    scored = [task.scorer([rows[i] for i in where]) for where in places]

    def statistic(weights: Weights) -> dict[str, Any]:
        # Both sides of one draw: a patient may have images on either.
        first, second = (
            score(weights if weights is None else np.ascontiguousarray(weights[:, where]))[metric]
            for score, where in zip(scored, places, strict=True)
        )
        return {"difference": first - second}

    groups, seed = [row["group"] for row in rows], stream_seed(bootstrap.seed, "subgroups")
    interval = bootstrap.intervals("subgroups", statistic, groups)["difference"]
    drawn = resample(statistic, groups, seed, bootstrap.resamples, jackknife=False).drawn
    value = statistic(None)["difference"]
    p = None if not interval.there else _p_value(drawn["difference"])
    return {"difference": {"value": value} | bounds(interval), "p": p}


def _p_value(drawn: np.ndarray) -> float:
    """Two-sided: share of draws on the rarer side of 0, never 0 (Davison & Hinkley 1997, 4.2)."""
    there = drawn[~np.isnan(drawn)]
    rarer = min((there <= 0).sum(), (there >= 0).sum())
    # One more on both sides: the data themselves count as a draw, so that p is never 0.
    return float(min(1.0, 2 * (rarer + 1) / (len(there) + 1)))


def _adjust(levels: list[dict[str, Any]]) -> None:
    """Add `holm` to each of these."""
    for level, adjusted in zip(levels, holm([one["p"] for one in levels]), strict=True):
        level["holm"] = adjusted
