"""A reported run against others on the same folds: differences, intervals, paired tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.evaluate.compare import compare
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import FoldResult, read_fold
from foldwise.files import write_json
from foldwise.metrics import monitors


@dataclass(frozen=True)
class Folds:
    """The study's folder of folds, and the numbers of those that runs have."""

    folder: str | Path
    numbers: Sequence[int]

    def of(self, run: str | Path) -> list[FoldResult]:
        """All folds of the run in folder `run`."""
        return [
            read_fold(
                number,
                f"{run}/fold_{number}/results/metrics/val_metrics.json",
                f"{run}/fold_{number}/results/val_predictions.csv",
                f"{self.folder}/fold_{number}.csv",
            )
            for number in self.numbers
        ]


def compare_reported(
    params: Mapping[str, Any],
    task: Any,
    folds: Folds,
    runs: Mapping[str, Path],
    bootstrap: Bootstrap,
    out: str | Path,
) -> None:
    """Write {"run", "metric", "against": {<other>: what `evaluate.compare.compare` gives}}.

    `runs` are the folders by name, of the reported one of `params` (`second` of each comparison)
    and of all others. The verdict is about the
    monitored metric, or says that some fold has none (one class alone may be in it). FoldwiseError
    when the runs were not judged on the same samples.
    """
    own = folds.of(runs[params["run"]])
    metric = params["training"]["monitor"] or next(iter(monitors(params["kind"])))
    against = {
        other: compare(folds.of(run), own, task, bootstrap, metric)
        for other, run in runs.items()
        if other != params["run"]
    }
    write_json(out, {"run": params["run"], "metric": metric, "against": against})
