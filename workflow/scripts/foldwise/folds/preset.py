"""Parts that the data name themselves: train, val, test, or a fold's number."""

from foldwise.errors import FoldwiseError, plural
from foldwise.folds.checks import HOLDOUT, fold_parts
from foldwise.folds.parts import part_of

PRESETS = {
    "split": "one fold: val against train, test as holdout",
    "folds": "the number of the fold in which a row is validated, test as holdout",
    "test": "test as holdout, folds made of the rest",
}


def preset_parts(rows: list[dict[str, str]], preset: str, where: str) -> list[str]:
    """Part of each row (train, val, holdout or a number), from column `split` of cohort.csv.

    Raises FoldwiseError where a row has no part that fits the preset, or a group stands in two.
    """
    parts = [part_of(row["split"]) for row in rows]
    if "" in parts:
        raise FoldwiseError(
            f"{where}: folds.preset is {preset}, but {parts.count('')} of {len(rows)} images have "
            "no part. Name the column in data.columns.split and fill it, or set folds.preset: null."
        )
    fitting = {"train", "val", HOLDOUT} if preset != "folds" else {HOLDOUT}
    odd = {part for part in parts if part not in fitting and part.isdigit() != (preset == "folds")}
    if odd:
        raise FoldwiseError(
            f"{where}: folds.preset is {preset} ({PRESETS[preset]}), but the split column says "
            f"'{min(odd)}'. Correct the column, or choose another preset."
        )
    if preset == "test":
        if HOLDOUT not in parts:
            raise FoldwiseError(
                f"{where}: folds.preset is test, but no image's part is test. Correct the split "
                "column, or set folds.preset: null and folds.holdout to a share of the patients."
            )
        # Folds are made of all the rest: which of it the table calls val decides nothing here.
        parts = [part if part == HOLDOUT else "train" for part in parts]
    _check_groups(rows, parts)
    return parts


def preset_folds(parts: list[str], n: int, where: str) -> list[str]:
    """Fold of each row for the presets `split` ("1" is val) and `folds`.

    Raises FoldwiseError where there is nothing to train on or to validate.
    """
    folds = ["1" if part == "val" else part for part in parts]
    numbers = sorted({int(fold) for fold in folds if fold.isdigit()})
    due = [1] if "val" in parts or not numbers else list(range(1, n + 1))
    if numbers != due:
        named = ", ".join(map(str, numbers)) or "nothing"
        raise FoldwiseError(
            f"{where}: the split column has {named} to validate, and {due[0]} to {due[-1]} are due "
            f"(folds.n is {n}). Correct the column or folds.n."
        )
    if "train" not in fold_parts(folds, "1"):
        raise FoldwiseError(f"{where}: the split column leaves nothing to train on.")
    return folds


def _check_groups(rows: list[dict[str, str]], parts: list[str]) -> None:
    folds_of: dict[str, set[str]] = {}
    for row, part in zip(rows, parts, strict=True):
        folds_of.setdefault(row["group"], set()).add(part)
    torn = sorted(group for group, own in folds_of.items() if len(own) > 1)
    if torn:
        named = ", ".join(torn[:5]) + (", ..." if len(torn) > 5 else "")
        raise FoldwiseError(
            f"The split column puts {plural(len(torn), 'group')} into two parts: {named}. Who that "
            "is stands in private/id_map.csv. Give each of them one part."
        )
