"""The texts of new images, for models that read one with each image."""

from collections.abc import Sequence
from pathlib import Path

from foldwise.bundle.sources import Image
from foldwise.cohort.readers.text import text_of
from foldwise.cohort.tables.table import Table, TableSettings, read_table
from foldwise.errors import FoldwiseError, plural

OPTION, FILE = "--texts", "file"

Texts = dict[str, dict[str, str]]


def texts_of(images: Sequence[Image], path: str | Path | None) -> Texts:
    """Sample -> its texts by column, of the images that have any.

    Read as a study reads its table, so that equal cells are equal inputs. Raises FoldwiseError for
    a table that is none, or is of none of these images.
    """
    if path is None:
        raise FoldwiseError(
            f"The bundle's models read a text with each image. Give {OPTION} table.csv with a "
            f"column `{FILE}` (the image's name) and columns of texts."
        )
    table = read_table(TableSettings.of_images(str(path), key=OPTION))
    _check(table, images)
    cells = {Path(row.get(FILE)).name: row.cells for row in table.rows}
    texts = {one.sample: _texts(cells.get(one.files[0].name, {})) for one in images}
    texts = {sample: own for sample, own in texts.items() if any(own.values())}
    if not texts:
        raise FoldwiseError(
            f"{path} ({OPTION}): none of {plural(len(images), 'image')} has a text there, by the "
            f"file names in its column `{FILE}`. Correct the names, or name another table."
        )
    return texts


def _check(table: Table, images: Sequence[Image]) -> None:
    """Refuse a table by which an image's text cannot be told."""
    if FILE not in table.columns:
        raise FoldwiseError(
            f"{table.path} ({OPTION}): no column `{FILE}`, the image's name.{table.listed(FILE)}"
        )
    if len(table.columns) == 1:
        raise FoldwiseError(
            f"{table.path} ({OPTION}): no column beside `{FILE}`. Put the texts into others."
        )
    if table.ragged:
        raise FoldwiseError(
            f"{table.path} ({OPTION}): {plural(len(table.ragged), 'row')} of another number of "
            f"cells than the header, the first in line {table.ragged[0]}. Put a text that holds "
            "the separator into quotes."
        )
    # A name that two images or two rows share would give one patient's text to another.
    for what, names in (
        ("images", [one.files[0].name for one in images]),
        (f"rows of {table.path}", [Path(row.get(FILE)).name for row in table.rows]),
    ):
        if twice := len(names) - len(set(names)):
            raise FoldwiseError(
                f"{what}: {plural(twice, 'file name')} more than once, so that texts cannot be "
                "told apart by name. Predict one folder at a time, each with its own table."
            )


def _texts(cells: dict[str, str]) -> dict[str, str]:
    return {name: text_of(cell) for name, cell in cells.items() if name != FILE}
