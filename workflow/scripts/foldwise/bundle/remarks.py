"""What a reader of predictions should see at an image: lost colour, and the training's own."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.bundle.overlap import COMPARED, compared, counted, in_words, picture_names
from foldwise.errors import plural
from foldwise.pixels.prepared import IN_COLOUR
from foldwise.settings.shared_key import read_shared_key
from foldwise.train.job import FoldJob

log = logging.getLogger("foldwise")
KEY_OPTION = "--pixel-key"


def note_colour(table: list[dict[str, str]], rows: Sequence[Mapping[str, Any]]) -> None:
    """Mark answers on pictures in colour, where grey ones were learned: they were made grey."""
    coloured = {row["sample"] for row in rows if row["facts"].get(IN_COLOUR)}
    _mark(table, "note", coloured, "in colour", "")
    if coloured:
        log.warning(
            "%s in colour, and the models read grey: they are made grey, as in training, and "
            "marked in the column `note`. Look at them before you believe the answers.",
            plural(len(coloured), "image"),
        )


def note_training(
    table: list[dict[str, str]], job: FoldJob, manifest: Mapping[str, Any], key: str | None
) -> dict[str, Any]:
    """Mark pictures that the training had, pixel for pixel, and say what can be known of it.

    key: the file of the key that sites share; without it nothing is compared.
    """
    rows, names = job.rows["holdout"], None
    if key is not None:
        places, channels = job.images.places(rows), job.params["image"]["channels"]
        shared = read_shared_key(key, KEY_OPTION)
        names = picture_names(job.images, places, channels, shared)
    state, same = compared(manifest, names)
    if state != COMPARED:
        log.info("%s", in_words({"state": state}, manifest["group_by"], KEY_OPTION))
        return {"state": state}
    learned = {row["sample"] for row, own in zip(rows, same, strict=True) if own}
    _mark(table, "in_training", learned, "yes", "no")
    if learned:
        log.warning(
            "The training had %d of %s too, pixel for pixel, and the models have seen the answer: "
            "see the column `in_training`.",
            len(learned),
            plural(len(table), "image"),
        )
    # Of groups nothing is known here.
    overlap = counted(state, same, [])
    return {name: overlap[name] for name in ("state", "n", "same")}


def _mark(
    table: list[dict[str, str]], column: str, samples: set[str], of_these: str, of_others: str
) -> None:
    """Write a column that says which rows are of `samples`."""
    for row in table:
        row[column] = of_these if row["sample"] in samples else of_others
