"""Preset parts as a table names them, in one spelling."""

from foldwise.errors import FoldwiseError

PARTS = {
    "train": ("train", "training", "tr"),
    "val": ("val", "valid", "validation", "dev"),
    "holdout": ("test", "testing", "holdout", "hold-out", "ts"),
}
SPELLINGS = {spelling: part for part, spellings in PARTS.items() for spelling in spellings}


def part_of(text: str) -> str:
    """train, val, holdout, a fold's number as text, or empty for anything else."""
    word = text.strip().lower()
    # Up to two digits: a longer number in such a column is an id, and of a patient maybe.
    return SPELLINGS.get(word, word if word.isdigit() and len(word) <= 2 else "")


def check_split(values: tuple[str, ...], line: int, table: str) -> str:
    """The one part that a sample's rows name; empty if they name none.

    Raises FoldwiseError, naming the line and not the value: a wrong column may hold anything.
    """
    parts = {part_of(value) for value in values}
    if "" in parts:
        raise FoldwiseError(
            f"{table}, line {line}: data.columns.split holds a value that is none of train, val, "
            "test or a fold's number. Correct it, or name another column."
        )
    if len(parts) > 1:
        raise FoldwiseError(
            f"{table}, line {line}: an image stands in two parts ({', '.join(sorted(parts))}). "
            "Keep one row of it."
        )
    return next(iter(parts), "")
