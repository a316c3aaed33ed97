"""Two runs on the same folds: difference, interval, tests, and in words whether it is resolved."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.paired import bootstrap_difference, corrected_t
from foldwise.evaluate.paired_tests import tests_of
from foldwise.evaluate.selection import selection
from foldwise.evaluate.verdict import equal_footing, verdict
from foldwise.evaluate.wording import called, significant, spoken
from foldwise.settings.groups import units_of

LEVEL = 0.95


class Fold(Protocol):
    """One fold of a run, as `foldwise.evaluate.summary.FoldResult`."""

    fold: int
    metrics: dict[str, Any]
    predictions: Sequence[dict[str, str]]
    n_train: int
    n_val: int
    history: dict[str, Any] | None


def compare(
    first: Sequence[Fold],
    second: Sequence[Fold],
    task: Any,
    bootstrap: Bootstrap,
    objective: str,
    direction: str = "",
) -> dict[str, Any]:
    """Compare run `second` (tuned) with run `first` (baseline), fold by fold.

    Args:
        first, second: the folds of each run, same folds in the same order.
        task: measures of the study (`foldwise.evaluate.fold.Measured`).
        bootstrap: how groups are drawn for the intervals, and what a group is.
        objective: the metric that the verdict is about; the verdict says so where a fold has none.
        direction: "max" or "min", which way the objective is better; '' asks `task.monitors`.

    Returns:
        `metrics`: for each metric both means, the difference, the corrected t test over folds
        (Nadeau and Bengio 2003) and the bootstrap interval over groups of the pooled
        predictions; `mcnemar`, `sign_flip`, `delong` and `<test>_of` each of several labels:
        `foldwise.evaluate.paired_tests.tests_of`; `group_by`: data.group, what groups are;
        `last_epoch`: both by their last epochs; `verdict`: in words.
    """
    before, after = pooled(first, second)
    scorers = task.scorer(before), task.scorer(after)
    groups = [row["group"] for row in before]
    metrics = of_metrics(first, second, bootstrap_difference(*scorers, groups, bootstrap))
    direction, tests = direction or task.monitors[objective], tests_of(before, after)
    verdict_text = (
        f"{called(objective)[0]} is not defined in every fold of both runs: not compared by it."
    )
    if objective in metrics:
        verdict_text = verdict(objective, metrics[objective], direction, bootstrap.group_by, tests)
    level = by_last_epoch(first, second, objective)
    return {
        "objective": objective,
        "folds": [fold.fold for fold in first],
        "metrics": metrics,
        **tests,
        "group_by": bootstrap.group_by,
        "last_epoch": level,
        "verdict": f"{verdict_text} {level['text']}" if level else verdict_text,
    }


def by_last_epoch(
    first: Sequence[Fold], second: Sequence[Fold], objective: str
) -> dict[str, Any] | None:
    """`equal_footing` of the two runs; None where no epoch was chosen or a fold has no value."""
    runs = {"first": first, "second": second}
    chosen = {name: _chosen(run, objective) for name, run in runs.items()}
    if not any(chosen.values()):
        return None
    values = {name: _last(run, objective) for name, run in runs.items()}
    if None in values.values():
        return None
    was = {name: epoch is not None for name, epoch in chosen.items()}
    return equal_footing(objective, values["first"], values["second"], was)


def _chosen(run: Sequence[Fold], objective: str) -> dict[str, Any] | None:
    histories = [fold.history for fold in run if fold.history]
    return selection(histories, objective) if histories else None


def _last(run: Sequence[Fold], objective: str) -> float | None:
    """Mean over folds of the last epoch's value, of a method without epochs of its only one."""
    values = [
        # A cost is measured once a fold and is in no epoch.
        fold.history["epochs"][-1].get(objective) if fold.history else fold.metrics.get(objective)
        for fold in run
    ]
    return None if None in values else float(np.mean(values))


def check_defined(comparison: Mapping[str, Any]) -> None:
    """Raise FoldwiseError where a comparison's objective is undefined in some fold."""
    objective, metrics = comparison["objective"], comparison["metrics"]
    if objective not in metrics:
        raise FoldwiseError(
            f"'{objective}' is not defined in every fold of both runs, so they cannot be compared "
            f"by it. Take another objective; defined: {', '.join(metrics) or 'none'}."
        )


def pooled(first: Sequence[Fold], second: Sequence[Fold]) -> tuple[list[dict], list[dict]]:
    """Rows of all folds of both runs, in one order."""
    pairs = [paired(one, other) for one, other in zip(first, second, strict=True)]
    before = [row for rows, _ in pairs for row in rows]
    return before, [row for _, rows in pairs for row in rows]


