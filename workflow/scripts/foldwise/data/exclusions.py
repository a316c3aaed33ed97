"""The exclusion list: what is left out by name, with a reason each."""

import re
from collections.abc import Iterable

from foldwise.data.findings import NOTE, Finding
from foldwise.data.identity import Names
from foldwise.data.table import TableSettings, read_table


def read_exclusions(path: str | None) -> dict[str, str]:
    """Id (accession, patient or image path) -> reason. Raises what `read_table` raises."""
    if not path:
        return {}
    table = read_table(TableSettings(path))
    table.need({"id": "id", "reason": "reason"})
    return {row.get("id"): row.get("reason") for row in table.rows if row.get("id")}


def same_identity(listed: str, identity: str) -> bool:
    """Whether a list's id is this one; numbers may have lost their leading zeros."""
    if listed == identity:
        return True
    return listed.isdigit() and identity.isdigit() and int(listed) == int(identity)


def public_reason(reason: str, identity: str) -> str:
    """A reason as it may be shown: none that repeats the id or holds a number of four digits."""
    text = " ".join(reason.split())[:60]
    if not text or identity in text or re.search(r"\d{4,}", text):
        return "stated in private/"
    return text


def unused(reasons: dict[str, str], used: Iterable[str], names: Names) -> list[Finding]:
    """A note for each entry that excluded nothing: most often a misspelt id."""
    return [
        Finding(
            names.name("row", f"exclusion\0{one}"), "cohort", NOTE, "unused_exclusion", file=one
        )
        for one in sorted(set(reasons) - set(used))
    ]
