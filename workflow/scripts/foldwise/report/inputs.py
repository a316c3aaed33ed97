"""What figures read: the files of a run as plain arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.evaluate.metrics import classification, heads
from foldwise.files import read_csv, read_json
from foldwise.report.files import FILES

Paths = Mapping[str, Sequence[str | Path]]


@dataclass(frozen=True)
class Predictions:
    """Class probabilities of validation samples: each sample once, judged by its own fold.

    labels (N,) integers, probabilities (N, K), fold (N,) numbers from 1, classes K names. `label`
    is which label this is where a sample has several, else empty.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    fold: np.ndarray
    classes: list[str]
    label: str = ""

    def of_fold(self, number: int) -> "Predictions":
        """Those of one fold."""
        one = self.fold == number
        return replace(
            self,
            labels=self.labels[one],
            probabilities=self.probabilities[one],
            fold=self.fold[one],
        )


def classes_of(paths: Paths) -> dict[str, list[str]]:
    """Label -> its classes, from params.json; the one label of a sample is called ""."""
    return heads.classes_of(read_json(paths["params"][0])["task"])


def predictions(paths: Paths) -> list[Predictions]:
    """Pooled val_predictions.csv of all folds given, each label by itself."""
    rows = [row for path in paths["predictions"] for row in read_csv(path)]
    # Of the holdout, where all folds' models answer together, no row has a fold's number.
    folds = [row["fold"] for row in rows]
    fold = np.array([int(number) if number.isdigit() else 0 for number in folds], dtype=np.int64)
    of_labels = []
    for label, classes in classes_of(paths).items():
        columns = heads.columns_of(label)
        labels, probabilities = classification.arrays(rows, classes, *columns)
        of_labels.append(Predictions(labels, probabilities, fold, classes, label))
    return of_labels


@dataclass(frozen=True)
class History:
    """One fold's training: number of the fold, one dict an epoch, the kept epoch (from 1)."""

    fold: int
    epochs: list[dict[str, Any]]
    best_epoch: int
    monitor: str

    def series(self, name: str) -> np.ndarray:
        """(E,) values of one key, NaN where an epoch lacks it."""
        values = [epoch.get(name) for epoch in self.epochs]
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def histories(paths: Paths) -> list[History]:
    """train_history.json of each fold given, in order of the folds."""
    histories_of = [read_json(path) for path in paths["histories"]]
    return [
        History(one["fold"], one["epochs"], one["best"]["epoch"], one["best"]["monitor"])
        for one in sorted(histories_of, key=lambda one: one["fold"])
    ]


def best_fold(paths: Paths) -> int:
    """Number of the best fold, from cv_summary.json; the first fold if no fold is best."""
    return read_json(paths["summary"][0])["best_fold"]["fold"] or 1


def of_fold(paths: Paths, number: int) -> dict[str, list[Path]]:
    """The same files, but of kinds with a file a fold only that of this fold."""
    return {
        kind: [path for path in map(Path, many) if _fold_in(kind, path) in (None, number)]
        for kind, many in paths.items()
    }


def _fold_in(kind: str, path: Path) -> int | None:
    """The fold's number in the path of a kind that has one; a study too may be called fold_..."""
    if "{fold}" not in FILES[kind]:
        return None
    named = [part for part in path.parts if part.startswith("fold_")]
    return int(Path(named[-1]).stem.removeprefix("fold_"))
