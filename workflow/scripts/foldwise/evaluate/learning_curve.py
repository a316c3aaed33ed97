"""The same folds with smaller training parts: what more patients have given, and may give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.contents import read_cohort
from foldwise.evaluate.comparisons import Folds
from foldwise.evaluate.fold import plain
from foldwise.evaluate.metrics.draws import resample
from foldwise.evaluate.metrics.intervals import Bootstrap, of_draws
from foldwise.evaluate.power_law import fit
from foldwise.evaluate.summary import FoldResult, limits_of
from foldwise.evaluate.wording import spoken
from foldwise.files import read_csv
from foldwise.folds.subset import subset
from foldwise.hashing import stream_seed
from foldwise.metrics import BOOTSTRAP, metric_of
from foldwise.settings.groups import units_of

# Points of the drawn curve, from the smallest part to twice the whole.
POINTS = 40
# Sizes at which the metric has to vary from draw to draw: a curve has three numbers.
LEAST_VARYING = 3


@dataclass(frozen=True)
class Size:
    """One size: per cent, its run's folds, and on average over folds its groups and images."""

    part: int
    folds: Sequence[FoldResult]
    groups: float
    images: float


def read_size(part: int, run: str, folds: Folds, cohort: str | Path, seed: int) -> Size:
    """The size of run `run`, and how many groups and images it trained on, by fold on average."""
    rows, groups, images = read_cohort(cohort), [], []
    for fold in folds.numbers:
        train = {
            row["sample"]
            for row in read_csv(f"{folds.folder}/fold_{fold}.csv")
            if row["part"] == "train"
        }
        kept = subset([row for row in rows if row["sample"] in train], part / 100, seed)
        groups.append(len({row["group"] for row in kept}))
        images.append(len(kept))
    return Size(part, folds.of(run), float(np.mean(groups)), float(np.mean(images)))


def learning_curve(
    sizes: Sequence[Size], task: Any, bootstrap: Bootstrap, metric: str
) -> dict[str, Any]:
    """The content of learning_curve.json, of the pooled predictions; sizes from least to whole.

    The patients that judge are drawn again, the same at all sizes, and the curve is fitted to each
    draw: intervals are of the patients drawn, with the trained models as they are. `sizes`: value
    and interval of each; `curve`; `twice`: at twice the groups; `gain`: of that over the whole;
    `left_out`: the whole as the smaller parts alone foretell it; `text`.
    """
    values, bounds = _drawn(sizes, task, bootstrap, metric)
    if values is None:
        return {"metric": metric, "sizes": [], "text": bounds}
    groups, limits = [size.groups for size in sizes], limits_of(metric)
    curve: dict[str, Any] = {"metric": metric, "sizes": []}
    for size, value, interval in zip(sizes, values[0], bounds, strict=True):
        of_size = {"part": size.part, "groups": size.groups, "images": size.images}
        curve["sizes"].append(of_size | {"value": value, "interval": interval})
    law = fit(groups, values, limits)
    # In equal ratios: the curve bends most where there are few.
    places = np.geomspace(groups[0], 2 * groups[-1], POINTS)
    curve["curve"] = [
        {"groups": place} | _summed(at, bootstrap.level)
        for place, at in zip(places, law.at(places), strict=True)
    ]
    twice = law.at(2 * groups[-1])
    curve["fit"] = {"a": law.a[0], "b": law.b[0], "c": law.c[0]}
    curve["twice"] = {"groups": 2 * groups[-1]} | _summed(twice, bootstrap.level)
    curve["gain"] = _summed(twice - law.at(groups[-1]), bootstrap.level)
    # A size that is known but was not used shows how far such a curve can be relied on.
    foretold = fit(groups[:-1], values[:, :-1], limits).at(groups[-1])
    curve["left_out"] = _summed(foretold, bootstrap.level) | {"measured": values[0, -1]}
    return plain(curve | {"text": _in_words(curve, units_of(bootstrap.group_by))})


def _drawn(
    sizes: Sequence[Size], task: Any, bootstrap: Bootstrap, metric: str
) -> tuple[np.ndarray | None, Any]:
    """(1 + R, J) values of the metric, of all patients first, and intervals; or None and why."""
    seed, entry = stream_seed(bootstrap.seed, "learning_curve"), metric_of(metric)
    kind, order = entry.interval if entry else BOOTSTRAP, {}
    columns, intervals = [], []
    for size in sizes:
        rows = [row for fold in size.folds for row in fold.predictions]
        order = order or {row["sample"]: place for place, row in enumerate(rows)}
        # In one order at all sizes, so that a draw is of the same patients.
        rows = sorted(rows, key=lambda row: order[row["sample"]])
        groups = [row["group"] for row in rows]
        draws = resample(task.scorer(rows), groups, seed, bootstrap.resamples, jackknife=False)
        if np.isnan(draws.whole.get(metric, np.nan)) or draws.patients < 2:
            reason = f"{spoken(metric)} is not defined with {size.part} % of the training part."
            return None, reason[:1].upper() + reason[1:]
        columns.append(np.concatenate([[draws.whole[metric]], draws.drawn[metric]]))
        interval = of_draws(draws, metric, bootstrap.level, kind)
        intervals.append([interval.low, interval.high])
    values = np.stack(columns, axis=1)
    # A draw without a class at one size is left out at all: each curve needs every size.
    values = values[~np.isnan(values).any(axis=1)]
    if (np.ptp(values, axis=0) > 0).sum() < LEAST_VARYING:
        # Such as a model that says one class alone: a curve through it would seem to be certain.
        reason = f"{spoken(metric)} is the same in all draws at most sizes: no curve is fitted."
        return None, reason[:1].upper() + reason[1:]
    return values, intervals


def _summed(values: np.ndarray, level: float) -> dict[str, Any]:
    """Of all patients, and percentiles of the draws."""
    low, high = np.quantile(values[1:], [(1 - level) / 2, (1 + level) / 2])
    return {"value": values[0], "interval": [low, high]}


def _in_words(curve: Mapping[str, Any], units: str) -> str:
    metric, whole, twice = curve["metric"], curve["sizes"][-1], curve["twice"]
    name, gain, left = spoken(metric), curve["gain"], curve["left_out"]
    text = (
        f"With all {whole['groups']:.0f} {units} of a training part {name} is "
        f"{whole['value']:.3f}; twice as many may give {twice['value']:.3f} "
        f"({twice['interval'][0]:.3f} to {twice['interval'][1]:.3f})."
    )
    low, high = gain["interval"]
    better = low > 0 if (entry := metric_of(metric)) is None or entry.better != "min" else high < 0
    if better:
        text += f" More {units} are expected to help."
    else:
        text += f" Whether more {units} would help is not resolved: the gain may be none."
    inside = left["interval"][0] <= left["measured"] <= left["interval"][1]
    text += (
        f" The smaller parts alone foretell {left['value']:.3f} ({left['interval'][0]:.3f} to "
        f"{left['interval'][1]:.3f}) for the whole, where {left['measured']:.3f} was measured: "
    )
    return text + (
        "the curve can be relied on that far."
        if inside
        else "do not rely on what it says beyond the whole."
    )
