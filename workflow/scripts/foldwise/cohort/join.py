"""Where the table meets the archive: rows that name folders, rows that name files."""

import os
import posixpath
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from foldwise.cohort.archive import Listing
from foldwise.cohort.findings import LEFT_OUT, NOTE, QUARANTINE, Finding
from foldwise.cohort.identity import Names
from foldwise.cohort.misfits import check_fit, check_root
from foldwise.cohort.readers.base import Columns, Joined, Matched, Missing
from foldwise.cohort.tables.naming import Spelling, ZeroPadded
from foldwise.cohort.tables.table import Row, Table, without_na
from foldwise.errors import FoldwiseError
from foldwise.hashing import digest

LABEL_COLUMNS = ("density_label", "label", "y", "professional_label")
# Names that a column of a path table has where the study names none, the first that is there.
USUAL = {
    "image": ("image_path", "image"),
    "patient": ("patient_id",),
    "accession": ("accession",),
    "view": ("view",),
}


def columns_of(table: Table, layout: str, stated: Columns) -> Columns:
    """Columns to use: the stated ones, else the layout's own. Raises FoldwiseError if one lacks."""
    _need(table, stated)
    if layout == "accession":
        filled = replace(
            stated,
            accession=stated.accession or "AccessionNumber",
            label=stated.label or "Classification",
        )
        table.need({"accession": filled.accession, "label": filled.label})
        return filled
    filled = columns_of_roles(table, stated, USUAL)
    return replace(filled, label=stated.label or _label(table))


def _label(table: Table) -> str:
    there = [name for name in LABEL_COLUMNS if name in table.columns]
    if len(there) == 1:
        return there[0]
    fault = "no label column" if not there else f"several label columns ({', '.join(there)})"
    shown = table.listed("" if there else "label")
    raise FoldwiseError(f"{table.path}: {fault}. Name it in data.columns.label.{shown}")


def columns_of_roles(
    table: Table,
    stated: Columns,
    usual: dict[str, tuple[str, ...]],
    needed: tuple[str, ...] = ("image",),
) -> Columns:
    """The stated columns and, of roles that are not, the first usual name that is there.

    Raises FoldwiseError for a stated column that is not there, and for a role of `needed` without.
    """
    _need(table, stated)
    there = {role: [n for n in names if n in table.columns] for role, names in usual.items()}
    filled = {role: getattr(stated, role) or next(iter(n), None) for role, n in there.items()}
    for role in needed:
        if not filled[role] and role == "image" and stated.accession:
            raise FoldwiseError(
                f"{table.path}: data.columns.accession is {stated.accession}, and the table's "
                "format takes a row for an image file. Set data.table.format: accession if a row "
                "is an exam, or name the column with the files in data.columns.image."
            )
        if not filled[role]:
            shown = table.listed(usual[role][0])
            raise FoldwiseError(
                f"{table.path}: no {role} column. Name it in data.columns.{role}.{shown}"
            )
    return replace(stated, **filled)


def _need(table: Table, stated: Columns) -> None:
    table.need({role: name for role, name in vars(stated).items() if isinstance(name, str)})


def by_layout(
    table: Table,
    listing: Listing,
    layout: str,
    stated: Columns,
    names: Names,
    accepts: Callable[[Path], bool],
) -> Joined:
    """Join as the table's layout says: by accession folder, by `featureS.txt`, or by file.

    `accepts` tells whether a file of an accession is meant to be an image.
    """
    columns = columns_of(table, layout, stated)
    if layout == "accession":
        return by_accession(
            table, listing, lambda path: accepts(listing.root / path), columns, names
        )
    join = by_folder if layout == "feature_s" else by_path
    return join(table, listing, columns, names)


def by_accession(
    table: Table,
    listing: Listing,
    accepts: Callable[[Path], bool],
    columns: Columns,
    names: Names,
) -> Joined:
    """A row is an accession, an accession is a folder: all its images get the row's label.

    A number that lost its leading zeros finds its folder (3772 -> 003772) where one alone is meant.
    """
    folders, findings = listing.within(), []
    spelling, padded, rows = Spelling(folders), ZeroPadded(folders), defaultdict(list)
    for row in table.rows:
        # Spelling before zeros: a folder that is called exactly so wins over one that is padded.
        rows[padded.of(spelling.of(without_na(row.get(columns.accession))))].append(row)
    findings += _without_id(rows.pop("", []), "no_accession", names)
    matched, missing = [], []
    for accession, own in sorted(rows.items()):
        images = [path for path in folders.get(accession, []) if accepts(listing.root / path)]
        matched += [_matched((path,), own, columns, accession) for path in images]
        # What cannot be listed may hold images: such a row is not one of an empty folder.
        barred = _barred(accession, listing)
        if barred or not images:
            nothing = "empty_folder" if accession in folders else "no_folder"
            nothing = "several_folders" if padded.several(accession) else nothing
            reason = "unreadable_folder" if barred else nothing
            missing.append(missing_row(accession, own, columns, reason))
    check_fit(table.path, list(rows), listing)
    for folder in sorted(set(folders) - set(rows)):
        findings.append(_left(folder, names))
    return Joined(matched, missing, findings + ragged(table, names))


