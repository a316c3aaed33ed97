"""Table rows that have no image: in quarantine, unless the config leaves them out anyway."""

from foldwise.cohort.findings import LEFT_OUT, QUARANTINE, Finding
from foldwise.cohort.identity import Names
from foldwise.cohort.readers.base import Missing
from foldwise.cohort.resolve import Ledger
from foldwise.cohort.tables.exclusions import IdList
from foldwise.cohort.tables.labels import DROPPED, MISSING, UNKNOWN, ClassScheme, Outcome


def judge_missing(
    missing: list[Missing],
    ledger: Ledger,
    scheme: ClassScheme,
    exclusions: IdList,
    names: Names,
) -> None:
    """Add the findings on each.

    What is wrong with such a row's label is named too, so that one pass over the table mends all.
    """
    for one in missing:
        listed = exclusions.find([one.identity])
        outcomes = {
            scheme.of_column(column).outcome(raw)
            for labels in one.labels
            for column, raw in labels.items()
        }
        for kind, reason, detail in _reasons(one, outcomes, bool(listed), scheme):
            key = names.name("row", one.identity)
            lines = " ".join(str(row.line) for row in one.rows)
            ledger.findings.append(
                Finding(key, "table", kind, reason, "", lines, one.identity, "", detail)
            )


def _reasons(
    one: Missing, outcomes: set[Outcome], excluded: bool, scheme: ClassScheme
) -> list[tuple[str, str, str]]:
    kinds = {outcome.kind for outcome in outcomes}
    if excluded:
        return [(LEFT_OUT, "excluded", "")]
    if kinds == {DROPPED}:
        return [(LEFT_OUT, "dropped_class", "")]
    reasons = [(QUARANTINE, one.reason, "")]
    # Rows of several columns have several outcomes without contradicting themselves.
    if len(outcomes) > 1 and {*map(len, one.labels)} == {1}:
        reasons.append((QUARANTINE, "two_labels", ""))
    # Sorted: a set's order changes from one Python process to the next.
    for outcome in sorted(outcomes, key=lambda outcome: outcome.value):
        if outcome.kind in (UNKNOWN, MISSING):
            reason = scheme.unknown if outcome.kind == UNKNOWN else "no_label"
            reasons.append((QUARANTINE, reason, outcome.value))
    return reasons
