"""From found files to samples: each step leaves some out, by a stated rule, and says so."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

from foldwise.cohort.archive import Entry
from foldwise.cohort.codes import Wanted, misfit, side_of, view_of
from foldwise.cohort.findings import LEFT_OUT, NOTE, QUARANTINE, Finding
from foldwise.cohort.identity import Names
from foldwise.cohort.readers.base import Matched
from foldwise.cohort.tables.exclusions import IdList
from foldwise.cohort.tables.labels import CLASS, DROPPED, MISSING, ClassScheme, Outcome
from foldwise.hashing import content_of, digest


@dataclass
class Item:
    """One image on its way into the cohort; `state` is the kind of finding that stopped it.

    `content` decides orders and copies; `keyed` is its name outside `private/`.
    """

    matched: Matched
    entries: tuple[Entry, ...]
    content: str
    keyed: str
    sample: str
    patient: str
    accession: str
    view: str
    side: str
    group: str = ""
    exam: str = ""
    state: str = ""
    reason: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, set[Outcome]] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether nothing has stopped it yet."""
        return not self.state

    @property
    def order(self) -> tuple[str, tuple[str, ...]]:
        """Order that depends on contents, and on paths only between copies."""
        return self.content, self.matched.files


class Ledger:
    """The findings so far, and what the config refuses; marking an item is what stops it."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.refusals: list[str] = []
        self.refused: list[Finding] = []

    def mark(self, item: Item, stage: str, kind: str, reason: str, detail: str = "") -> None:
        """Add a finding for an item; the first one that is no note decides its state."""
        lines = " ".join(str(row.line) for row in item.matched.rows)
        if kind != NOTE and item.usable:
            item.state, item.reason = kind, reason
        self.findings.append(
            Finding(
                item.sample,
                stage,
                kind,
                reason,
                file=" ".join(item.matched.files),
                row=lines,
                accession=item.accession,
                patient=item.patient,
                detail=detail,
            )
        )


def items_of(
    matched: list[Matched], entries: dict[str, Entry], names: Names, views: tuple[str, ...] = ()
) -> list[Item]:
    """Items with content and facts; copies of one content get names of their own.

    `views` are those that the study asks for: names of its own, which may leave the archive.
    """
    items = []
    copies: dict[str, int] = defaultdict(int)
    # By path: which of several copies is called the second must not hang on the table's order.
    for one in sorted(matched, key=lambda one: one.files):
        own = tuple(entries[path] for path in one.files)
        content = (
            content_of([entry.sha256 for entry in own])
            if all(entry.sha256 for entry in own)
            else ""
        )
        # A file that could not be read needs a name as well, to be found in the quarantine by.
        identity = content or "\0".join(one.files)
        copies[identity] += 1
        sample = names.sample(
            f"{identity}\0{copies[identity]}" if copies[identity] > 1 else identity
        )
        item = _item(one, own, content, sample)
        view = one.given.get("view") or own[0].facts.view
        keyed = names.content(content) if content else ""
        items.append(replace(item, view=view_of(view, views), keyed=keyed))
    return sorted(items, key=lambda item: item.order)


def _item(one: Matched, own: tuple[Entry, ...], content: str, sample: str) -> Item:
    header = own[0]
    # A header's ids need not be the table's: where the table names patients, it alone does.
    patients = one.patients
    if patients is None:
        patients = (header.facts.patient,) if header.facts.patient else ()
    return Item(
        matched=replace(one, patients=patients),
        entries=own,
        content=content,
        keyed="",
        sample=sample,
        patient=patients[0] if len(patients) == 1 else "",
        accession=one.accession or header.facts.accession,
        view="",
        side=side_of(one.given.get("side") or header.facts.side),
    )


def check_faults(items: list[Item], ledger: Ledger) -> None:
    """Files that could not be opened or whose header says that they are no image."""
    for item in items:
        fault = next((entry.fault for entry in item.entries if entry.fault), "")
        if fault and item.usable:
            # Reports in an archive are to be expected, and must not count towards max_quarantine.
            kind = LEFT_OUT if fault == "not_an_image" else QUARANTINE
            ledger.mark(item, "header", kind, fault)


def check_headers(
    items: list[Item], ledger: Ledger, wanted: Wanted, by_folder: bool = True
) -> None:
    """Burned-in text, another modality or colour, and another accession than the folder's."""
    for item in items:
        header = item.entries[0]
        reason = misfit(header.facts, wanted)
        if item.usable and reason:
            ledger.mark(item, "header", QUARANTINE, reason)
        named = header.facts.accession
        if (
            by_folder
            and named
            and item.matched.accession
            # A spreadsheet may have taken the leading zeros away.
            and named.lstrip("0") != item.accession.lstrip("0")
        ):
            ledger.mark(item, "header", NOTE, "other_accession")


