"""The cohort: table and archive joined into samples, before anything is decoded.

Writes `images.csv` (what to decode; no label), `labels.csv` (what may be analysed), `findings.csv`
and `flow.json`, none of which holds an identifying value or depends on the table's order, and the
private counterparts.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foldwise.cohort import resolve
from foldwise.cohort.archive import Entry, Inventory, Listing, locked
from foldwise.cohort.codes import Wanted
from foldwise.cohort.conflicts import Conflicts, settle_all
from foldwise.cohort.early_checks import EarlyChecks, check_early
from foldwise.cohort.files import Cohort, check, flow_of, place, to_decode, write
from foldwise.cohort.findings import Finding
from foldwise.cohort.groups import name_groups, note_single_images
from foldwise.cohort.headers import index_of
from foldwise.cohort.identity import Names, load_key
from foldwise.cohort.join import columns_of, repeated_rows
from foldwise.cohort.misfits import check_reader
from foldwise.cohort.missing import judge_missing
from foldwise.cohort.readers.base import Columns, Joined, Reader
from foldwise.cohort.resolve import Item, Ledger
from foldwise.cohort.tables.exclusions import IdList
from foldwise.cohort.tables.folders import table_of_folders
from foldwise.cohort.tables.labels import ClassScheme
from foldwise.cohort.tables.second_reader import check_second, with_second
from foldwise.cohort.tables.table import Table, TableSettings, read_table, without_na
from foldwise.errors import FoldwiseError

log = logging.getLogger("foldwise")


@dataclass(frozen=True)
class CohortSettings:
    """What a study says of its data (`data.*`), with its seed."""

    root: str
    table: TableSettings
    columns: Columns
    classes: dict[str, Any]
    heads: dict[str, dict[str, Any]]
    group: str
    match: str
    views: tuple[str, ...]
    subset: float | None
    exclusions: str | None
    splits: tuple[tuple[str, str], ...]
    conflicts: Conflicts
    max_quarantine: float
    wanted: Wanted
    seed: int
    early: EarlyChecks
    trains: bool  # a model that is only tried may meet no image of a class

    @classmethod
    def of(
        cls,
        data: dict[str, Any],
        seed: int,
        early: EarlyChecks | None = None,
        trains: bool = True,
    ) -> "CohortSettings":
        """From the branch `data` of a study, as its schema completes it."""
        return cls(
            root=data["root"],
            table=TableSettings(**data["table"]),
            columns=Columns(**data["columns"]),
            classes=data["classes"],
            heads=data["heads"],
            group=data["group"],
            match=data["match"],
            views=tuple(data["views"]),
            subset=data["subset"],
            exclusions=data["exclusions"],
            splits=tuple((name, path) for name, path in data["splits"].items() if path),
            conflicts=Conflicts(**data["conflicts"]),
            max_quarantine=data["max_quarantine"],
            wanted=Wanted(
                tuple(data["modalities"]),
                grey=data["colour"] == "quarantine",
                burned_in=data["burned_in"] == "allow",
            ),
            seed=seed,
            early=early or EarlyChecks(),
            trains=trains,
        )

    @property
    def scheme(self) -> ClassScheme:
        """How labels are read; letters and numbers mean the same in a table of paths."""
        one = ClassScheme.of(self.classes, letters=self.table.format == "paths")
        heads = {
            f"label_{head}": ClassScheme.of(own, place=f"data.heads.{head}")
            for head, own in self.heads.items()
        }
        return replace(one, columns=heads)


def make_cohort(
    settings: CohortSettings,
    reader: Reader,
    study: str | Path,
    private: str | Path,
    lists: str | Path,
    threads: int = 2,
) -> dict[str, Any]:
    """Make the cohort of a study and return its flow (what `flow.json` holds).

    `study` is results/<study>, `private` results/private, `lists` results/cache/<key>/lists.
    Raises FoldwiseError for a missing or unusable table or archive, a refused conflict, a class
    without an image, more in quarantine than `max_quarantine`, and what `check_early` finds.
    """
    study, private = Path(study), Path(private)
    names = Names(load_key(private))
    folders = settings.table.format == "folders"
    table = None if folders else read_table(settings.table)
    archive = Inventory(settings.root, reader.kind, private)
    table = table or table_of_folders(archive.listing, settings.root, settings.table.folders)
    second = settings.columns.second
    # Studies of one archive share its inventory: two that start at once read it once.
    with locked(private / f"archive_{archive.key}.lock"):
        findings = []
        if settings.match == "header":
            files = [p for p in archive.listing.files if reader.accepts(Path(archive.root, p))]
            headers = archive.read(files, reader.facts, threads, _progress)
            findings = by_header(settings, table, archive.listing, headers, names)
        joined = join(settings, reader, table, archive.listing, names)
        joined = with_second(joined, table, second, joined.scheme or settings.scheme)
        wanted = (path for one in joined.matched for path in one.files)
        entries = archive.read(wanted, reader.facts, threads, _progress)
        items = resolve.items_of(joined.matched, entries, names, settings.views)
        findings += joined.findings + _settle(items, joined, settings, names, study)
        check(items, findings, settings, joined.scheme or settings.scheme, study)
        check_second(items, second)
        places = place(items, archive, private, Path(lists), names)
        # Last, when all is known, and still before the hours that decoding takes.
        check_early(to_decode(items), places, Path(lists).parent, settings.early)
    flow = flow_of(items, findings, len(table.rows), archive, settings.group)
    columns = (*joined.label_columns, *joined.extra_columns)
    write(Cohort(items, findings, columns, places, flow, table.path), study)
    log.info("Cohort: %d images, %d files read anew.", flow["usable"], archive.read_now)
    return flow


def by_header(
    settings: CohortSettings,
    table: Table,
    listing: Listing,
    headers: dict[str, Entry],
    names: Names,
) -> list[Finding]:
    """Let the listing give files by what their headers say; findings on files that say nothing.

    Raises FoldwiseError for a table whose rows are no exams, and when no id is in a header.
    """
    if settings.table.format != "accession":
        raise FoldwiseError(
            "data.match is header, by which a table's ids find their images, but "
            f"data.table.format is {settings.table.format}. Set it to accession."
        )
    column = columns_of(table, "accession", settings.columns).accession
    ids = {without_na(row.get(column)) for row in table.rows} - {""}
    index = index_of(ids, headers, names)
    listing.by_header = index.folders
    log.info("Archive: images are found by the %s of their headers.", index.attribute)
    return index.findings


def join(
    settings: CohortSettings, reader: Reader, table: Table, listing: Listing, names: Names
) -> Joined:
    """Rows and files joined by the study's reader. Raises FoldwiseError when none fit."""
    joined = reader.rows(table, listing, settings.table.format, settings.columns, names)
    if not joined.matched:
        check_reader(reader.kind.split()[0], reader.accepts, listing)
    return joined


