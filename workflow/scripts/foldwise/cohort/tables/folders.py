"""Two folders of equal names instead of a table: the rows that such a table would have.

Standard library only.
"""

import re
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

from foldwise.cohort.archive import Listing
from foldwise.cohort.tables.table import Row, Table
from foldwise.errors import FoldwiseError, plural

IMAGE, MASK, GROUP = "image", "mask", "patient_id"
MOST_NAMED = 6
SEVERAL = "?"  # no path: several masks could be meant


def table_of_folders(listing: Listing, root: str | Path, folders: dict[str, Any]) -> Table:
    """Rows (image, mask, patient_id) of files with equal names, but for the ending, in two folders.

    `folders`: image, mask (folders below the root), group (a regular expression whose first
    bracket, found in an image's name, is its group; None leaves groups empty). A mask without
    image becomes a row too. Raises FoldwiseError for folders without files and a bad expression.
    """
    images = _by_stem(listing, folders["image"])
    masks = _by_stem(listing, folders["mask"])
    for role, paths in (("image", images), ("mask", masks)):
        if not paths:
            raise FoldwiseError(
                f"data.table.folders.{role}: no file in {Path(root, folders[role])}. Name a folder "
                f"below data.root; there are: {_named(listing.folders)}."
            )
    pattern = _pattern(folders.get("group"))
    rows = []
    for stem in sorted({*images, *masks}):
        # A mask without its image gets the path that is missing, so that the audit names it.
        for path in sorted(images.get(stem, [])) or [f"{folders['image']}/{stem}"]:
            cells = (path, _mask(path, masks.get(stem, [])), _group(stem, pattern))
            names = (IMAGE, MASK, GROUP)
            rows.append(Row(len(rows) + 1, dict(zip(names, cells, strict=True))))
    return Table(f"the folders {folders['image']} and {folders['mask']}", names, tuple(rows))


def _named(folders: set[str]) -> str:
    """Folders for a message: a few words such as images and masks; never those of patients."""
    if len(folders) > MOST_NAMED or any(letter.isdigit() for name in folders for letter in name):
        return f"{plural(len(folders), 'folder')}, not named here since they may be patients"
    return ", ".join(sorted(folders)) or "none"


def _by_stem(listing: Listing, folder: str) -> dict[str, list[str]]:
    """Files of a folder by their path in it without ending."""
    top = PurePosixPath(folder).as_posix().strip("/") + "/"
    by_stem = defaultdict(list)
    for path in listing.files:
        if path.startswith(top):
            stem = PurePosixPath(path.removeprefix(top).removesuffix(".gz")).with_suffix("")
            by_stem[stem.as_posix()].append(path)
    return by_stem


def _mask(image: str, masks: list[str]) -> str:
    """The one mask, or that with the image's own ending; empty for none."""
    same = [path for path in masks if PurePosixPath(path).name == PurePosixPath(image).name]
    chosen = same or masks
    return SEVERAL if len(chosen) > 1 else "".join(chosen)


def _pattern(text: str | None) -> re.Pattern | None:
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise FoldwiseError(
            f"data.table.folders.group: '{text}' is no regular expression ({error})."
        ) from error
    if not pattern.groups:
        raise FoldwiseError(
            f"data.table.folders.group: '{text}' has no bracket. Put one around the part of the "
            "name that is the group, for example ^(.+)_tile for specimen3_tile07."
        )
    return pattern


def _group(stem: str, pattern: re.Pattern | None) -> str:
    match = pattern.search(PurePosixPath(stem).name) if pattern else None
    return (match[1] or "") if match else ""
