"""Images with a mask each: rows of a table with two paths, or two folders of equal names."""

from dataclasses import replace
from pathlib import Path

from foldwise.cohort.archive import Listing
from foldwise.cohort.identity import Names
from foldwise.cohort.join import USUAL, by_path, columns_of_roles, relative
from foldwise.cohort.readers.base import Columns, Joined, Matched, Missing
from foldwise.cohort.readers.images import Reader as Images
from foldwise.cohort.tables.folders import SEVERAL
from foldwise.cohort.tables.naming import Spelling
from foldwise.cohort.tables.table import Table
from foldwise.errors import FoldwiseError
from foldwise.pixels.nifti import is_nifti

# Names that a column has if the study names none.
WITH_MASKS = USUAL | {"image": ("image", "image_path"), "mask": ("mask", "mask_path")}


class Reader(Images):
    """Reads plain images with masks. A label is not needed; one that is named is kept."""

    kind = "pairs 1"

    def accepts(self, path: Path) -> bool:
        """By the file's ending."""
        return is_nifti(path) or super().accepts(path)

    def rows(
        self, table: Table, listing: Listing, layout: str, stated: Columns, names: Names
    ) -> Joined:
        """Join by image file, then each image with its mask. FoldwiseError for other layouts."""
        if layout not in ("paths", "folders"):
            raise FoldwiseError(
                f"data.table.format: '{layout}' names no masks. Take paths (a column with the "
                "image's path and one with the mask's) or folders (equal names in two folders)."
            )
        columns = columns_of_roles(table, stated, WITH_MASKS, needed=("image", "mask"))
        joined = by_path(table, listing, columns, names)
        spelling = Spelling(listing.files)
        matched: list[Matched] = []
        missing = [
            replace(one, reason="no_image" if one.reason == "no_file" else one.reason)
            for one in joined.missing
        ]
        for one in joined.matched:
            # A set over all rows of an image: two rows that name one mask are no contradiction.
            masks = {spelling.of(relative(row.get(columns.mask), listing.root)) for row in one.rows}
            reason = _fault(masks, listing)
            if reason:
                missing.append(Missing(one.files[0], one.rows, one.labels, reason))
            else:
                matched.append(replace(one, files=(*one.files, *masks)))
        labels = ("label",) if columns.label else ()
        if not labels:
            matched = [replace(one, labels=({},) * len(one.rows)) for one in matched]
            missing = [replace(one, labels=({},)) for one in missing]
        return Joined(matched, missing, joined.findings, labels)


def _fault(masks: set[str], listing: Listing) -> str:
    """Why an image has not the one mask that it needs; empty if it has."""
    if len(masks) > 1 or SEVERAL in masks:
        return "two_masks"
    return "" if masks <= set(listing.files) else "no_mask"
