"""What a comparison says in words: intervals, tests at their level, and where they disagree."""

from collections.abc import Mapping
from typing import Any

from foldwise.evaluate.wording import called, significant, spoken
from foldwise.settings.groups import unit_of, units_of

ALPHA = 0.05
# Said of a run that a search has chosen: simulated on ten equal runs, the best one's interval over
# patients left out 0 one time in five.
OF_WINNER = (
    "The tuned run is the winner of a search, so that each test is too ready to see a difference: "
    "both intervals have to leave out 0."
)


def verdict(
    name: str, numbers: Mapping[str, Any], direction: str, group_by: str, tests: Mapping[str, Any]
) -> str:
    """Whether the difference is resolved: both intervals, over folds and groups, leave out 0.

    Args:
        name: the objective.
        numbers: its own, of `foldwise.evaluate.compare.of_metric`.
        direction: "max" or "min".
        group_by: data.group, what groups are.
        tests: what `foldwise.evaluate.paired_tests.tests_of` gives.
    """
    difference = numbers["difference"] * (1 if direction == "max" else -1)
    side = "better" if difference > 0 else "worse" if difference < 0 else "equal"
    second, first = (significant(numbers[run], 4) for run in ("second", "first"))
    text = f"{called(name)[0]} {second} against {first}, {side}"
    text += f" by {significant(abs(numbers['difference']))}" if difference else ""
    # Over folds the training sets vary, over groups the patients: a difference has to outlast both.
    spans = {"folds": ("low", "high"), "groups": ("groups_low", "groups_high")}
    bounds = {over: (numbers[low], numbers[high]) for over, (low, high) in spans.items()}
    intervals = {over: pair for over, pair in bounds.items() if None not in pair}
    clear = {over: low > 0 or high < 0 for over, (low, high) in intervals.items()}
    if len(intervals) == 2:
        folds, groups = (" to ".join(map(significant, pair)) for pair in intervals.values())
        text += f" (95 % interval {folds} over folds, {groups} over {units_of(group_by)})"
    p_of = _answers(tests, group_by)
    if not difference or (len(clear) == 2 and not any(clear.values())):
        conclusion = "not resolved, these data do not tell the two apart."
    else:
        conclusion = _missing(clear, numbers, group_by) or _resolved(name, clear, p_of, group_by)
    return " ".join(
        filter(None, [f"{text}: {conclusion}", _tests_in_words(numbers, p_of, group_by)])
    )


def _missing(clear: Mapping[str, bool], numbers: Mapping[str, Any], group_by: str) -> str:
    """What an interval that there is not leaves to be said; nothing where there are both."""
    if len(clear) == 2:
        return ""
    if "folds" in clear:
        why = f"over {units_of(group_by)} there is no interval"
    else:
        why = f"over folds there is neither interval nor test, since {numbers['no_interval']}"
    others = "".join(
        f"; that over {'folds' if over == 'folds' else units_of(group_by)} "
        f"{'leaves out' if out else 'holds'} 0"
        for over, out in clear.items()
    )
    return f"not resolved, {why}{others}."


def _resolved(
    name: str, clear: Mapping[str, bool], p_of: Mapping[str, float], group_by: str
) -> str:
    if all(clear.values()):
        # Intervals are of the metric, these tests of right answers: one may move without the other.
        against = [f"{test} (p {p:.2g})" for test, p in p_of.items() if p >= ALPHA]
        if not against:
            return "the difference is resolved."
        return (
            f"the difference in {spoken(name)} is resolved, one in right answers is not, by "
            f"{' and by '.join(against)}."
        )
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


def _answers(tests: Mapping[str, Any], group_by: str) -> dict[str, float]:
    """p of each test of right answers, by its name."""
    names = {
        "sign_flip": f"the sign-flip test over {units_of(group_by)}",
        "mcnemar": f"McNemar's test of one answer a {unit_of(group_by)}",
    }
    return {name: tests[key]["p"] for key, name in names.items() if tests[key]}


def _tests_in_words(numbers: Mapping[str, Any], p_of: Mapping[str, float], group_by: str) -> str:
    """What each test says at its level, and why those that differ may; nothing without tests."""
    if not p_of:
        return ""
    over_folds = {"the corrected t test over folds": numbers["p"]}
    defined = {test: p for test, p in (over_folds | p_of).items() if p is not None}
    parts = [f"{test} p {p:.2g} ({'yes' if p < ALPHA else 'no'})" for test, p in defined.items()]
    text = f"A difference at the level of {ALPHA:.0%}, each by itself: {', '.join(parts)}."
    # Where all tests agree, or none is over folds, there is nothing to explain.
    if numbers["p"] is None or len({p < ALPHA for p in defined.values()}) == 1:
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
        f"{spoken(name)} is {significant(second, 4)} against {significant(first, 4)}."
    )
    return {"first": first, "second": second, "difference": second - first, "text": text}