def apply_views(items: list[Item], ledger: Ledger, views: tuple[str, ...]) -> None:
    """Keep the views asked for; of an image that tells none nobody knows whether it is one."""
    wanted = {view.upper() for view in views}
    for item in items:
        if item.usable and wanted and not item.view:
            ledger.mark(item, "cohort", QUARANTINE, "no_view")
        elif item.usable and wanted and item.view not in wanted:
            ledger.mark(item, "cohort", LEFT_OUT, "other_view")


def apply_labels(items: list[Item], ledger: Ledger, scheme: ClassScheme) -> None:
    """Read labels by the scheme; left out if dropped, quarantined if unknown, missing or two."""
    for item in items:
        for labels in item.matched.labels:
            for column, raw in labels.items():
                item.outcomes.setdefault(column, set()).add(scheme.of_column(column).outcome(raw))
        if item.usable:
            _judge_labels(item, ledger, scheme)


def _judge_labels(item: Item, ledger: Ledger, scheme: ClassScheme) -> None:
    for column, outcomes in item.outcomes.items():
        kinds = {outcome.kind for outcome in outcomes}
        if kinds == {CLASS} and len(outcomes) == 1:
            item.labels[column] = next(iter(outcomes)).value
        elif kinds == {DROPPED}:
            ledger.mark(item, "table", LEFT_OUT, "dropped_class")
        # Several outcomes contradict each other: a conflict, settled once groups are known.
        elif len(outcomes) == 1:
            reason = "no_label" if kinds == {MISSING} else scheme.unknown
            value = next(iter(outcomes)).value
            detail = f"{column}: {value}" if len(item.outcomes) > 1 and value else value
            ledger.mark(item, "table", QUARANTINE, reason, detail)


def apply_texts(items: list[Item], ledger: Ledger) -> None:
    """Quarantine what should have a text and has none in any of its columns."""
    for item in items:
        if item.usable and item.matched.texts and not any(item.matched.texts.values()):
            ledger.mark(item, "table", QUARANTINE, "no_text")


def identities_of(item: Item) -> tuple[str, ...]:
    """What a list of ids may call an image by: accession, patient, path."""
    return (item.accession, *item.matched.patients, *item.matched.files)


def apply_exclusions(items: list[Item], ledger: Ledger, listed: IdList) -> None:
    """Leave out what the exclusion list names by accession, patient or path."""
    for item in items:
        reasons = listed.find(identities_of(item))
        if reasons and item.usable:
            ledger.mark(item, "cohort", LEFT_OUT, "excluded", "; ".join(reasons))


def apply_splits(items: list[Item], parts: dict[str, IdList]) -> None:
    """Add the part of each image that a list of ids names."""
    for item in items:
        named = [part for part, listed in parts.items() if listed.find(identities_of(item))]
        if named:
            split = tuple(sorted({*item.matched.split, *named}))
            item.matched = replace(item.matched, split=split)


def draw_subset(items: list[Item], ledger: Ledger, groups: float | None, seed: int) -> None:
    """Keep so many groups, or that share below 1, drawn by seed and contents; others leave."""
    if not groups:
        return
    least: dict[str, str] = {}
    for item in items:
        if item.usable:
            # Items are in order of content: the first is the least, whatever the table's order was.
            least.setdefault(item.group, item.content)
    # By a content and not the group's name, which is random for each results tree.
    order = sorted(least, key=lambda group: digest([seed, "subset", least[group]], 32))
    # At least two: with one group there is nothing to validate on.
    kept = set(order[: int(groups) if groups >= 1 else max(2, round(groups * len(order)))])
    for item in items:
        if item.usable and item.group not in kept:
            ledger.mark(item, "cohort", LEFT_OUT, "not_in_subset")
