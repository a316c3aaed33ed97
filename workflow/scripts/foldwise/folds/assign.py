"""Folds: stratified, grouped, equal for equal seed and contents on any machine.

`folds.csv` names the fold in which each sample is validated (a number from 1), `holdout`, or
`train` where a preset never validates it. Patients keep their fold when others are added.
"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.contents import read_cohort
from foldwise.errors import FoldwiseError, choose
from foldwise.files import read_csv, write_csv, write_json
from foldwise.folds.assignment import earlier_parts, save_parts
from foldwise.folds.balance import assign_groups
from foldwise.folds.checks import (
    HOLDOUT,
    assert_no_leak,
    check_classes,
    check_possible,
    fold_parts,
)
from foldwise.folds.groups import balance_of, group_rows
from foldwise.folds.preset import PRESETS, preset_folds, preset_parts
from foldwise.settings.folds import FoldSettings

COLUMNS = ["sample", "fold"]

log = logging.getLogger("foldwise")


def make_folds(
    settings: FoldSettings,
    cohort: str | Path,
    folder: str | Path,
) -> dict[str, Any]:
    """Write folds.csv and balance.json into `folder`; return the balance.

    The earlier assignment in `folder`/assignment.csv is kept where its settings are the same.
    Raises FoldwiseError when there are too few groups, or a class cannot stand in each fold.
    """
    rows, folder = read_cohort(cohort), Path(folder)
    folds, facts = _folds(rows, settings, folder)
    for number in {fold for fold in folds if fold.isdigit()}:
        # Asked again of the finished table: whatever made the folds, nothing is written that leaks.
        assert_no_leak(_fold_rows(rows, folds, number), rows)
    balance = balance_of(rows, folds) | facts
    write_csv(
        folder / "folds.csv",
        COLUMNS,
        [{"sample": row["sample"], "fold": fold} for row, fold in zip(rows, folds, strict=True)],
    )
    write_json(folder / "balance.json", balance)
    return balance


def _folds(
    rows: list[dict[str, str]], settings: FoldSettings, folder: Path
) -> tuple[list[str], dict[str, Any]]:
    """Fold of each row, preset or assigned, and how it came about."""
    if not settings.preset:
        return _assign(rows, settings, folder)
    choose(settings.preset, PRESETS, "preset", f"{settings.where}: folds.preset")
    parts = preset_parts(rows, settings.preset, settings.where)
    if settings.preset != "test":
        return preset_folds(parts, settings.n, settings.where), {"made": settings.preset}
    rest = [row for row, part in zip(rows, parts, strict=True) if part != HOLDOUT]
    # The holdout is the table's: a second one must not be drawn from the rest.
    folds, facts = _assign(rest, replace(settings, holdout=0.0), folder)
    taken = iter(folds)
    return [HOLDOUT if part == HOLDOUT else next(taken) for part in parts], facts


def write_fold(folds: str | Path, fold: int, out: str | Path) -> None:
    """Write one fold's file (sample, part: train, val, holdout) from folds.csv.

    Raises FoldwiseError when folds.csv has no such fold.
    """
    rows = read_csv(folds)
    parts = _fold_rows(rows, [row["fold"] for row in rows], str(fold))
    if not {"train", "val"} <= {row["part"] for row in parts}:
        raise FoldwiseError(
            f"{folds} has no fold {fold} to validate. The table's parts and folds.n do not agree: "
            "delete that file and run again."
        )
    write_csv(out, ["sample", "part"], parts)


def _fold_rows(rows: list[dict[str, str]], folds: list[str], number: str) -> list[dict[str, str]]:
    parts = fold_parts(folds, number)
    return [{"sample": row["sample"], "part": part} for row, part in zip(rows, parts, strict=True)]


def _assign(
    rows: list[dict[str, str]], settings: FoldSettings, folder: Path
) -> tuple[list[str], dict[str, Any]]:
    """Fold of each row, and how it came about."""
    groups = group_rows(rows, settings.strata, settings.bins)
    names = list(settings.shares)
    check_possible(groups, names, settings)
    shares = np.array(list(settings.shares.values()))
    fixed = earlier_parts(folder, settings.state, groups, names)
    parts = assign_groups(groups, shares, fixed, settings.seed)
    kept = int((fixed >= 0).sum())
    # Folds with every class go before folds that stay: metrics of a class need one of it.
    if kept and groups.lacking(parts, len(names)):
        log.info("Folds: with the earlier assignment a class is missing in a fold; made anew.")
        parts, kept = assign_groups(groups, shares, np.full_like(fixed, -1), settings.seed), 0
    check_classes(groups, parts, names, settings)
    # After the checks: folds that were refused must not come back the next time.
    save_parts(folder, settings.state, groups, [names[part] for part in parts])
    fold_of = {name: names[part] for name, part in zip(groups.names, parts, strict=True)}
    facts = {"made": "assigned", "groups_kept": kept, "groups_new": len(groups.names) - kept}
    return [fold_of[row["group"]] for row in rows], facts