def _progress(done: int, number: int) -> None:
    log.info("Archive: %d of %d new files read.", done, number)


def _split_lists(settings: CohortSettings) -> dict[str, IdList]:
    return {part: IdList(path, f"data.splits.{part}") for part, path in settings.splits}


def _settle(
    items: list[Item],
    joined: Joined,
    settings: CohortSettings,
    names: Names,
    study: Path,
) -> list[Finding]:
    """Apply all rules in turn: what is left out on purpose first, then faults and conflicts."""
    ledger, scheme = Ledger(), joined.scheme or settings.scheme
    excluded = IdList(settings.exclusions, "data.exclusions", reasons=True)
    resolve.apply_exclusions(items, ledger, excluded)
    judge_missing(joined.missing, ledger, scheme, excluded, names)
    resolve.apply_splits(items, _split_lists(settings))
    resolve.check_faults(items, ledger)
    resolve.apply_views(items, ledger, settings.views)
    resolve.apply_labels(items, ledger, scheme)
    resolve.apply_texts(items, ledger)
    by_folder = settings.match == "folder"
    resolve.check_headers(items, ledger, settings.wanted, by_folder)
    name_groups(items, ledger, names, settings.group, settings.conflicts.spellings)
    settle_all(items, settings.conflicts, ledger, study)
    # After faults and conflicts: a subset is drawn of what can be used, or it would come out small.
    resolve.draw_subset(items, ledger, settings.subset, settings.seed)
    note_single_images(items, ledger, names, settings.group)
    notes = repeated_rows([item.matched for item in items], names)
    return ledger.findings + notes + excluded.unused(names)
