"""What is never split: a patient, an exam or an image, by whatever way its id is written."""

import re
from collections import defaultdict
from collections.abc import Iterable

from foldwise.cohort.findings import LEFT_OUT, NOTE, QUARANTINE, Finding
from foldwise.cohort.identity import Names
from foldwise.cohort.resolve import Item, Ledger
from foldwise.errors import plural

REFUSE, SAME = "refuse", "same"


def plain_id(text: str) -> str:
    """An id without what spreadsheets and typists change: zeros before it, `.0`, case, spaces."""
    joined = "".join(text.casefold().split())
    whole = re.sub(r"^(\d+)\.0+$", r"\1", joined)
    return whole.lstrip("0") or whole


def spelt_apart(ids: Iterable[str]) -> dict[str, list[str]]:
    """Plain form -> the spellings of ids that share it, where there are several."""
    spellings: dict[str, set[str]] = defaultdict(set)
    for one in ids:
        spellings[plain_id(one)].add(one)
    return {plain: sorted(own) for plain, own in spellings.items() if len(own) > 1}


def name_groups(items: list[Item], ledger: Ledger, names: Names, by: str, spellings: str) -> None:
    """Keyed names of group and exam; an image without patient is quarantined, never guessed.

    One with two patients has no group either; conflicts.py sees to it. By image, each file content
    is a group of its own. `spellings`: what becomes of ids that differ in their spelling alone.
    """
    several = {} if by == "image" else _several(items, by)
    for item in items:
        owner = _owner(item, by)
        apart = plain_id(owner) in several
        named = plain_id(owner) if apart and spellings == SAME else owner
        item.group = names.group(named) if owner else ""
        # By the accession first: views of one exam are averaged, whatever files they are.
        item.exam = names.exam(item.accession or item.content or item.matched.files[0])
        if item.usable and not owner and len(item.matched.patients) < 2:
            ledger.mark(item, "cohort", QUARANTINE, f"no_{by}")
        if apart and item.state != LEFT_OUT:
            kind = QUARANTINE if spellings == REFUSE else NOTE
            ledger.mark(item, "cohort", kind, "two_spellings")
    if several and spellings == REFUSE:
        _refuse(several, ledger, by)


def _owner(item: Item, by: str) -> str:
    return {"patient": item.patient, "accession": item.accession, "image": item.content}[by]


def _several(items: list[Item], by: str) -> dict[str, list[str]]:
    owners = (_owner(item, by) for item in items if item.state != LEFT_OUT)
    return spelt_apart(owner for owner in owners if owner)


def _refuse(several: dict[str, list[str]], ledger: Ledger, by: str) -> None:
    refused = [item for item in ledger.findings if item.reason == "two_spellings"]
    ledger.refused += refused
    ledger.refusals.append(
        f"{plural(len(several), f'id of a {by}' if by == 'patient' else 'accession')} written in "
        f"several ways ({plural(len(refused), 'image')}), as 7 and 007 would be: one {by} could "
        "stand in training and validation at once. Write each in one way, or set "
        "data.conflicts.spellings: same (one is meant) or apart (they differ)."
    )


def note_single_images(items: list[Item], ledger: Ledger, names: Names, by: str) -> None:
    """A note where every patient has exactly one image: often the column names images."""
    usable = [item for item in items if item.usable]
    if by == "patient" and len(usable) > 1 and len({i.group for i in usable}) == len(usable):
        # No patient can be called so: the note is on the table, not on one of its groups.
        key = names.name("group", "\0all")
        ledger.findings.append(Finding(key, "cohort", NOTE, "one_image_each"))
