"""What was understood of a study's table and archive, in a few lines, before anything starts.

Nothing is written, and no file of the archive is opened but to see of which kind it is: patients
that stand in headers alone are counted from what an earlier run read. No name of a patient, exam,
file or folder is told; a label only where the study's own settings name it.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foldwise.cohort.archive import Entry, list_archive, remembered
from foldwise.cohort.build import CohortSettings, by_header, join
from foldwise.cohort.conflicts import refusal
from foldwise.cohort.findings import describe
from foldwise.cohort.identity import Names
from foldwise.cohort.readers.base import Joined, Matched
from foldwise.cohort.tables.exclusions import IdList
from foldwise.cohort.tables.folders import table_of_folders
from foldwise.cohort.tables.labels import CLASS, DROPPED, ClassScheme, canonical
from foldwise.cohort.tables.table import read_table
from foldwise.errors import FoldwiseError, plural
from foldwise.registry import load
from foldwise.settings.groups import unit_of, units_of

# Rows of the mapping that are shown; label columns that are counted, of zones and heads.
ROWS, COLUMNS = 3, 6
# How a line begins that tells of what `make_cohort` will refuse.
WOULD_STOP = "This would stop the run: "


def understood(study: dict[str, Any], private: str | Path) -> list[str]:
    """Lines on rows, images, groups, classes and the first rows of the mapping of a study.

    Raises FoldwiseError for what `make_cohort` refuses of a table and an archive.
    """
    data = study["data"]
    settings = CohortSettings.of(data, study["seed"])
    # No key: nothing that is named here is written, and none must be made by a dry run.
    reader, names = load("READERS", data["reader"])(), Names(b"")
    headers, listing = remembered(data["root"], reader.kind, private), list_archive(data["root"])
    if data["table"]["format"] == "folders":
        table = table_of_folders(listing, data["root"], data["table"]["folders"])
    else:
        table = read_table(settings.table)
    if settings.match == "header":
        if not headers:
            return [f"{plural(len(table.rows), 'row')}; the archive's headers are read first."]
        by_header(settings, table, listing, headers, names)
    joined = join(settings, reader, table, listing, names)
    scheme = joined.scheme or settings.scheme
    rows = sum(len({row.line for row in one.rows}) for one in joined.missing)
    images = plural(len(joined.matched), "image")
    return [
        f"{plural(len(table.rows), 'row')} of the table, {plural(rows, 'row')} without an image"
        f"{_reasons(joined)}; {images} matched{_groups(joined.matched, settings.group, headers)}.",
        *_classes(joined, scheme),
        *_contradictions(joined, scheme, settings, headers),
        *_mapping(joined, scheme),
    ]


def _reasons(joined: Joined) -> str:
    counts = Counter(one.reason for one in joined.missing)
    reasons = "; ".join(f"{describe(reason)}: {number}" for reason, number in counts.most_common())
    return f" ({reasons})" if reasons else ""


def _groups(matched: list[Matched], by: str, headers: dict[str, Entry]) -> str:
    owners = {_owner(one, by, headers) for one in matched}
    if "" in owners:
        return f", {units_of(by)} not counted before their headers are read"
    return f" of {plural(len(owners), unit_of(by))}"


def _owner(one: Matched, by: str, headers: dict[str, Entry]) -> str:
    if by == "image":
        return one.files[0]
    entry = headers.get(one.files[0])
    if by == "accession":
        return one.accession or (entry.facts.accession if entry else "")
    # Where the table names patients, an empty cell is nobody's: it will be in quarantine.
    if one.patients is not None:
        return " ".join(one.patients) or "-"
    return entry.facts.patient if entry else ""


def _classes(joined: Joined, scheme: ClassScheme) -> Iterator[str]:
    for column in joined.label_columns[:COLUMNS]:
        own = scheme.of_column(column)
        raw = [one.labels[0].get(column, "") for one in joined.matched if one.labels]
        outcomes = [own.outcome(text) for text in raw]
        if not own.mapping:
            yield f"{column}: {plural(len(set(raw)), 'value')}, each taken as it is."
            continue
        counts = Counter(one.value for one in outcomes if one.kind == CLASS)
        counted = [f"{name} {counts[name]}" for name in own.order]
        dropped = sum(one.kind == DROPPED for one in outcomes)
        unknown = len(outcomes) - dropped - counts.total()
        counted += [f"left out {dropped}"] if dropped else []
        counted += [f"no or another value {unknown}"] if unknown else []
        yield f"{'Images of each class' if column == 'label' else column}: {', '.join(counted)}."


def _contradictions(
    joined: Joined, scheme: ClassScheme, settings: CohortSettings, headers: dict[str, Entry]
) -> Iterator[str]:
    """Exams whose rows say two things: what the cohort will refuse or leave out."""
    images: Counter[str] = Counter()
    excluded = IdList(settings.exclusions, "data.exclusions", reasons=True)
    for one in joined.matched:
        owners = one.patients or [_owner(one, "patient", headers)]
        # As the cohort does: what is left out by name contradicts nothing.
        if excluded.find([one.accession, *owners, *one.files]):
            continue
        columns = {name for labels in one.labels for name in labels}
        labels_of = (
            {scheme.of_column(c).outcome(row.get(c, "")) for row in one.labels} for c in columns
        )
        if any(len(outcomes) > 1 for outcomes in labels_of):
            images[one.accession or one.files[0]] += 1
    if images:
        if settings.conflicts.labels == "refuse":
            yield f"{WOULD_STOP}{refusal('two_labels', len(images), images.total())}"
        else:
            yield f"{plural(len(images), 'exam')} with two different labels, left out."


def _mapping(joined: Joined, scheme: ClassScheme) -> Iterator[str]:
    """The first rows: what the table says, which class that is, how many images it gives."""
    images: Counter[int] = Counter(row.line for one in joined.matched for row in one.rows)
    labels = {row.line: one.labels[0] for one in joined.matched if one.labels for row in one.rows}
    for line in sorted(labels)[:ROWS]:
        texts = (f"{_label(name, text, scheme)}" for name, text in labels[line].items())
        shown = ", ".join(list(texts)[:COLUMNS])
        yield f"Line {line} of the table: {plural(images[line], 'image')}, {shown or 'no label'}."


def _label(column: str, text: str, scheme: ClassScheme) -> str:
    own = scheme.of_column(column)
    outcome = own.outcome(text)
    if outcome.kind == DROPPED:
        return f"{column} {outcome.value}, left out"
    if outcome.kind != CLASS:
        return f"{column} empty or not named by the study"
    # A value that no setting names may be of one patient.
    return f"{column} {canonical(text)} is {outcome.value}" if own.mapping else f"a {column}"


def report(studies: list[dict[str, Any]], private: str | Path) -> list[str]:
    """The lines of all studies. Raises FoldwiseError that names the study."""
    lines = []
    for study in studies:
        try:
            sentences = understood(study, private)
        except FoldwiseError as error:
            raise FoldwiseError(f"Study {study['name']}: {error}") from error
        lines += [
            f"Study {study['name']}: {sentences[0]}",
            *(f"  {line}" for line in sentences[1:]),
        ]
    return lines
