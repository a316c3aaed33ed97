"""What a reader is: it knows which files are its own, what their headers say, how rows meet files.

A study's reader is named in its settings and found by `foldwise.registry`. Adding one means one
module with a class `Reader` and one line in the registry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from foldwise.cohort.archive import HeaderFacts, Listing
from foldwise.cohort.findings import Finding
from foldwise.cohort.identity import Names
from foldwise.cohort.tables.labels import ClassScheme
from foldwise.cohort.tables.table import Row, Table


class ReadFault(Exception):
    """A file that cannot be used; `reason` is one of `foldwise.cohort.findings.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Columns:
    """Names of the table's columns by role; None where a role has no column.

    `texts` are inputs; `heads` holds the column of each label where there are several; `second`
    that of a second reader's label, by label; `subgroups` are read by a rule of their own.
    """

    accession: str | None = None
    image: str | None = None
    mask: str | None = None
    label: str | None = None
    patient: str | None = None
    view: str | None = None
    side: str | None = None
    date: str | None = None
    split: str | None = None
    stratum: str | None = None
    zones: tuple[str, ...] = ()
    texts: Sequence[str] = ()
    heads: Mapping[str, str] = field(default_factory=dict)
    second: Mapping[str, str] = field(default_factory=dict)
    subgroups: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Matched:
    """One image (or image and mask) of the study: its files and the table's rows on it.

    `labels` holds one dict a row: cohort column -> raw value; an empty value is a missing label, so
    a reader for which empty has a meaning writes that out. `patients`, and `given` (view, side),
    come from the table or the path and win over the header; `patients` is None where nothing but
    the header tells them, and empty where the table should and does not. `extra` holds other cohort
    columns, which follow from the labels and by which folds may be stratified. `texts`: column ->
    text, an input. `date` is of the first row's label.
    """

    files: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    accession: str = ""
    labels: tuple[dict[str, str], ...] = ()
    given: dict[str, str] = field(default_factory=dict)
    patients: tuple[str, ...] | None = None
    split: tuple[str, ...] = ()
    stratum: str = ""
    date: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Missing:
    """Rows of one identity (accession or path) without an image, and why."""

    identity: str
    rows: tuple[Row, ...]
    labels: tuple[dict[str, str], ...]
    reason: str


@dataclass(frozen=True)
class Joined:
    """Images that rows and files agree on, rows without an image, and other findings.

    `scheme` is how labels are read where the reader knows that better than `data.classes`.
    """

    matched: list[Matched]
    missing: list[Missing]
    findings: list[Finding]
    label_columns: tuple[str, ...] = ("label",)
    extra_columns: tuple[str, ...] = ()
    scheme: ClassScheme | None = None


class Reader(Protocol):
    """The interface of a reader. `kind` names its facts: change it when `facts` tells more."""

    kind: str

    def accepts(self, path: Path) -> bool:
        """Whether a file is meant to be an image of this kind, sound or not."""
        ...

    def facts(self, path: Path) -> HeaderFacts:
        """What the header says. Raises an error with `reason`."""
        ...

    def rows(
        self, table: Table, listing: Listing, layout: str, stated: Columns, names: Names
    ) -> Joined:
        """Join table and archive; `layout` is the table's format, `stated` its columns' names."""
        ...
