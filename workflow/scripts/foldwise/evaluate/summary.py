"""The folds of a run put together: mean and spread, intervals, pooled metrics, warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.evaluate.fold import Measured, Row, labels_of, measure_levels, plain
from foldwise.evaluate.metrics.averaging import LEVELS, average
from foldwise.evaluate.metrics.intervals import FOLD_MEAN, Bootstrap, Interval, fold_mean
from foldwise.files import read_csv, read_json, write_text
from foldwise.metrics import metric_of

UNSTABLE_STD = 0.05
UNSTABLE_METRIC = "macro_f1"


@dataclass(frozen=True)
class FoldResult:
    """One fold: its number, metrics, predictions, and how many samples trained and judged it."""

    fold: int
    metrics: dict[str, Any]
    predictions: Sequence[Row]
    n_train: int
    n_val: int


def read_fold(
    fold: int, metrics_json: str | Path, predictions_csv: str | Path, fold_csv: str | Path
) -> FoldResult:
    """Read what `evaluate_fold`, `predict_fold` and `folds` wrote for fold number `fold`."""
    parts = [row["part"] for row in read_csv(fold_csv)]
    return FoldResult(
        fold=fold,
        metrics=read_json(metrics_json),
        predictions=read_csv(predictions_csv),
        n_train=parts.count("train"),
        n_val=parts.count("val"),
    )


def summarise(
    folds: Sequence[FoldResult],
    task: Measured,
    bootstrap: Bootstrap,
    monitor: str | None = None,
) -> dict[str, Any]:
    """The content of cv_summary.json, of the weights that were kept; no time of day in it.

    `<metric>`: mean, std (sample standard deviation, n - 1), interval (of the mean over folds);
    `folds`: one flat entry a fold; `pooled`: all validation predictions as one set, per level,
    with bootstrap intervals over groups; `warnings`: kind, text; `best_fold`: by the monitored
    metric (the task's first if none is named). No resamples leave the bootstrap out.
    """
    entries = [_entry(fold) for fold in folds]
    names = sorted({name for entry in entries for name in entry} - {"fold", "n_train", "n_val"})
    ratio = float(np.mean([fold.n_val / fold.n_train for fold in folds if fold.n_train] or [0]))
    over_folds = {
        name: _over_folds([e.get(name) for e in entries], ratio, bootstrap.level, limits_of(name))
        for name in names
    }
    pooled = levels_with_intervals(
        [row for fold in folds for row in fold.predictions], task, bootstrap
    )
    return plain(
        {
            **over_folds,
            "folds": entries,
            "best_fold": best_fold(entries, monitor or next(iter(task.monitors)), task.monitors),
            "pooled": pooled,
            "warnings": _warnings(folds, over_folds) + _never_said(pooled["image"]["details"]),
            "methods": {
                "level": bootstrap.level,
                "interval": FOLD_MEAN,
                "test_over_train": ratio,
                "pooled_interval": bootstrap.described,
                "resamples": bootstrap.resamples,
                "std": "sample standard deviation over folds (n - 1)",
            },
        }
    )


def _entry(fold: FoldResult) -> dict[str, Any]:
    flat = {name: value for name, value in fold.metrics.items() if name != "levels"}
    return {"fold": fold.fold, "n_train": fold.n_train, "n_val": fold.n_val, **flat}


def best_fold(
    entries: Sequence[Mapping[str, Any]], metric: str, monitors: Mapping[str, str]
) -> dict[str, Any]:
    """Number of the fold with the best `metric`, the first of equals; None where none has it."""
    sign = -1 if monitors.get(metric) == "min" else 1
    defined = [entry for entry in entries if entry.get(metric) is not None]
    if not defined:
        return {"fold": None, "metric": metric, "value": None}
    best = max(defined, key=lambda entry: sign * entry[metric])
    return {"fold": best["fold"], "metric": metric, "value": best[metric]}


def limits_of(name: str) -> tuple[float, float]:
    """Least and greatest value of a metric; infinite where the table does not have it."""
    metric = metric_of(name)
    return metric.limits if metric else (-np.inf, np.inf)


def _over_folds(
    values: Sequence[float | None], ratio: float, level: float, limits: tuple[float, float]
) -> dict[str, Any]:
    """Mean, std and interval of a metric over folds, of those folds that have it."""
    defined = np.array([value for value in values if value is not None], dtype=np.float64)
    # A mean over some of the folds is of other samples than its neighbours: say how many.
    interval = fold_mean(defined, ratio, level, limits)
    return {
        "mean": float(defined.mean()) if len(defined) else None,
        "std": float(defined.std(ddof=1)) if len(defined) > 1 else None,
        "interval": _bounds(interval),
        "n_folds": len(defined),
    }


def _bounds(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def levels_with_intervals(
    rows: Sequence[Row], task: Measured, settings: Bootstrap
) -> dict[str, Any]:
    """What `measure_levels` gives, each metric as {"value", "interval" over groups}."""
    levels = measure_levels(rows, task, settings.group_by)
    columns = LEVELS[settings.group_by]
    for name, level in levels.items():
        merged = rows if name == "image" else average(rows, columns[name])[0]
        level["metrics"] = _with_intervals(level["metrics"], merged, task, settings)
    return levels


def _with_intervals(
    metrics: Mapping[str, float | None], rows: Sequence[Row], task: Measured, settings: Bootstrap
) -> dict[str, Any]:
    if not settings.resamples or not rows:
        return {name: {"value": value} for name, value in metrics.items()}
    groups = [row["group"] for row in rows]
    intervals = settings.intervals("bootstrap", task.scorer(rows), groups)
    return {
        name: {"value": value, "interval": _bounds(intervals[name])}
        for name, value in metrics.items()
    }


def _warnings(folds: Sequence[FoldResult], over_folds: dict[str, Any]) -> list[dict[str, str]]:
    """Collapse of a fold, instability over folds, metrics that some folds do not have."""
    found = [
        {"kind": "collapse", "text": f"Fold {fold.fold} predicts a single class."}
        for fold in folds
        if fold.metrics["levels"]["image"]["details"].get("collapsed")
    ]
    spread = over_folds.get(UNSTABLE_METRIC, {}).get("std")
    if spread is not None and spread > UNSTABLE_STD:
        text = f"Macro F1 varies over folds: standard deviation {spread:.3f}, above {UNSTABLE_STD}."
        found.append({"kind": "instability", "text": text})
    for name, values in over_folds.items():
        if values["n_folds"] < len(folds):
            text = f"{name} is defined in {values['n_folds']} of {len(folds)} folds."
            found.append({"kind": "undefined", "text": text})
    return found


def _never_said(details: Mapping[str, Any]) -> list[dict[str, str]]:
    """Classes that images have and no image of any fold is called; of each label where several."""
    found = []
    for label, own in {"": details, **labels_of(details)}.items():
        each = own["per_class"].items() if "per_class" in own else ()
        lost = [name for name, row in each if row["support"] and not row["predicted"]]
        if lost:
            of_label = f" ({label.replace('_', ' ')})" if label else ""
            text = f"No image of any fold is called {', '.join(lost)}{of_label}."
            found.append({"kind": "never", "text": text})
    return found


def join_logs(logs: Mapping[int, str | Path], out: str | Path) -> None:
    """One log over all folds, in their order, each under a heading; a missing log is said."""
    parts = []
    for fold, path in sorted(logs.items()):
        there = Path(path).is_file()
        text = Path(path).read_text(encoding="utf-8", errors="replace") if there else "(no log)"
        parts.append(f"===== fold {fold} =====\n{text.rstrip()}\n")
    write_text(out, "\n".join(parts))
