"""Comparisons of all studies of an article as one family, those between studies among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.evaluate.compare import compare
from foldwise.evaluate.comparisons import Folds
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.metrics.paired import holm
from foldwise.files import read_json

# Of a comparison's metric, what is told.
COLUMNS = ("first", "second", "difference", "low", "high", "groups_low", "groups_high", "p")


@dataclass(frozen=True)
class Reported:
    """The reported run of a study, as its files have it."""

    study: str
    params: Mapping[str, Any]
    folds: Folds
    comparisons: Mapping[str, Any] | None

    @property
    def run(self) -> str:
        """Name of the run."""
        return self.params["run"]

    @property
    def task(self) -> Any:
        """Kind of study and its classes or labels: of two studies the same, or no metric is."""
        task = self.params["task"]
        return self.params["kind"], task.get("classes"), task.get("heads"), task.get("zones")

    def results(self) -> list[Any]:
        """The folds of the run."""
        return self.folds.of(Path("results", self.study, "runs", self.run))


def read_reported(study: str, run: str, numbers: Sequence[int]) -> Reported:
    """The reported run of a study; what it was compared with inside the study, if anything."""
    base = Path("results", study)
    path = base / "report" / "comparisons.json"
    return Reported(
        study,
        read_json(base / "runs" / run / "params.json"),
        Folds(base / "folds", numbers),
        read_json(path) if path.is_file() else None,
    )


def across(studies: Sequence[Reported], task: Any, bootstrap: Bootstrap, metric: str) -> dict:
    """All comparisons of an article, and of which studies there can be none.

    Args:
        studies: of the article, its own first; that one is compared with each other.
        task: measures of the first study.
        bootstrap: how groups are drawn.
        metric: by which studies are compared; inside a study its own metric counts.

    Returns:
        `comparisons`: study, run, against, metric, COLUMNS and `p_holm` over all of them;
        `apart`: study and reason.
    """
    rows = [row for one in studies for row in _inside(one)]
    apart = []
    for other in studies[1:]:
        row, reason = _between(studies[0], other, task, bootstrap, metric)
        rows += [row] if row else []
        apart += [{"study": other.study, "reason": reason}] if reason else []
    # Holm over those that were tested: a comparison without a p value is no test of the family.
    defined = [row for row in rows if row["p"] is not None]
    for row, p in zip(defined, holm([row["p"] for row in defined]), strict=True):
        row["p_holm"] = p
    return {"metric": metric, "number": len(defined), "comparisons": rows, "apart": apart}


def _inside(one: Reported) -> list[dict[str, Any]]:
    """Comparisons that the study's own report has."""
    comparisons = one.comparisons
    if comparisons is None:
        return []
    pairs = ((other, entry["metrics"]) for other, entry in comparisons["against"].items())
    metric = comparisons["metric"]
    return [_row(one, other, metric, has[metric]) for other, has in pairs if metric in has]


def _row(one: Reported, against: str, metric: str, has: Mapping[str, Any]) -> dict[str, Any]:
    named = {"study": one.study, "run": one.run, "against": against, "metric": metric}
    return named | {key: has[key] for key in COLUMNS} | {"p_holm": None}


def _between(
    own: Reported, other: Reported, task: Any, bootstrap: Bootstrap, metric: str
) -> tuple[dict[str, Any] | None, str]:
    """The comparison of two studies' runs, or why there is none."""
    if own.task != other.task:
        return None, "it predicts something else"
    # Read before the question whether they pair: a damaged file is a fault, and stays one.
    first, second = other.results(), own.results()
    if _samples(first) != _samples(second):
        return None, "it was judged on other images or other folds, so no test pairs them"
    # The other study comes first: a difference is the article's own less the other.
    comparison = compare(first, second, task, bootstrap, metric)
    if metric not in comparison["metrics"]:
        return None, "the metric is not defined in every fold"
    return _row(own, f"{other.study}, {other.run}", metric, comparison["metrics"][metric]), ""


def _samples(folds: Sequence[Any]) -> list[tuple[int, set[str]]]:
    """Which samples each fold judges: a paired test needs the same ones in the same folds."""
    return [(fold.fold, {row["sample"] for row in fold.predictions}) for fold in folds]
