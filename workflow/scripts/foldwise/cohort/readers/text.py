"""Plain images with texts: one or several columns of text, one or several labels a row."""

from dataclasses import replace
from typing import ClassVar

from foldwise.cohort.archive import Listing
from foldwise.cohort.identity import Names
from foldwise.cohort.join import by_path
from foldwise.cohort.readers import images
from foldwise.cohort.readers.base import Columns, Joined, Matched
from foldwise.cohort.tables.table import Row, Table, without_na
from foldwise.errors import FoldwiseError


class Reader(images.Reader):
    """Reads plain images; a row names a file, its texts and its labels."""

    usual: ClassVar[Columns] = Columns(image="image")

    def rows(
        self, table: Table, listing: Listing, layout: str, stated: Columns, names: Names
    ) -> Joined:
        """Join by file; each named text and label of a row belongs to its image."""
        columns = columns_of(table, stated, self.usual)
        joined = by_path(table, listing, columns, names)
        labelled = [self.labelled(one, columns) for one in joined.matched]
        missing = [replace(one, labels=labels_of(one.rows, columns)) for one in joined.missing]
        heads = tuple(f"label_{head}" for head in columns.heads)
        return replace(joined, matched=labelled, missing=missing, label_columns=heads)

    def labelled(self, one: Matched, columns: Columns) -> Matched:
        """An image with the labels of its rows and the texts of the first."""
        texts = {name: text_of(one.rows[0].get(name)) for name in columns.texts}
        return replace(one, labels=labels_of(one.rows, columns), texts=texts)


def columns_of(table: Table, stated: Columns, usual: Columns) -> Columns:
    """The stated columns, else the usual ones. Raises FoldwiseError for one that is not there."""
    filled = Columns(**{r: getattr(stated, r) or value for r, value in vars(usual).items()})
    if not filled.heads:
        raise FoldwiseError("data.columns.heads: no label named. Write `{modality: column, ...}`.")
    table.need({role: name for role, name in vars(filled).items() if isinstance(name, str)})
    table.need({f"texts.{number}": name for number, name in enumerate(filled.texts)})
    table.need({f"heads.{head}": name for head, name in filled.heads.items()})
    return filled


def labels_of(rows: tuple[Row, ...], columns: Columns) -> tuple[dict[str, str], ...]:
    """One dict a row: `label_<head>` -> raw value."""
    return tuple(
        {f"label_{head}": row.get(name) for head, name in columns.heads.items()} for row in rows
    )


def text_of(cell: str) -> str:
    """A cell as one line of text; empty for what says that there is none."""
    return without_na(" ".join(cell.split()))
