"""Which images are decoded together, and where their files lie.

A shard is a list of contents that never changes: an image that a list holds is never given to
another, so one more patient means one more small list and nothing decoded twice.
"""

import itertools
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from foldwise.cohort.archive import locked
from foldwise.cohort.identity import write_private
from foldwise.errors import FoldwiseError
from foldwise.files import listed, read_json, write_text
from foldwise.hashing import digest

# Small enough that one more patient costs little, large enough to be read quickly; at least
# four where they can be, so that several processors decode.
FEWEST, MOST, PARALLEL = 16, 256, 4


def split_evenly(contents: list[str]) -> list[list[str]]:
    """Sorted contents cut into lists of 16-256, at least four where there are enough of them."""
    number = max(math.ceil(len(contents) / MOST), min(PARALLEL, len(contents) // FEWEST), 1)
    ordered = sorted(contents)
    edges = [len(ordered) * part // number for part in range(number + 1)]
    return [ordered[start:end] for start, end in itertools.pairwise(edges) if end > start]


def read_lists(folder: Path) -> dict[str, list[str]]:
    """All lists of a cache: shard -> contents; one that does not match its name is passed over."""
    lists = {}
    for path in listed(folder, "*.txt"):
        contents = path.read_text(encoding="ascii").split()
        # A list is named by its content: one that was edited is not obeyed.
        if path.stem == digest(contents):
            lists[path.stem] = contents
    return lists


def read_list(folder: str | Path, shard: str) -> list[str]:
    """Contents of one shard. Raises FoldwiseError if its list is gone or was changed."""
    path = Path(folder, f"{shard}.txt")
    contents = path.read_text(encoding="ascii").split() if path.exists() else []
    if digest(contents) != shard:
        raise FoldwiseError(
            f"{path} is missing or changed. Run `snakemake --forcerun cohort`: it writes the list "
            "anew."
        )
    return contents


def assign(
    contents: Iterable[str], folder: Path, reachable: Iterable[str]
) -> dict[str, tuple[str, int]]:
    """Content -> (shard, row in it), with lists written to `folder` for contents that have none.

    A list counts if its shard was made or could be: all its contents are `reachable`.
    """
    wanted, there = set(contents), set(reachable)
    with locked(folder / ".lock"):
        lists = {
            shard: own
            for shard, own in read_lists(folder).items()
            # A list of which an archive lost an image could never be made whole: it is left alone.
            if (folder.parent / f"{shard}.json").exists() or there.issuperset(own)
        }
        cached = {content for own in lists.values() for content in own}
        for part in split_evenly(sorted(wanted - cached)) if wanted - cached else []:
            lists[digest(part)] = part
            write_text(folder / f"{digest(part)}.txt", "".join(f"{name}\n" for name in part))
    places: dict[str, tuple[str, int]] = {}
    # Sorted: where two lists hold a content, every study takes the same.
    for shard, own in sorted(lists.items()):
        for row, content in enumerate(own):
            if content in wanted:
                places.setdefault(content, (shard, row))
    return places


def write_locations(folder: Path, key: str, root: str, files: dict[str, tuple[str, ...]]) -> None:
    """Write the private list content -> files (relative to `root`) of one archive."""
    path = folder / "locations" / f"{key}.json"
    write_private(path, json.dumps({"root": root, "files": files}, sort_keys=True) + "\n")


def read_locations(folder: str | Path) -> dict[str, dict[str, Any]]:
    """All archives' lists by key: root, files (content -> paths relative to the root)."""
    paths = listed(Path(folder) / "locations", "*.json")
    return {path.stem: read_json(path) for path in paths}


def locate(folder: str | Path, contents: Iterable[str]) -> dict[str, list[Path]]:
    """Files of each content, of any archive that holds it and is there now.

    Raises FoldwiseError, naming no file, when some are nowhere: a shard is never made in part.
    """
    wanted = list(contents)
    files_of: dict[str, list[Path]] = {}
    for record in read_locations(folder).values():
        for content in wanted:
            own = [Path(record["root"], name) for name in record["files"].get(content, ())]
            if own and content not in files_of and all(one.exists() for one in own):
                files_of[content] = own
    missing = len(set(wanted) - set(files_of))
    if missing:
        raise FoldwiseError(
            f"{missing} of {len(wanted)} images of this cache shard are in no archive any more. "
            "Put the archive back (data.root), or delete the shard's list and run again."
        )
    return files_of
