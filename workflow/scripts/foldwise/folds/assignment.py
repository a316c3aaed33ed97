"""The assignment of last time, so that patients keep their fold when others are added.

`private/assignment.csv` is no declared output: Snakemake neither deletes it nor asks for it. It
holds the digest of the settings it was made with; with other settings everything starts anew. It
knows images by their plain content, so that patients keep their folds under another key too.
"""

from pathlib import Path

import numpy as np

from foldwise.files import private_folder, read_csv, write_csv
from foldwise.folds.groups import Groups

COLUMNS = ["settings", "group", "content", "fold"]


def _path(folder: Path) -> Path:
    return folder / "private" / "assignment.csv"


def _public(folder: Path) -> Path:
    """Where earlier versions left it; plain contents do not stand there any more."""
    return folder / "assignment.csv"


def earlier_parts(folder: Path, settings: str, groups: Groups, names: list[str]) -> np.ndarray:
    """Part of each group last time, -1 for new ones, (groups,).

    A group is known by its name or, after a change of names, by its first known content.
    """
    none = np.full(len(groups.names), -1)
    path = next((one for one in (_path(folder), _public(folder)) if one.exists()), None)
    if path is None:
        return none
    rows = [row for row in read_csv(path) if row.get("settings") == settings]
    place = {name: number for number, name in enumerate(names)}
    by_group = {row["group"]: place.get(row["fold"], -1) for row in rows}
    by_content = {row["content"]: place.get(row["fold"], -1) for row in rows}
    for number, (name, contents) in enumerate(zip(groups.names, groups.contents, strict=True)):
        remembered = (by_content[content] for content in contents if content in by_content)
        none[number] = by_group.get(name, next(remembered, -1))
    return none


def save_parts(folder: Path, settings: str, groups: Groups, folds: list[str]) -> None:
    """Remember the fold of each group and content."""
    rows = [
        {"settings": settings, "group": name, "content": content, "fold": fold}
        for name, contents, fold in zip(groups.names, groups.contents, folds, strict=True)
        for content in contents
    ]
    # Private: a plain content could be tried against files that somebody holds.
    private_folder(_path(folder).parent)
    write_csv(_path(folder), COLUMNS, rows)
    _public(folder).unlink(missing_ok=True)
