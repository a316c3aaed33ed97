"""Data that contradict themselves: refused, or left out whole where the config says `drop`."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foldwise.cohort.findings import LEFT_OUT, QUARANTINE, stop
from foldwise.cohort.groups import SAME, plain_id
from foldwise.cohort.resolve import Item, Ledger
from foldwise.errors import plural


@dataclass(frozen=True)
class Conflicts:
    """What to do with each kind: `refuse` stops the run, `drop` leaves all concerned out.

    Of pictures that are nearly one `note` only says so. Of ids that differ in their spelling alone
    `same` takes them for one, `apart` for several.
    """

    labels: str
    patients: str
    pixels: str
    spellings: str
    near_duplicates: str


MESSAGES = {
    "two_labels": (
        "labels",
        "{things} with two different labels ({images}). Correct the table, or set "
        "data.conflicts.labels: drop to leave these out.",
    ),
    "two_patients": (
        "patients",
        "{things} under two patients ({images}): their images could stand in training and "
        "validation at once. Correct the archive or the table, or set data.conflicts.patients: "
        "drop to leave these out.",
    ),
    "same_pixels": (
        "pixels",
        "{things} that two groups have ({images}): a copy is filed under the wrong patient, or two "
        "ids are one patient. Name the wrong copies in data.exclusions, or write one id for both "
        "in a column of the table and name it in data.columns.patient. "
        "data.conflicts.pixels: drop leaves out every copy, the right one too.",
    ),
    "near_duplicate": (
        "near_duplicates",
        "{things} of pictures of two groups that are nearly the same ({images}), as after "
        "rescaling, compressing, another window, mirroring or cutting: they could stand in "
        "training and validation at once. Look at them. If two ids are one patient, write one id "
        "for both in data.columns.patient; else name the copies in data.exclusions. "
        "data.conflicts.near_duplicates: note goes on, drop leaves all of them out.",
    ),
}
THINGS = {
    "two_labels": "exam",
    "two_patients": "exam",
    "same_pixels": "picture",
    "near_duplicate": "pair",
}


def refusal(reason: str, things: int, images: int, thing: str = "") -> str:
    """What is said of a conflict whose rule is `refuse`; `thing` is what is in conflict."""
    return MESSAGES[reason][1].format(
        things=plural(things, thing or THINGS[reason]), images=plural(images, "image")
    )


def settle(clashes: list[list[Item]], reason: str, rules: Conflicts, ledger: Ledger) -> None:
    """Quarantine all items of all clashes; where the rule is `refuse`, say so in the ledger."""
    before = len(ledger.findings)
    for item in (item for clash in clashes for item in clash):
        # All of a clash: which of two contradicting ones is right is not ours to guess.
        ledger.mark(item, "cohort", QUARANTINE, reason)
    if clashes and getattr(rules, MESSAGES[reason][0]) == "refuse":
        images = sum(len(clash) for clash in clashes)
        ledger.refusals.append(refusal(reason, len(clashes), images))
        ledger.refused += ledger.findings[before:]


def settle_all(items: list[Item], rules: Conflicts, ledger: Ledger, study: Path) -> None:
    """Settle every kind of conflict. Raises one FoldwiseError for all that are refused."""
    settle(label_clashes(items), "two_labels", rules, ledger)
    settle(patient_clashes(items, rules.spellings == SAME), "two_patients", rules, ledger)
    settle(pixel_clashes(items), "same_pixels", rules, ledger)
    # After all kinds were looked at: one message names everything that has to be mended.
    if ledger.refusals:
        raise stop(ledger.refused, study, " ".join(ledger.refusals))
    drop_copies(items, ledger)


def _together(items: list[Item], by: Callable[[Item], str]) -> list[list[Item]]:
    """Items with equal `by`, without those that were left out on purpose."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.state != LEFT_OUT and by(item):
            groups[by(item)].append(item)
    return list(groups.values())


def _exam(item: Item) -> str:
    # Where exams have no number, each file is one.
    return item.accession or item.matched.files[0]


def _content(item: Item) -> str:
    return item.content


def _copy(item: Item) -> str:
    # A file that could not be read has no content, and is a copy of none.
    return item.content and f"{item.content} {item.group}"


def label_clashes(items: list[Item]) -> list[list[Item]]:
    """One exam with two labels in the table, or copies within a group with a label each."""

    def disagree(group: list[Item]) -> bool:
        columns = {name for item in group for name in item.outcomes}
        values = ({one for item in group for one in item.outcomes[name]} for name in columns)
        return any(len(outcomes) > 1 for outcomes in values)

    exams = _together([item for item in items if disagree([item])], _exam)
    # Exams that contradict themselves are told of already, and not once more as copies.
    whole = [item for item in items if item.group and not disagree([item])]
    copies = [group for group in _together(whole, _copy) if disagree(group)]
    return exams + copies


def patient_clashes(items: list[Item], any_spelling: bool = False) -> list[list[Item]]:
    """One exam (or file) under two patients; with `any_spelling`, 7 and 007 are one."""

    def disagree(group: list[Item]) -> bool:
        patients = {patient for item in group for patient in item.matched.patients}
        return len({plain_id(one) for one in patients} if any_spelling else patients) > 1

    return [group for group in _together(items, _exam) if disagree(group)]


def pixel_clashes(items: list[Item]) -> list[list[Item]]:
    """Copies of one file in two groups. Equal pixels in different files show after decoding."""

    def disagree(group: list[Item]) -> bool:
        return len({item.group for item in group if item.group}) > 1

    return [group for group in _together(items, _content) if disagree(group)]


def drop_copies(items: list[Item], ledger: Ledger) -> None:
    """Of copies of one file in one group keep the first by path."""
    for group in _together([item for item in items if item.usable], _content):
        for item in sorted(group, key=lambda item: item.order)[1:]:
            ledger.mark(item, "cohort", LEFT_OUT, "copy")
