"""The folds of a run put together: mean and spread, intervals, pooled metrics, warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.evaluate.cautions import cautions
from foldwise.evaluate.fold import Measured, Row, plain
from foldwise.evaluate.metrics.intervals import FOLD_MEAN, Bootstrap, fold_mean, no_interval
from foldwise.evaluate.pooled import bounds, levels_with_intervals
from foldwise.evaluate.selection import cautions as selection_cautions
from foldwise.evaluate.selection import selection
from foldwise.files import read_csv, read_json, write_text
from foldwise.metrics import BIASED, metric_of
from foldwise.settings.groups import units_of


@dataclass(frozen=True)
class FoldResult:
    """One fold: its number, metrics, predictions, and how many samples trained and judged it."""

    fold: int
    metrics: dict[str, Any]
    predictions: Sequence[Row]
    n_train: int
    n_val: int
    # As train_history.json; None of a method that has no epochs.
    history: dict[str, Any] | None = None


def read_fold(
    fold: int,
    metrics_json: str | Path,
    predictions_csv: str | Path,
    fold_csv: str | Path,
    history_json: str | Path | None = None,
) -> FoldResult:
    """Read what `evaluate_fold`, `predict_fold`, `folds` and `train_fold` wrote for a fold."""
    parts = [row["part"] for row in read_csv(fold_csv)]
    return FoldResult(
        fold=fold,
        metrics=read_json(metrics_json),
        predictions=read_csv(predictions_csv),
        n_train=parts.count("train"),
        n_val=parts.count("val"),
        history=read_json(history_json) if history_json else None,
    )


def summarise(
    folds: Sequence[FoldResult],
    task: Measured,
    bootstrap: Bootstrap,
    monitor: str | None = None,
) -> dict[str, Any]:
    """The content of cv_summary.json, of the weights that were kept; no time of day in it.

    `<metric>`: mean, std (sample standard deviation, n - 1), interval (of the mean over folds), and
    the same under the metric's alias; `folds`: one flat entry a fold; `pooled`: all validation
    predictions as one set, per level, with intervals over groups; where there is no interval,
    `no_interval` says why; `selection`: kept epoch against last epoch; `warnings`: kind, text;
    `best_fold`: by the monitored metric (the task's first if none is named). No resamples leave
    the bootstrap out.
    """
    entries, monitor = [_entry(fold) for fold in folds], monitor or next(iter(task.monitors))
    # A preset may leave a fold without training images: such a one has no ratio.
    ratio = float(np.mean([fold.n_val / fold.n_train for fold in folds if fold.n_train] or [0]))
    over_folds = _over_all(entries, ratio, bootstrap.level)
    rows = [row for fold in folds for row in fold.predictions]
    pooled = levels_with_intervals(rows, task, bootstrap)
    chosen = selection([fold.history for fold in folds if fold.history], monitor)
    groups, units = len({row["group"] for row in rows}), units_of(bootstrap.group_by)
    warnings = cautions(folds, over_folds, pooled, monitor, units)
    of_choice = selection_cautions(chosen, groups, units)
    return plain(
        {
            **over_folds,
            **_aliases(over_folds),
            "folds": entries,
            "best_fold": best_fold(entries, monitor, task.monitors),
            "pooled": pooled,
            "selection": chosen,
            "warnings": warnings + [{"kind": "selection", "text": text} for text in of_choice],
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


def _over_all(entries: Sequence[Mapping[str, Any]], ratio: float, level: float) -> dict[str, Any]:
    """Metric -> `_over_folds`, of every metric that some fold names."""
    names = sorted({name for entry in entries for name in entry} - {"fold", "n_train", "n_val"})
    # A fold's metrics may lack one that another fold has: it has no value there.
    return {name: _over_folds(name, [e.get(name) for e in entries], ratio, level) for name in names}


def _aliases(over_folds: Mapping[str, Any]) -> dict[str, Any]:
    """The same values under the names that other programs give them."""
    table = {name: metric_of(name) for name in over_folds}
    return {m.alias: over_folds[name] for name, m in table.items() if m is not None and m.alias}


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
    name: str, values: Sequence[float | None], ratio: float, level: float
) -> dict[str, Any]:
    """Mean, std and interval of a metric over folds, of those folds that have it."""
    defined = np.array([value for value in values if value is not None], dtype=np.float64)
    # A mean over some of the folds is of other samples than its neighbours: say how many.
    metric = metric_of(name)
    if metric is not None and metric.interval == BIASED:
        # Its bias grows as folds get smaller: an interval of their mean would miss the truth.
        interval = no_interval(level, len(defined), "biased upward in small folds: see pooled")
    else:
        interval = fold_mean(defined, ratio, level, limits_of(name))
    return {
        "mean": float(defined.mean()) if len(defined) else None,
        "std": float(defined.std(ddof=1)) if len(defined) > 1 else None,
        **bounds(interval),
        "n_folds": len(defined),
    }


def join_logs(logs: Mapping[int, str | Path], out: str | Path) -> None:
    """One log over all folds, in their order, each under a heading; a missing log is said."""
    parts = []
    for fold, path in sorted(logs.items()):
        there = Path(path).is_file()
        text = Path(path).read_text(encoding="utf-8", errors="replace") if there else "(no log)"
        parts.append(f"===== fold {fold} =====\n{text.rstrip()}\n")
    write_text(out, "\n".join(parts))
