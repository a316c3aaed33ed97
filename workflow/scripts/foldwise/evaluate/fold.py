"""One fold's predictions to its metrics: per image, per exam, per patient."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import yaml

from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.averaging import LEVELS, average, has_probabilities
from foldwise.evaluate.metrics.numbers import Weights
from foldwise.files import read_csv, write_json, write_text

Row = dict[str, str]


class Measured(Protocol):
    """What evaluation asks of a kind of study; rows are those of val_predictions.csv.

    `load("MEASURES", kind)(params["task"])` gives one (registry.py); a task delegates to the same.
    """

    monitors: dict[str, str]

    def score(self, predictions: Sequence[Row]) -> dict[str, float]: ...

    def details(self, predictions: Sequence[Row]) -> dict[str, Any]: ...

    def scorer(self, predictions: Sequence[Row]) -> Callable[[Weights], dict[str, Any]]: ...


def evaluate_fold(
    predictions_csv: str | Path, task: Measured, out_dir: str | Path, group_by: str = "patient"
) -> None:
    """Write val_metrics.json, .yaml and .txt, with equal numbers, into `out_dir`.

    The metrics of the images stand at the top, as a reader of one flat table expects them; under
    `levels` stand those of image, exam and patient with their details (no patient where `group_by`,
    data.group, knows of none). An undefined metric is null. Raises FoldwiseError if the table is
    empty.
    """
    rows = read_csv(predictions_csv)
    if not rows:
        raise FoldwiseError(
            f"{predictions_csv} has no rows, so that there is nothing to measure. The fold has no "
            "validation samples, or prediction was cut short: delete the file and run again."
        )
    write_metrics(measure_levels(rows, task, group_by), out_dir)


def write_metrics(levels: dict[str, Any], out_dir: str | Path) -> None:
    """Write what `measure_levels` gives into `out_dir`, in three formats."""
    report, folder = {**levels["image"]["metrics"], "levels": levels}, Path(out_dir)
    write_json(folder / "val_metrics.json", report)
    # YAML keeps all digits of a float, so that the three files agree to the last bit.
    write_text(folder / "val_metrics.yaml", yaml.safe_dump(report, sort_keys=True))
    write_text(folder / "val_metrics.txt", as_text(levels))


def measure_levels(
    rows: Sequence[Row], task: Measured, group_by: str = "patient"
) -> dict[str, Any]:
    """Level ("image", "exam", "patient") -> n, left_out, metrics, details. JSON-ready."""
    return {
        name: measure(merged, task, left_out)
        for name, merged, left_out in rows_of_levels(rows, group_by)
    }


def rows_of_levels(rows: Sequence[Row], group_by: str) -> Iterator[tuple[str, Sequence[Row], int]]:
    """Name, rows and number of units left out, of the images and of each level above them."""
    yield "image", rows, 0
    for level, column in LEVELS[group_by].items():
        # Masks have no probabilities in their rows: nothing of an exam can be averaged.
        if has_probabilities(rows) and rows[0].get(column):
            yield level, *average(rows, column)


def measure(rows: Sequence[Row], task: Measured, left_out: int) -> dict[str, Any]:
    """Metrics and details of one set of rows, NaN as None."""
    if not rows:
        return {"n": 0, "left_out": left_out, "metrics": {}, "details": {}}
    return plain(
        {
            "n": len(rows),
            "left_out": left_out,
            "metrics": task.score(rows),
            "details": task.details(rows),
        }
    )


def plain(value: Any) -> Any:
    """Python numbers, lists and dicts for JSON and YAML; NaN and infinity become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    # Before int: in Python a bool is one.
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


def as_text(levels: dict[str, Any]) -> str:
    """The same for reading: a block of metrics a level, then the details of the images."""
    blocks = [_metrics_text(name, level) for name, level in levels.items() if level["n"]]
    details = levels["image"]["details"]
    blocks += _classes_text(details, "per class") if "per_class" in details else []
    for label, own in labels_of(details).items():
        blocks += _classes_text(own, label)
    if "per_zone" in details:
        zones = details["per_zone"].items()
        plain = {zone: {k: v for k, v in own.items() if k != "confusion"} for zone, own in zones}
        blocks.append(_table_text("per zone", plain))
    if details.get("collapsed"):
        blocks.append("COLLAPSED: a single class is predicted for every sample.\n")
    return "\n".join(blocks)


def labels_of(details: dict[str, Any]) -> dict[str, Any]:
    """Details of each label by its name; empty for a study with one label."""
    return details.get("heads") or {}


def _classes_text(details: dict[str, Any], title: str) -> list[str]:
    """Measures and confusion of the classes of one label."""
    return [
        _table_text(title, details["per_class"]),
        _confusion_text(details["classes"], details["confusion"]),
    ]


def _metrics_text(name: str, level: dict[str, Any]) -> str:
    left = f", {level['left_out']} left out (truth differs)" if level["left_out"] else ""
    lines = [f"[{name}] n = {level['n']}{left}"]
    reasons = level["details"].get("undefined") or {}
    for metric, value in sorted(level["metrics"].items()):
        shown = f"undefined: {reasons.get(metric, 'not given')}" if value is None else repr(value)
        lines.append(f"{metric}: {shown}")
    return "\n".join(lines) + "\n"


def _table_text(title: str, table: dict[str, dict[str, Any]]) -> str:
    columns = list(next(iter(table.values())))
    wide = max(len(name) for name in [*table, title]) + 2
    each = max(13, *(len(column) + 2 for column in columns))
    lines = [f"{title:<{wide}}" + "".join(f"{column:>{each}}" for column in columns)]
    for name, row in table.items():
        lines.append(f"{name:<{wide}}" + "".join(f"{_cell(row[c]):>{each}}" for c in columns))
    return "\n".join(lines) + "\n"


def _confusion_text(classes: list[str], matrix: list[list[int]]) -> str:
    table = {
        name: dict(zip(classes, row, strict=True))
        for name, row in zip(classes, matrix, strict=True)
    }
    return _table_text("truth \\ predicted", table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    # Counts stay whole.
    return str(value) if isinstance(value, int) else f"{value:.4f}"
