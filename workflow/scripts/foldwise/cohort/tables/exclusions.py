"""Lists of ids: what is left out by name, with a reason each; which part an id belongs to."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from foldwise.cohort.findings import NOTE, Finding
from foldwise.cohort.identity import Names
from foldwise.cohort.tables.table import TableSettings, read_table

# The column by which a list of the rule label_suspects is known.
SUSPECTS = "looks_like"
# Columns of a list that a rule makes of images to be left out: what a reader knows them by.
ENTRY = ["id", "reason", "accession", "patient", "row"]
# Up to the first ending of a file that a blank follows.
ENDING = re.compile(r".*?\.\w+(?= |$)")


class IdList:
    """A table with a column `id` (accession, patient or image path), and `reason` if asked for.

    Numbers may have lost their leading zeros: 3772 is 003772. Ids that were found are kept in
    `used`. Raises FoldwiseError as `read_table` does.
    """

    def __init__(self, path: str | None, key: str, reasons: bool = False) -> None:
        self.entries: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.used: set[str] = set()
        if path:
            table = read_table(TableSettings.of_images(path, key=key))
            table.need({"id": "id"} | ({"reason": "reason"} if reasons else {}))
            # A list of label suspects leaves out what a reader signed with a reason, no more.
            rows = (row for row in table.rows if SUSPECTS not in table.columns or row.get("reason"))
            for row in rows:
                self.entries[_plain(row.get("id"))].append((row.get("id"), row.get("reason")))
            # An empty cell would else name every image that has no accession or patient.
            self.entries.pop("", None)

    def find(self, identities: Iterable[str]) -> list[str]:
        """Reasons of the entries that name one of these; an entry without reason gives ""."""
        reasons = []
        # A set: an accession that is the patient's id as well must not give its reason twice.
        for identity in {_plain(identity) for identity in identities}:
            for listed, reason in self.entries.get(identity, ()):
                self.used.add(listed)
                reasons.append(reason)
        return sorted(reasons)

    def unused(self, names: Names) -> list[Finding]:
        """A note for each entry that named nothing: most often a misspelt id."""
        listed = {one for entries in self.entries.values() for one, _ in entries}
        return [
            Finding(names.name("row", f"id\0{one}"), "cohort", NOTE, "unused_exclusion", file=one)
            for one in sorted(listed - self.used)
        ]


def entry(named: Mapping[str, str], reason: str = "") -> dict[str, str]:
    """An image's row of id_map.csv as a row of such a list."""
    # Of an image and its mask the image: a blank stands between, and names may hold one.
    first = ENDING.match(named["file"])
    identities = {key: named[key] for key in ("accession", "patient", "row")}
    return {"id": first[0] if first else named["file"], "reason": reason} | identities


def _plain(identity: str) -> str:
    return str(int(identity)) if identity.isascii() and identity.isdigit() else identity
