"""What chance alone does to a run: its metric's variance split into seed, fold and patient.

Two trainings that differ in nothing but their seed end with different numbers (Bouthillier et al
2021, Accounting for variance in machine learning benchmarks, Proceedings of Machine Learning and
Systems 3:747-769); a gain within that difference is no gain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t

from foldwise.evaluate.fold import plain
from foldwise.evaluate.metrics.draws import resample
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import FoldResult
from foldwise.evaluate.wording import called, spoken
from foldwise.hashing import stream_seed
from foldwise.settings.groups import units_of

Runs = Mapping[int, Sequence[FoldResult]]


@dataclass(frozen=True)
class Components:
    """Variances of a single value: of its seed, of its fold, and of both together."""

    seed: float
    fold: float
    rest: float


def components(values: np.ndarray) -> Components:
    """Variance components of (S, K) values, seeds by folds, each at least 0.

    Two-way random effects without repeats, by the mean squares of the analysis of variance (Searle,
    Casella and McCulloch 1992, Variance Components, section 4.2). S and K at least 2.
    """
    seeds, folds = values.shape
    of_seed, of_fold, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    left = values - of_seed[:, None] - of_fold[None, :] + mean
    rest = float((left**2).sum() / ((seeds - 1) * (folds - 1)))
    between_seeds = folds * float(np.var(of_seed, ddof=1))
    between_folds = seeds * float(np.var(of_fold, ddof=1))
    # Moment estimates may come out below 0, which no variance can.
    return Components(
        max(0.0, (between_seeds - rest) / folds), max(0.0, (between_folds - rest) / seeds), rest
    )


def noise(means: Sequence[float], level: float = 0.95) -> float:
    """How far two trainings of one run may lie apart by their seeds alone.

    means: (S,) of the run over folds, a seed each. t(S-1) sqrt(2) s: the prediction interval of a
    difference of two values with standard deviation s (Hahn and Meeker 1991, Statistical
    Intervals, chapter 4).
    """
    values = np.asarray(means, dtype=np.float64)
    reach = t.ppf(0.5 + level / 2, len(values) - 1) * np.sqrt(2)
    return float(reach * np.std(values, ddof=1))


def of_seeds(runs: Runs, task: Any, bootstrap: Bootstrap, metric: str) -> dict[str, Any]:
    """The content of seed_variance.json.

    Args:
        runs: seed -> folds of the run that was trained with it, on the same folds.
        task: measures of the study (`foldwise.evaluate.fold.Measured`).
        bootstrap: how patients are drawn.
        metric: the one that the text is about.

    Returns:
        `metrics`: of each that all folds of all seeds have, `by_seed` (mean over folds), `mean`,
        `std` and `noise` of these, and the `shares` of the variance of a single fold's value;
        `seeds`, `metric`, `text`.
    """
    folds = [fold for run in runs.values() for fold in run]
    names = [
        name
        for name in sorted(folds[0].metrics)
        if name != "levels" and all(fold.metrics.get(name) is not None for fold in folds)
    ]
    patients = _of_patients(runs, task, bootstrap)
    metrics = {name: _of_metric(name, runs, patients.get(name, 0.0)) for name in names}
    units = units_of(bootstrap.group_by)
    return plain(
        {
            "seeds": list(runs),
            "metric": metric,
            "metrics": metrics,
            "text": _in_words(metric, metrics, len(runs), units),
        }
    )


def _of_patients(runs: Runs, task: Any, bootstrap: Bootstrap) -> dict[str, float]:
    """Metric -> variance of its pooled value over draws of patients, mean over seeds."""
    variances: dict[str, list[float]] = {}
    # One stream for all: every seed's run is judged by the same draws of patients.
    seed = stream_seed(bootstrap.seed, "seeds")
    for run in runs.values():
        rows = [row for fold in run for row in fold.predictions]
        groups = [row["group"] for row in rows]
        draws = resample(task.scorer(rows), groups, seed, bootstrap.resamples, jackknife=False)
        for name, values in draws.drawn.items():
            there = values[~np.isnan(values)]
            variances.setdefault(name, []).append(float(there.var()) if len(there) else 0.0)
    return {name: float(np.mean(values)) for name, values in variances.items()}


def _of_metric(name: str, runs: Runs, of_patients: float) -> dict[str, Any]:
    values = np.array([[fold.metrics[name] for fold in run] for run in runs.values()])
    means = values.mean(axis=1)
    spread = {
        "by_seed": {str(seed): mean for seed, mean in zip(runs, means, strict=True)},
        "mean": means.mean(),
        "std": np.std(means, ddof=1),
        "noise": noise(means),
        "shares": None,
    }
    # In a single fold its variance and the rest cannot be told apart.
    if values.shape[1] < 2:
        return spread
    parts = components(values)
    whole = parts.seed + parts.fold + parts.rest
    # A fold judges a K-th of the patients: of its variance so much is which patients they are.
    patient = min(parts.fold, values.shape[1] * of_patients)
    split = {"seed": parts.seed, "patient": patient, "fold": parts.fold - patient}
    split |= {"rest": parts.rest}
    shares = {key: part / whole for key, part in split.items()} if whole else None
    return spread | {"shares": shares}


def _in_words(metric: str, components: Mapping[str, Any], seeds: int, units: str) -> str:
    if metric not in components:
        return f"{called(metric)[0]} is not defined in every fold of every seed."
    own = components[metric]
    text = (
        f"Over {seeds} seeds {spoken(metric)} is {own['mean']:.3f} on average, with a standard "
        f"deviation of {own['std']:.3f}; two trainings that differ in their seed alone may lie "
        f"{own['noise']:.3f} apart (95 %)."
    )
    if seeds == 2:
        text += " From two seeds that is hardly known: a third narrows it much."
    shares = own["shares"]
    if shares:
        text += (
            f" Of the variance of a single fold's value {shares['seed']:.0%} comes with the seed, "
            f"{shares['patient']:.0%} with the {units} that the fold judges, {shares['fold']:.0%} "
            f"with the fold beyond these, and {shares['rest']:.0%} with what a seed does in one "
            "fold and not in another."
        )
    return text
