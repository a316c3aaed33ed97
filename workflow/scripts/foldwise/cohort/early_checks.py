"""What a later rule would stop at, told while nothing expensive has started.

Decoders for the encodings of the archive, room for the decoded images, and enough groups of each
class for the folds: all follow from the cohort, before the first image is decoded.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from foldwise.cohort.resolve import Item
from foldwise.disk import require as require_room
from foldwise.folds.checks import check_possible
from foldwise.folds.groups import CLASS, group_rows
from foldwise.settings.folds import FoldSettings


@dataclass(frozen=True)
class EarlyChecks:
    """What later rules will ask: bytes of a decoded image, and the folds (None: not checked)."""

    image_bytes: int = 0
    folds: FoldSettings | None = None


def check_early(
    items: list[Item], places: dict[str, tuple[str, int]], cache: Path, early: EarlyChecks
) -> None:
    """Raise FoldwiseError for folds that cannot be, a missing decoder, or too little room.

    `items` are those to decode, `places` keyed content -> (shard, row), `cache` the folder of
    shards.
    """
    # A preset has its folds already: there is nothing to be possible or not.
    if early.folds is not None and not early.folds.preset:
        check_folds([item for item in items if item.usable], early.folds)
    # Only what is still to be decoded: a cache that is there needs neither codec nor room.
    lacking = [item for item in items if not _made(cache, places[item.keyed][0])]
    check_decoders(lacking)
    require_room(
        cache,
        len(lacking) * early.image_bytes,
        f"{len(lacking)} images to decode",
        "Free some, lower image.size, or move results/ to a larger disk and put a link in its "
        "place.",
    )


def _made(cache: Path, shard: str) -> bool:
    return all((cache / f"{shard}{ending}").exists() for ending in (".json", ".npy"))


def check_folds(items: list[Item], settings: FoldSettings) -> None:
    """Raise FoldwiseError when a class has too few groups for the folds, whatever decoding says."""
    rows = [{"group": item.group, "content": item.content} | item.labels for item in items]
    # `bins` cut the column of `strata`, of which nothing may be known before decoding.
    bins = settings.bins if settings.strata == CLASS else None
    check_possible(group_rows(rows, CLASS, bins), list(settings.shares), settings)


def check_decoders(items: list[Item]) -> None:
    """Raise FoldwiseError when files of `items` are in an encoding that nothing here reads."""
    stated = (entry.facts.syntax for item in items for entry in item.entries)
    syntaxes = Counter(syntax for syntax in stated if syntax)
    if syntaxes:
        from foldwise.pixels.dicom.health import require  # late: it imports the codecs

        require(syntaxes)
