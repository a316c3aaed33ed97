"""The archive by what its headers say, for exports whose folders are named otherwise.

Every file's header is read once and remembered in the inventory, as for any cohort.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from foldwise.cohort.archive import Entry
from foldwise.cohort.findings import QUARANTINE, Finding
from foldwise.cohort.identity import Names
from foldwise.cohort.tables.naming import ZeroPadded
from foldwise.errors import FoldwiseError

# Attributes that a table may name, the narrowest first: of equal fits an exam is meant.
ATTRIBUTES = {
    "accession": "AccessionNumber",
    "study_uid": "StudyInstanceUID",
    "patient": "PatientID",
}


@dataclass(frozen=True)
class HeaderIndex:
    """Files by the attribute that the table's ids are, and findings on files that have none."""

    attribute: str
    folders: dict[str, list[str]]
    findings: list[Finding]


def index_of(ids: Iterable[str], entries: Mapping[str, Entry], names: Names) -> HeaderIndex:
    """The files of each id, by the attribute that most of the table's `ids` are values of.

    Raises FoldwiseError where none of them is, with how many values each attribute has.
    """
    wanted, by_attribute = set(ids), {name: _by(name, entries) for name in ATTRIBUTES}
    fits = {
        name: sum(ZeroPadded(files).of(one) in files for one in wanted)
        for name, files in by_attribute.items()
    }
    # `max` keeps the first of equal ones: see the order of ATTRIBUTES.
    best = max(fits, key=lambda name: fits[name])
    if not fits[best]:
        values = ", ".join(f"{len(by_attribute[n])} of {ATTRIBUTES[n]}" for n in ATTRIBUTES)
        raise FoldwiseError(
            f"data.match is header, but none of the table's {len(wanted)} ids stands in a header; "
            f"there are {values} in {len(entries)} files. Check data.columns.accession and "
            "data.root."
        )
    faulty = [
        Finding(names.sample(path), "header", QUARANTINE, entry.fault, file=path)
        for path, entry in sorted(entries.items())
        # Reports and indexes are no faults; a file that cannot be read may be of any exam.
        if entry.fault and entry.fault != "not_an_image"
    ]
    return HeaderIndex(ATTRIBUTES[best], by_attribute[best], faulty)


def _by(name: str, entries: Mapping[str, Entry]) -> dict[str, list[str]]:
    files: dict[str, list[str]] = defaultdict(list)
    for path, entry in sorted(entries.items()):
        if value := getattr(entry.facts, name):
            files[value].append(path)
    return dict(files)