def _barred(accession: str, listing: Listing) -> bool:
    """Whether a folder of this accession cannot be listed."""
    return any(f"{path}/".startswith(f"{accession}/") for path in listing.unreadable)


def by_path(table: Table, listing: Listing, columns: Columns, names: Names) -> Joined:
    """A row is an image file, given relative to the archive's root or absolute."""
    spelling, rows = Spelling(listing.files), defaultdict(list)
    for row in table.rows:
        rows[spelling.of(relative(row.get(columns.image), listing.root))].append(row)
    findings = _without_id(rows.pop("", []), "no_path", names) + ragged(table, names)
    matched, missing = [], []
    for path, own in sorted(rows.items()):
        if path in listing.files:
            matched.append(
                _matched((path,), own, columns, without_na(own[0].get(columns.accession)))
            )
        else:
            reason = "not_readable" if path in listing.dangling else "no_file"
            missing.append(missing_row(path, own, columns, reason))
    # Only then: a few paths that do not fit are faults of rows, all of them one of data.root.
    if not matched:
        check_root(list(rows), listing, table.path)
    return Joined(matched, missing, findings)


def by_folder(table: Table, listing: Listing, columns: Columns, names: Names) -> Joined:
    """As `by_path`, for a table without patients: the image's folder stands for the patient."""
    joined = by_path(table, listing, columns, names)
    matched = [
        replace(item, patients=(str(PurePosixPath(item.files[0]).parent),))
        for item in joined.matched
    ]
    return replace(joined, matched=matched)


def relative(path: str, root: Path) -> str:
    """A path of the table as the listing writes it; empty for an empty cell."""
    if not path:
        return ""
    posix = posixpath.normpath(PureWindowsPath(path).as_posix() if "\\" in path else path)
    # The root may be written with `..`, or be a link: a table has any of its names.
    for top in (root.absolute().as_posix(), os.path.abspath(root), os.path.realpath(root)):
        posix = posix.removeprefix(top.rstrip("/") + "/")
    return posix


def _matched(files: tuple[str, ...], rows: list[Row], columns: Columns, accession: str) -> Matched:
    first = rows[0]
    patients = tuple(sorted({without_na(row.get(columns.patient)) for row in rows} - {""}))
    return Matched(
        files=files,
        rows=tuple(rows),
        accession=accession,
        labels=_labels(rows, columns),
        given={role: without_na(first.get(getattr(columns, role))) for role in ("view", "side")},
        patients=patients if columns.patient else None,
        split=tuple(sorted({row.get(columns.split) for row in rows} - {""})),
        stratum=first.get(columns.stratum),
        date=first.get(columns.date),
    )


def _labels(rows: list[Row], columns: Columns) -> tuple[dict[str, str], ...]:
    return tuple({"label": row.get(columns.label)} for row in rows)


def missing_row(identity: str, rows: list[Row], columns: Columns, reason: str) -> Missing:
    return Missing(identity, tuple(rows), _labels(rows, columns), reason)


def _without_id(rows: list[Row], reason: str, names: Names) -> list[Finding]:
    """Keys from the rows' own cells (and which of equal rows), so that their order is no part."""
    seen: dict[str, int] = defaultdict(int)
    findings = []
    for row in rows:
        text = digest(row.cells, 32)
        seen[text] += 1
        key = names.name("row", f"{text}\0{seen[text]}")
        findings.append(Finding(key, "table", QUARANTINE, reason, row=str(row.line)))
    return findings


def ragged(table: Table, names: Names) -> list[Finding]:
    return [
        Finding(names.name("row", f"\0{count}"), "table", QUARANTINE, "ragged_row", row=str(line))
        for count, line in enumerate(table.ragged)
    ]


def _left(folder: str, names: Names) -> Finding:
    key = names.name("directory", folder)
    return Finding(key, "archive", LEFT_OUT, "no_row", file=folder, accession=folder)


def repeated_rows(matched: list[Matched], names: Names) -> list[Finding]:
    """A note for each row that says again what another says; two that differ are a conflict."""
    notes = {}
    for item in (item for item in matched if len({*map(str, item.labels)}) == 1):
        for count, row in enumerate(item.rows[1:]):
            key = names.name("row", f"{item.accession or item.files[0]}\0{count}")
            notes[row.line] = Finding(
                key, "table", NOTE, "repeated_row", row=str(row.line), accession=item.accession
            )
    return list(notes.values())
