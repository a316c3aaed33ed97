"""A reported run against others on the same folds: differences, intervals, paired tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foldwise.evaluate.compare import compare
from foldwise.evaluate.summary import FoldResult, read_fold
from foldwise.files import write_json
from foldwise.metrics import monitors


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
    """Write {"run", "metric", "against": {<other>: what `evaluate.compare.compare` gives}}.

    `first` is the other run, `second` the reported one of `params`; the verdict is about the
    monitored metric, or says that some fold has none (one class alone may be in it). FoldwiseError
    when the runs were not judged on the same samples.
    """
    own = folds_of(Path(runs, params["run"]), folds, numbers)
    metric = params["training"]["monitor"] or next(iter(monitors(params["kind"])))
    against = {
        other: compare(
            folds_of(Path(runs, other), folds, numbers),
            own,
            task,
            params["seed"],
            metric,
            group_by=group_by,
            needed=False,
        )
        for other in others
    }
    write_json(out, {"run": params["run"], "metric": metric, "against": against})
