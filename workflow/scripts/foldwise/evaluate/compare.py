"""Two runs on the same folds: difference, interval, tests, and in words whether it is resolved."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.averaging import average, has_probabilities
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.paired import bootstrap_difference, corrected_t, mcnemar
from foldwise.evaluate.wording import called, spoken
from foldwise.settings.groups import units_of

LEVEL = 0.95


class Fold(Protocol):
    """One fold of a run, as `foldwise.evaluate.summary.FoldResult`."""

    fold: int
    metrics: dict[str, Any]
    predictions: Sequence[dict[str, str]]
    n_train: int
    n_val: int


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
        predictions; `group_by`: data.group, what groups are; `mcnemar`: exact, one prediction a
        group, where classes are predicted; `mcnemar_of`: the same of each of several labels;
        `verdict`: in words.
    """
    before, after = pooled(first, second)
    scorers = task.scorer(before), task.scorer(after)
    groups = [row["group"] for row in before]
    metrics = of_metrics(first, second, bootstrap_difference(*scorers, groups, bootstrap))
    direction = direction or task.monitors[objective]
    said = f"{called(objective)[0]} is not defined in every fold of both runs: not compared by it."
    if objective in metrics:
        said = verdict(objective, metrics[objective], direction, bootstrap.group_by)
    return {
        "objective": objective,
        "folds": [fold.fold for fold in first],
        "metrics": metrics,
        "mcnemar": exact_mcnemar(before, after),
        "mcnemar_of": mcnemar_by_head(before, after),
        "group_by": bootstrap.group_by,
        "verdict": said,
    }


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
    ratio = float(np.mean([fold.n_val / fold.n_train for fold in first]))
    return {
        name: of_metric(name, first, second, ratio, interval)
        for name, interval in sorted(intervals.items())
        if all(fold.metrics.get(name) is not None for fold in (*first, *second))
    }


def of_metric(
    name: str, first: Sequence[Fold], second: Sequence[Fold], ratio: float, interval: Any
) -> dict[str, Any]:
    """Difference of one metric over folds with its test, and of the pooled rows its interval."""
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
    return {key: None if np.isnan(value) else float(value) for key, value in numbers.items()}


def exact_mcnemar(before: list[dict], after: list[dict]) -> dict[str, Any] | None:
    """McNemar's exact test with one prediction a group, by mean probability.

    None where no classes are predicted, or groups have no one truth.
    """
    if not has_probabilities(before) or "label" not in before[0]:
        return None
    rows = [average(run, "group")[0] for run in (before, after)]
    if not rows[0]:
        return None
    right = [np.array([predicted(row) == row["label"] for row in run]) for run in rows]
    test = mcnemar(*right)
    return {
        "groups": len(right[0]),
        "only_first": test.only_first,
        "only_second": test.only_second,
        "p": test.p,
    }


def mcnemar_by_head(before: list[dict], after: list[dict]) -> dict[str, Any]:
    """`exact_mcnemar` of each label where a row has several; of those with one truth a group."""
    heads = [name.removeprefix("label_") for name in before[0] if name.startswith("label_")]
    return {
        head: exact_mcnemar(
            *([_of_head(row, head, heads) for row in run] for run in (before, after))
        )
        for head in heads
    }


def _of_head(row: dict[str, str], head: str, heads: Sequence[str]) -> dict[str, str]:
    """A row as if this label were its only one."""
    prefix = f"p_{head}_"
    # Another label's name may begin with this one's.
    longer = tuple(f"p_{one}_" for one in heads if one.startswith(f"{head}_"))
    own = {
        f"p_{name.removeprefix(prefix)}": value
        for name, value in row.items()
        if name.startswith(prefix) and not name.startswith(longer)
    }
    named = {name: row[name] for name in ("sample", "group", "exam") if name in row}
    return named | {"label": row[f"label_{head}"]} | own


def predicted(row: Mapping[str, str]) -> str:
    """The class with the largest probability; columns are `p_<class>`."""
    return max(
        (name for name in row if name.startswith("p_")), key=lambda name: float(row[name])
    ).removeprefix("p_")


def verdict(name: str, found: Mapping[str, float | None], direction: str, group_by: str) -> str:
    """Whether the difference is resolved: both intervals, over folds and groups, leave out 0."""
    difference = found["difference"] * (1 if direction == "max" else -1)
    bounds = [(found["low"], found["high"]), (found["groups_low"], found["groups_high"])]
    # Over folds the training sets vary, over groups the patients: a difference has to outlast both.
    known = [pair for pair in bounds if None not in pair]
    resolved = len(known) == 2 and all(low > 0 or high < 0 for low, high in known)
    side = "better" if difference > 0 else "worse" if difference < 0 else "equal"
    told = f"{called(name)[0]} {found['second']:.4g} against {found['first']:.4g}, {side}"
    told += f" by {abs(found['difference']):.3g}" if difference else ""
    within = ""
    if len(known) == 2:
        folds, groups = (f"{low:.3g} to {high:.3g}" for low, high in known)
        within = f" (95 % interval {folds} over folds, {groups} over {units_of(group_by)})"
    if resolved:
        return f"{told}{within}: the difference is resolved."
    return f"{told}{within}: not resolved, these data do not tell the two apart."


def over_seeds(comparisons: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Several seeds together: the objective's difference by seed, mean and standard deviation."""
    names = {item["objective"] for item in comparisons.values()}
    objective = names.pop()
    differences = {
        seed: item["metrics"][objective]["difference"] for seed, item in comparisons.items()
    }
    values = np.array(list(differences.values()))
    same = int(max((values > 0).sum(), (values < 0).sum()))
    return {
        "objective": objective,
        "differences": {str(seed): value for seed, value in differences.items()},
        "mean": float(values.mean()),
        "std": float(values.std(ddof=1)) if len(values) > 1 else None,
        "text": f"{same} of {len(values)} seeds agree on the sign of the difference.",
    }


def as_text(
    found: Mapping[int, Mapping[str, Any]], together: Mapping[str, Any] | None, optimism: str
) -> str:
    """The comparison for a reader, in Markdown."""
    lines = ["# Tuned against baseline, on the same folds", ""]
    for seed, item in found.items():
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
    return "not defined" if value is None else f"{value:.3g}"
