"""A reported run against others on the same folds: differences, intervals, paired tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.evaluate.compare import compare
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.paired import holm
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
                _history(Path(run, f"fold_{number}", "results", "train_history.json")),
            )
            for number in self.numbers
        ]


def _history(path: Path) -> Path | None:
    """Of a run that was trained; a classical method has no epochs."""
    return path if path.is_file() else None


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
    correct_for_number(against, metric)
    write_json(out, {"run": params["run"], "metric": metric, "against": against})


def correct_for_number(against: Mapping[str, dict[str, Any]], metric: str) -> None:
    """Add `p_holm` over all comparisons to the metric of each, and to its verdict."""
    rows = {
        other: one["metrics"][metric]
        for other, one in against.items()
        if metric in one["metrics"] and one["metrics"][metric]["p"] is not None
    }
    adjusted = holm([row["p"] for row in rows.values()])
    for (other, row), p in zip(rows.items(), adjusted, strict=True):
        row["p_holm"] = p
        # Of one comparison Holm's p is its own.
        if len(rows) > 1:
            text = f"With {len(rows)} comparisons p over folds is {p:.2g} by Holm's correction."
            against[other]["verdict"] += f" {text}"
