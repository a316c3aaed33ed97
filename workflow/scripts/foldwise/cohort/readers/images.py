"""Plain image files: PNG, JPEG, TIFF, PGM. They say nothing of patients; the table must."""

from pathlib import Path

from foldwise.cohort.archive import HeaderFacts, Listing
from foldwise.cohort.identity import Names
from foldwise.cohort.join import by_layout
from foldwise.cohort.readers.base import Columns, Joined, ReadFault
from foldwise.cohort.tables.table import Table

ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pgm"}


class Reader:
    """Reads plain images. A table may name files or, as accessions, folders."""

    kind = "images 1"

    def accepts(self, path: Path) -> bool:
        """By the file's ending."""
        return path.suffix.lower() in ENDINGS

    def facts(self, path: Path) -> HeaderFacts:
        """Nothing; a plain image's metadata is not trusted. Raises ReadFault for an empty file."""
        # All else is seen when it is decoded; this costs nothing, and says so before.
        if path.stat().st_size == 0:
            raise ReadFault("empty")
        return HeaderFacts()

    def rows(
        self, table: Table, listing: Listing, layout: str, stated: Columns, names: Names
    ) -> Joined:
        """Join by file or by folder, as the table's layout says."""
        return by_layout(table, listing, layout, stated, names, self.accepts)
