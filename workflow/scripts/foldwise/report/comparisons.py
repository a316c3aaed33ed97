"""A reported run against others on the same folds: differences, intervals, paired tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foldwise.files import write_json
from foldwise.metrics.monitors import MONITORS
from foldwise.search.compare import compare
from foldwise.summary import FoldResult, read_fold


def folds_of(run: str | Path, folds: str | Path, numbers: Sequence[int]) -> list[FoldResult]:
    """All folds of the run in folder `run`; `folds` is the study's folder of folds."""
    return [
        read_fold(
            number,
            f"{run}/fold_{number}/results/metrics/val_metrics.json",
            f"{run}/fold_{number}/results/val_predictions.csv",
            f"{folds}/fold_{number}.csv",
        )
        for number in numbers
    ]


def compare_reported(
    params: Mapping[str, Any],
    task: Any,
    runs: str | Path,
    others: Sequence[str],
    folds: str | Path,
    numbers: Sequence[int],
    out: str | Path,
    group_by: str = "patient",
) -> None:
    """Write {"run", "metric", "against": {<other>: what `foldwise.search.compare.compare` gives}}.

    `first` is the other run, `second` the reported one of `params`; the verdict is about the
    monitored metric. A classical method without that metric in some fold (it may know one class
    alone) has null. FoldwiseError when the runs were not judged on the same samples.
    """
    own = folds_of(Path(runs, params["run"]), folds, numbers)
    metric = params["training"]["monitor"] or next(iter(MONITORS[params["kind"]]))
    against: dict[str, Any] = {}
    for other in others:
        found = folds_of(Path(runs, other), folds, numbers)
        told = all(fold.metrics.get(metric) is not None for fold in found)
        skipped = other.startswith("baseline_") and not told
        against[other] = (
            None
            if skipped
            else compare(found, own, task, params["seed"], metric, group_by=group_by)
        )
    write_json(out, {"run": params["run"], "metric": metric, "against": against})
