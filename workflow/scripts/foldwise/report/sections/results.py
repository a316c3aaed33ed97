"""Metrics over folds and pooled, fold by fold, and per image, exam and patient."""

from typing import Any

from foldwise.evaluate.wording import called, head_of
from foldwise.report.run import Run, Study
from foldwise.report.tables import levels_of, pooled

# Columns of the table fold by fold: more do not fit a page.
SHOWN = 6


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Nothing but what any section may read."""
    return ()


def values(run: Run) -> dict[str, Any]:
    """A row a metric, a row a fold, and where there are several levels, a column a level."""
    return {
        "results": [_row(run, name) for name in run.metrics],
        "meanings": _meanings(run),
        "n_pooled": run.summary("pooled", "image", "n", form=","),
        # With a fixed number of epochs the validation part only judges (train/loop.py).
        "chooses_epoch": run.summary.value("selection") is not None,
        "selection": run.summary("selection", "text") if run.summary.value("selection") else None,
        "nested": "nested" in run.study["report"]["search"],
        "per_fold": _per_fold(run),
        "levels": levels_of(run.summary, "pooled", run.headline),
    }


def _row(run: Run, name: str) -> dict[str, Any]:
    value, interval = pooled(run.summary, ("pooled", "image"), name)
    row = run.over_folds(name)
    return row | {"meaning": called(name)[1], "pooled": value, "pooled_interval": interval}


def _meanings(run: Run) -> list[tuple[str, str]]:
    """Name and reading of each metric of the table, one for all labels."""
    # The same metric of several labels is explained once.
    own = (head_of(name)[1] or name for name in run.metrics)
    return [called(name) for name in dict.fromkeys(own)]


def _per_fold(run: Run) -> dict[str, Any]:
    """A row a fold: sizes and metrics of the kept weights."""
    names = run.metrics[:SHOWN]
    rows = [
        {
            "fold": run.summary("folds", i, "fold"),
            "train": run.summary("folds", i, "n_train", form=","),
            "val": run.summary("folds", i, "n_val", form=","),
            "metrics": [run.summary.maybe("folds", i, name, form=".3f") for name in names],
        }
        for i in range(len(run.folds))
    ]
    return {"names": [called(name)[0] for name in names], "rows": rows}
