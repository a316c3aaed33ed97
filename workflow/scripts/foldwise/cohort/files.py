"""What the cohort leaves behind: files, counts, and checks before anything expensive."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foldwise.cohort import findings as found
from foldwise.cohort.archive import Inventory
from foldwise.cohort.audit_files import renew_quarantine
from foldwise.cohort.codes import looks_of
from foldwise.cohort.findings import LEFT_OUT, QUARANTINE, Finding
from foldwise.cohort.identity import Names, check_distinct, write_private_csv
from foldwise.cohort.resolve import Item
from foldwise.cohort.shards import assign, read_locations, write_locations
from foldwise.cohort.tables.labels import ClassScheme, data_place
from foldwise.contents import PRIVATE_CONTENTS
from foldwise.errors import FoldwiseError
from foldwise.files import is_formula, shown, write_csv, write_json
from foldwise.folds.parts import check_split
from foldwise.hashing import content_of

if TYPE_CHECKING:
    from foldwise.cohort.build import CohortSettings

IMAGES = ["sample", "group", "exam", "content", "shard", "row"]
LABELS = ["sample", "view", "side", "split", "stratum"]
ID_MAP = ["sample", "group", "exam", "content", "file", "row", "accession", "patient", "date"]


def check(
    items: list[Item],
    findings: list[Finding],
    settings: "CohortSettings",
    scheme: ClassScheme,
    study: Path,
) -> None:
    """Raise FoldwiseError when no cohort can come of this: nothing left, too much in quarantine,
    a class without an image, labels that are all the same.
    """
    usable = [item for item in items if item.usable]
    lacking = [item for item in items if item.reason == "no_patient"]
    if lacking and not usable:
        raise found.stop(
            findings,
            study,
            f"None of {len(lacking)} images has a patient id, in its header or in the table. Name "
            "the column in data.columns.patient, or set data.group: `accession` groups by exam, "
            "`image` takes each image by itself.",
        )
    # Before classes are looked at: where half is unusable, an empty class is only what follows.
    found.check_share(findings, len(usable), settings.max_quarantine, study, "Cohort")
    if not usable:
        left = found.counts_of(findings, LEFT_OUT)
        reasons = "; ".join(
            f"{found.describe(reason)}: {number}" for reason, number in left.items()
        )
        raise found.stop(
            findings,
            study,
            f"Cohort: no image is left{': ' + reasons if reasons else ''}. Check data.root, "
            "data.views, data.classes and data.exclusions.",
        )
    if settings.trains:
        _check_classes(usable, settings)
        _check_varied(usable, scheme)


def _check_classes(usable: list[Item], settings: "CohortSettings") -> None:
    for column, scheme in {"label": settings.scheme, **settings.scheme.columns}.items():
        _check_column(usable, column, scheme.order, bool(settings.subset))


def _check_column(usable: list[Item], column: str, order: tuple[str, ...], drawn: bool) -> None:
    counts = Counter(item.labels.get(column) for item in usable)
    empty = [name for name in order if not counts[name]]
    if empty:
        there = ", ".join(f"{name}: {counts[name]}" for name in order)
        place = data_place(column)
        raise FoldwiseError(
            f"Class {empty[0]} has no image ({there}). Correct {place}.mapping, or take the "
            f"class out of {place}.order{', or draw more groups' if drawn else ''}."
        )


def _check_varied(usable: list[Item], scheme: ClassScheme) -> None:
    labels = {value for item in usable for value in item.labels.values()}
    if len({*scheme.mapping.values()}) > 1 and len(labels) == 1:
        raise FoldwiseError(
            f"All labels of {len(usable)} images are {labels.pop()}: there is nothing to learn. "
            "Check the columns that data.columns names, and data.views and data.subset."
        )


def to_decode(items: list[Item]) -> list[Item]:
    """What may be analysed, and what is in quarantine with a sound header, so that all that is
    wrong with it is found in one go. One item a content.
    """
    chosen: dict[str, Item] = {}
    # Usable ones first: of copies of one content the one that stays is decoded.
    for item in sorted(items, key=lambda item: (not item.usable, item.order)):
        sound = not any(entry.fault for entry in item.entries)
        # Burned-in text may be a name: such pixels do not even reach the cache.
        if item.usable or (item.state == QUARANTINE and item.reason != "burned_in" and sound):
            chosen.setdefault(item.content, item)
    return [chosen[content] for content in sorted(chosen)]


def place(
    items: list[Item], archive: Inventory, private: Path, lists: Path, names: Names
) -> dict[str, tuple[str, int]]:
    """Keyed content -> (shard, row); writes the cache lists and the private content -> files."""
    chosen = to_decode(items)
    files = {item.keyed: item.matched.files for item in chosen}
    recorded = read_locations(private)
    # Other studies read this archive too: what they placed stays while its files are the same.
    earlier = recorded.pop(archive.key, {"files": {}})["files"]
    kept = {content: own for content, own in earlier.items() if _same(archive, content, own, names)}
    write_locations(private, archive.key, archive.root, kept | files)
    elsewhere = (content for record in recorded.values() for content in record["files"])
    # Contents of other archives too: a cache is shared by all studies that prepare images alike.
    return assign(files, lists, {*kept, *files, *elsewhere})


def _same(archive: Inventory, keyed: str, files: list[str], names: Names) -> bool:
    """Whether these files are there, as they were, with this content."""
    entries = [archive.entry(path) for path in files]
    digests = [entry.sha256 for entry in entries if entry]
    return len(digests) == len(files) and names.content(content_of(digests)) == keyed


@dataclass(frozen=True)
class Cohort:
    """A study's samples as they are written.

    `places`: keyed content -> (shard, row); `label_columns` those of labels.csv besides its own;
    `table` names the table in messages.
    """

    items: list[Item]
    findings: list[Finding]
    label_columns: tuple[str, ...]
    places: dict[str, tuple[str, int]]
    flow: dict[str, Any]
    table: str


def write(cohort: Cohort, study: Path) -> None:
    """Write all files of a cohort; rows by content, so that the table's order is no part."""
    items, findings = cohort.items, cohort.findings
    chosen, columns = to_decode(items), cohort.label_columns
    # Two contents of one name would be taken for one image from here on.
    check_distinct({item.content: item.sample for item in chosen})
    labels = [_label_row(item, columns, cohort.table) for item in chosen if item.usable]
    id_map = [_id_row(item) for item in items if item.content]
    write_private_csv(study / "private" / "id_map.csv", ID_MAP, id_map)
    rows = found.private_rows(findings)
    write_private_csv(study / "private" / "findings.csv", found.PRIVATE, rows)
    renew_quarantine(study)
    (study / "private" / "stopped.csv").unlink(missing_ok=True)
    write_csv(study / "findings.csv", found.PUBLIC, found.public_rows(findings))
    write_json(study / "flow.json", cohort.flow)
    # Apart from images.csv: a corrected label decodes nothing again.
    write_csv(study / "labels.csv", [*LABELS, *columns], labels)
    write_texts(study / "private" / "texts.csv", [item for item in chosen if item.usable])
    contents = [{"sample": item.sample, "content": item.content} for item in chosen]
    write_private_csv(study / "private" / PRIVATE_CONTENTS, ["sample", "content"], contents)
    # Last: its being there says that the whole cohort is.
    write_csv(study / "images.csv", IMAGES, [_image_row(item, cohort.places) for item in chosen])