def paired(one: Fold, other: Fold) -> tuple[list[dict], list[dict]]:
    """Rows of a fold in both runs, in one order; another set of samples is refused."""
    rows = [{row["sample"]: row for row in fold.predictions} for fold in (one, other)]
    if one.fold != other.fold or set(rows[0]) != set(rows[1]):
        raise FoldwiseError(
            f"Folds {one.fold} and {other.fold} do not hold the same samples. Runs are compared on "
            "the same folds file: run both again."
        )
    # In the first run's order: the bootstrap draws the same rows of both runs.
    return list(one.predictions), [rows[1][row["sample"]] for row in one.predictions]


def of_metrics(
    first: Sequence[Fold], second: Sequence[Fold], intervals: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """`of_metric` of each metric of `intervals` that all folds of both runs have."""
    # What the t test is corrected by: the more of the data two trainings share, the wider.
    ratio = float(np.mean([fold.n_val / fold.n_train for fold in first]))
    return {
        name: of_metric(name, first, second, ratio, interval)
        for name, interval in sorted(intervals.items())
        if all(fold.metrics.get(name) is not None for fold in (*first, *second))
    }


def of_metric(
    name: str, first: Sequence[Fold], second: Sequence[Fold], ratio: float, interval: Any
) -> dict[str, Any]:
    """Difference of one metric over folds with its test, and of the pooled rows its interval.

    `no_interval`: why folds give neither interval nor test, where they do not.
    """
    values = [[fold.metrics[name] for fold in run] for run in (first, second)]
    test = corrected_t(*values, ratio, LEVEL)
    numbers = {
        "first": float(np.mean(values[0])),
        "second": float(np.mean(values[1])),
        "difference": test.mean,
        "p": test.p,
        "low": test.interval.low,
        "high": test.interval.high,
        "groups_low": interval.low,
        "groups_high": interval.high,
    }
    finite = {key: None if np.isnan(value) else float(value) for key, value in numbers.items()}
    return finite | ({"no_interval": test.interval.why} if test.interval.why else {})


def over_seeds(comparisons: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Several seeds together: the objective's difference by seed, mean and standard deviation."""
    names = {item["objective"] for item in comparisons.values()}
    objective = names.pop()
    differences = {
        seed: item["metrics"][objective]["difference"] for seed, item in comparisons.items()
    }
    values = np.array(list(differences.values()))
    # Signs are counted, not tested: of a few seeds no test could be resolved.
    same = int(max((values > 0).sum(), (values < 0).sum()))
    return {
        "objective": objective,
        "differences": {str(seed): value for seed, value in differences.items()},
        "mean": float(values.mean()),
        "std": float(values.std(ddof=1)) if len(values) > 1 else None,
        "text": f"{same} of {len(values)} seeds agree on the sign of the difference.",
    }


def as_text(
    comparisons: Mapping[int, Mapping[str, Any]], together: Mapping[str, Any] | None, optimism: str
) -> str:
    """The comparison for a reader, in Markdown."""
    lines = ["# Tuned against baseline, on the same folds", ""]
    for seed, item in comparisons.items():
        lines += [f"Seed {seed}: {item['verdict']}", ""]
        test = item["mcnemar"]
        if test:
            lines += [
                f"Of {test['groups']} {units_of(item['group_by'])} the baseline alone has "
                f"{test['only_first']} right, the tuned run alone {test['only_second']} "
                f"(exact McNemar test, p {test['p']:.2g}).",
                "",
            ]
        lines += ["| Metric | Baseline | Tuned | Difference | 95 % over folds | p |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        for name, row in item["metrics"].items():
            cells = [shown(row[key]) for key in ("first", "second", "difference")]
            between = f"{shown(row['low'])} to {shown(row['high'])}"
            lines.append(
                f"| {called(name)[0]} | {' | '.join(cells)} | {between} | {shown(row['p'])} |"
            )
        lines.append("")
    if together:
        lines += [
            f"Over {len(together['differences'])} seeds {spoken(together['objective'])} differs by "
            f"{shown(together['mean'])} on average, standard deviation {shown(together['std'])}. "
            f"{together['text']}",
            "",
        ]
    lines += [f"How lucky the search was: {optimism}", ""]
    return "\n".join(lines)


def shown(value: float | None) -> str:
    """A number for a reader."""
    return "not defined" if value is None else significant(value)
