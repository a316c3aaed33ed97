"""Parts that the table itself names: train, val, test, or a fold's number."""

from foldwise.data.splits import part_of
from foldwise.errors import FoldwiseError
from foldwise.fold_checks import fold_parts, plural


def preset_folds(rows: list[dict[str, str]], where: str) -> list[str]:
    """Fold of each row from column `split`: "1" (val), "train", "holdout", or a fold's number.

    Raises FoldwiseError where a row has no part, there is nothing to train on or to validate, or a
    group stands in two parts.
    """
    parts = [part_of(row.get("split", "")) for row in rows]
    if "" in parts:
        raise FoldwiseError(
            f"{where}: folds.preset is split, but {parts.count('')} of {len(rows)} images have no "
            "part. Name the column in data.columns.split and fill it, or set folds.preset: null."
        )
    numbers = {part for part in parts if part.isdigit()}
    if numbers and parts.count("val"):
        raise FoldwiseError(f"{where}: the split column mixes fold numbers and val. Use one kind.")
    folds = ["1" if part == "val" else part for part in parts]
    _check_folds(folds, where)
    _check_groups(rows, folds)
    return folds


def _check_folds(folds: list[str], where: str) -> None:
    numbers = sorted({int(fold) for fold in folds if fold.isdigit()})
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        found = ", ".join(map(str, numbers)) or "none"
        raise FoldwiseError(
            f"{where}: the split column names these folds to validate: {found}. Use val, or "
            "numbers from 1 without a gap."
        )
    if "train" not in fold_parts(folds, "1"):
        raise FoldwiseError(
            f"{where}: the split column leaves nothing to train on. Name train rows."
        )


def _check_groups(rows: list[dict[str, str]], folds: list[str]) -> None:
    parts: dict[str, set[str]] = {}
    for row, fold in zip(rows, folds, strict=True):
        parts.setdefault(row["group"], set()).add(fold)
    torn = sorted(group for group, found in parts.items() if len(found) > 1)
    if torn:
        named = ", ".join(torn[:5]) + (", ..." if len(torn) > 5 else "")
        raise FoldwiseError(
            f"The split column puts {plural(len(torn), 'group')} into two parts: {named}."
            " Who that is stands in private/id_map.csv. Give each patient one part."
        )