def write_texts(path: Path, items: list[Item]) -> None:
    """The named text columns of each sample; a header alone for studies without texts."""
    columns = list(dict.fromkeys(name for item in items for name in item.matched.texts))
    rows = [{"sample": item.sample} | item.matched.texts for item in items if item.matched.texts]
    write_private_csv(path, ["sample", *columns], rows)


def _image_row(item: Item, places: dict[str, tuple[str, int]]) -> dict[str, Any]:
    shard, row = places[item.keyed]
    named = {name: getattr(item, name) for name in ("sample", "group", "exam")}
    return named | {"content": item.keyed, "shard": shard, "row": row}


def _label_row(item: Item, label_columns: tuple[str, ...], table: str) -> dict[str, str]:
    line = item.matched.rows[0].line if item.matched.rows else 0
    if is_formula(item.matched.stratum) or not item.matched.stratum.isprintable():
        raise FoldwiseError(
            f"{table}, line {line}: data.columns.stratum holds a value that a spreadsheet would "
            "run as a formula, or that breaks a line. It is shown in results: write it otherwise."
        )
    return {
        "sample": item.sample,
        "view": item.view,
        "side": item.side,
        "split": check_split(item.matched.split, line, table),
        "stratum": item.matched.stratum,
        **{name: (item.labels | item.matched.extra).get(name, "") for name in label_columns},
    }


def _id_row(item: Item) -> dict[str, str]:
    named = {name: getattr(item, name) for name in ("sample", "group", "exam", "content")}
    texts = {
        "file": " ".join(item.matched.files),
        "row": " ".join(str(row.line) for row in item.matched.rows),
        "accession": item.accession,
        "patient": " ".join(item.matched.patients),
        "date": item.matched.date,
    }
    return named | {name: shown(text) for name, text in texts.items()}


def _is_row(finding: Finding) -> bool:
    # Keyed names begin with the letter of their kind; r is a row of the table.
    return finding.key.startswith("r")


def flow_of(
    items: list[Item], findings: list[Finding], rows: int, archive: Inventory, group: str
) -> dict[str, Any]:
    """Counts from archive to what is decoded; each image under the first reason that stopped it."""
    stopped = Counter((item.state, item.reason) for item in items if not item.usable)
    images = {item.sample for item in items}
    # Rows without an image and folders without a row never become items.
    unmatched = Counter((one.kind, one.reason) for one in findings if one.key not in images)
    return {
        "group": group,
        "archive": {
            "files": len(archive.listing.files),
            "folders": len(archive.listing.folders),
            "folders_without_row": sum(item.reason == "no_row" for item in findings),
            "passed_over": archive.listing.ignored,
            "link_loops": archive.listing.loops,
        },
        "table_rows": rows,
        "unmatched": [
            {"kind": kind, "reason": reason, "count": number}
            for (kind, reason), number in sorted(unmatched.items())
        ],
        "rows_left_out": found.counts_of((item for item in findings if _is_row(item)), LEFT_OUT),
        "images_matched": len(items),
        "left_out": {key[1]: n for key, n in sorted(stopped.items()) if key[0] == LEFT_OUT},
        "quarantine": {key[1]: n for key, n in sorted(stopped.items()) if key[0] == QUARANTINE},
        "usable": sum(item.usable for item in items),
        "to_decode": len(to_decode(items)),
        "looks": looks_of([item.entries[0].facts for item in items if item.usable]),
    }
