"""What a comparison says in words: intervals, tests at their level, and where they disagree."""

from collections.abc import Mapping
from typing import Any

from foldwise.evaluate.wording import called, spoken
from foldwise.settings.groups import unit_of, units_of

ALPHA = 0.05
# Said of a run that a search has chosen: simulated on ten equal runs, the best one's interval over
# patients left out 0 one time in five.
OF_WINNER = (
    "The tuned run is the winner of a search, so that each test is too ready to see a difference: "
    "both intervals have to leave out 0."
)


def verdict(
    name: str, found: Mapping[str, Any], direction: str, group_by: str, tests: Mapping[str, Any]
) -> str:
    """Whether the difference is resolved: both intervals, over folds and groups, leave out 0.

    Args:
        name: the objective.
        found: its numbers, of `foldwise.evaluate.compare.of_metric`.
        direction: "max" or "min".
        group_by: data.group, what groups are.
        tests: what `foldwise.evaluate.paired_tests.tests_of` gives.
    """
    difference = found["difference"] * (1 if direction == "max" else -1)
    side = "better" if difference > 0 else "worse" if difference < 0 else "equal"
    text = f"{called(name)[0]} {found['second']:.4g} against {found['first']:.4g}, {side}"
    text += f" by {abs(found['difference']):.3g}" if difference else ""
    # Over folds the training sets vary, over groups the patients: a difference has to outlast both.
    spans = {"folds": ("low", "high"), "groups": ("groups_low", "groups_high")}
    bounds = {over: (found[low], found[high]) for over, (low, high) in spans.items()}
    known = {over: pair for over, pair in bounds.items() if None not in pair}
    clear = {over: low > 0 or high < 0 for over, (low, high) in known.items()}
    if len(known) == 2:
        folds, groups = (f"{low:.3g} to {high:.3g}" for low, high in known.values())
        text += f" (95 % interval {folds} over folds, {groups} over {units_of(group_by)})"
    said = [f"{text}: {_resolved(clear, group_by)}", _tests_in_words(found, tests, group_by)]
    return " ".join(part for part in said if part)


def _resolved(clear: Mapping[str, bool], group_by: str) -> str:
    if len(clear) == 2 and all(clear.values()):
        return "the difference is resolved."
    if not any(clear.values()):
        return "not resolved, these data do not tell the two apart."
    units = units_of(group_by)
    if clear.get("groups"):
        return (
            f"not resolved, since the two intervals disagree. That over {units} leaves out 0: it "
            f"takes the trained models as they are, and asks of other {units} alone. That over "
            "folds does not: it asks of other training sets as well, and with few folds its t "
            "distribution has few degrees of freedom and sees large differences alone. These "
            "models differ; whether the methods do takes more folds or seeds."
        )
    return (
        f"not resolved, since the two intervals disagree. That over folds leaves out 0, that over "
        f"{units} does not: the folds agree with each other, but on too few {units} to say so of "
        "others."
    )


def _tests_in_words(found: Mapping[str, Any], tests: Mapping[str, Any], group_by: str) -> str:
    """What each test says at its level, and why those that differ may; nothing without tests."""
    p_of = {"the corrected t test over folds": found["p"]}
    if tests["sign_flip"]:
        p_of[f"the sign-flip test over {units_of(group_by)}"] = tests["sign_flip"]["p"]
    if tests["mcnemar"]:
        p_of[f"McNemar's test of one answer a {unit_of(group_by)}"] = tests["mcnemar"]["p"]
    known = {test: p for test, p in p_of.items() if p is not None}
    if len(known) < 2:
        return ""
    parts = [f"{test} p {p:.2g} ({'yes' if p < ALPHA else 'no'})" for test, p in known.items()]
    text = f"A difference at the level of {ALPHA:.0%}, each by itself: {', '.join(parts)}."
    # Where all tests agree there is nothing to explain.
    if len({p < ALPHA for p in known.values()}) == 1:
        return text
    return (
        f"{text} They ask different things: the first of the metric with other training sets, the "
        f"others of right answers of these models. Over few folds the first misses most "
        f"differences; McNemar's test loses power where a {unit_of(group_by)} has several images."
    )


def equal_footing(
    name: str, first: float, second: float, chosen: Mapping[str, bool]
) -> dict[str, Any]:
    """Both runs by their last epochs, which nobody chose; a method without epochs as it is.

    chosen: of "first" and "second", whether its epoch was chosen by the part that judges.
    """
    whose = " and ".join(run for run, was in chosen.items() if was)
    text = (
        f"At equal footing, by the last epoch where an epoch was chosen ({whose} run), "
        f"{spoken(name)} is {second:.4g} against {first:.4g}."
    )
    return {"first": first, "second": second, "difference": second - first, "text": text}
