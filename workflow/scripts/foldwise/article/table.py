"""A table of an article: cells are looked-up numbers; written in three formats."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.article.study import shown
from foldwise.files import write_text
from foldwise.report.ledger import Number, Source

# Characters that the space around a cell takes, in the widest of the formats' types.
SPACE = 9
# What a row is called may break between words.
MOST_OF_NAMES = 20


@dataclass(frozen=True)
class Table:
    """Cells are numbers of the ledger, text, or lists of both that are joined."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def text(self) -> list[list[str]]:
        """The rows as plain text."""
        return [[_text(cell) for cell in row] for row in self.rows]

    def widths(self) -> list[int]:
        """Characters that each column needs: a page gives each its share of their sum."""
        rows = self.text()
        columns = [[row[place] for row in rows] for place in range(len(self.header))]
        # A header has two lines where it needs them.
        heads = [max(len(name) // 2, *map(len, [*name.split(), ""])) for name in self.header]
        named = zip(heads, columns, strict=True)
        first, *others = [max(head, *map(len, [*cells, ""])) + SPACE for head, cells in named]
        return [min(first, MOST_OF_NAMES + SPACE), *others]


def _text(cell: Any) -> str:
    return "".join(map(_text, cell)) if isinstance(cell, list | tuple) else shown(cell)


def span(bounds: list[Number]) -> list[Any]:
    """An interval in a cell; a dash where there is none."""
    return [bounds[0], " to ", bounds[1]] if bounds else ["–"]


def cell(source: Source, at: tuple[Any, ...], form: str) -> Any:
    """A value with its interval; a dash where the file says that it is not defined."""
    if source.value(*at) is not None and source.value(*at, "value") is None:
        return "–"
    value, bounds = source(*at, "value", form=form), source.interval(*at, "interval", form=form)
    return [value, " (", *span(bounds), ")"] if bounds else value


def write_table(table: Table, folder: Path, name: str) -> None:
    """`<name>.csv`, `<name>.md` and `<name>.tex` in `folder`."""
    # Here, since a dry run reads this module's neighbours and must not wait for pandas.
    import pandas

    frame = pandas.DataFrame(table.text(), columns=list(table.header))
    # One line ending on every system: equal tables are equal bytes.
    write_text(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
    write_text(folder / f"{name}.tex", frame.to_latex(index=False, escape=True))
    lines = [table.header, ["---"] * len(table.header), *table.text()]
    rows = [
        # A bar in the name of a class would end its cell.
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |"
        for line in lines
    ]
    write_text(folder / f"{name}.md", "\n".join(rows) + f"\n\nTable: {table.caption}\n")
