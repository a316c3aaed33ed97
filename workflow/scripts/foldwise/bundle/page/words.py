"""A paragraph on a validation, sentence by sentence: whether performance held, and why not."""

from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.bundle.overlap import in_words as overlap_in_words
from foldwise.evaluate.verdict import ALPHA
from foldwise.evaluate.wording import spoken
from foldwise.metrics import metric_of
from foldwise.settings.groups import units_of

UNCHANGED, FELL, ROSE, UNKNOWN = "no clear difference", "lower", "higher", "not known"


def words(record: Mapping[str, Any]) -> list[str]:
    """A paragraph, sentence by sentence: whether performance held, and what may be the cause."""
    units = units_of(record["group_by"])
    sentences = [
        f"The models of {record['bundle']['study']} were put to {record['n']:,} images of "
        f"{record['groups']:,} {units} here; they were trained on {record['bundle']['images']:,}."
    ]
    rows = {row["metric"]: row for row in record["comparison"]}
    main = rows.get(record["monitor"])
    sentences += [_main(main), *_tally(record["comparison"])] if main else []
    sentences += _absent(record["absent"])
    sentences += _shifted(record["shift"])
    sentences += _parted(record["subgroups"])
    sentences += _calibrated(record["recalibration"], units)
    sentences += _covered(record)
    sentences.append(overlap_in_words(record["overlap"], record["group_by"]))
    return sentences


def _worse(name: str) -> str:
    """The verdict that says that a metric is worse here."""
    metric = metric_of(name)
    # Of a distance or a loss more is worse.
    return FELL if metric is None or metric.better != "min" else ROSE


def _tally(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many metrics are clearly worse or better: one alone may have no interval."""
    judged = [row for row in rows if row["verdict"] != UNKNOWN]
    worse = sum(row["verdict"] == _worse(row["metric"]) for row in judged)
    clear = sum(row["verdict"] != UNCHANGED for row in judged)
    if not judged:
        return []
    return [
        f"Of {len(judged)} metrics with intervals on both sides {worse} are clearly worse and "
        f"{clear - worse} clearly better than expected."
    ]


def _main(row: Mapping[str, Any]) -> str:
    name, here, there = spoken(row["metric"]), row["here"], row["expected"]
    if row["difference"] is None:
        return f"The {name} is not defined here."
    worse = _worse(row["metric"])
    begin = f"The {name} was {_valued(here)} here, where {_valued(there)} was expected"
    if row["verdict"] == UNKNOWN:
        return f"{begin}; without an interval on both sides nothing can be said of the difference."
    low, high = row["difference_interval"]
    span = f"difference {row['difference']:+.3f}, {low:+.3f} to {high:+.3f}"
    if row["verdict"] == UNCHANGED:
        # The interval's far end: "no difference" alone says nothing of how large a loss may be.
        bound = -low if worse == FELL else high
        return (
            f"{begin} ({span}): the data show no difference, and exclude a loss of more than "
            f"{max(bound, 0):.3f} only."
        )
    if row["verdict"] == worse:
        return f"{begin} ({span}): performance did not hold."
    return f"{begin} ({span}): performance was better than expected."


def _valued(side: Mapping[str, Any]) -> str:
    low, high = side["interval"]
    span = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f"{side['value']:.3f}{span}"


def _absent(classes: Mapping[str, list[str]]) -> list[str]:
    return [
        f"No image here is of {'classes' if len(names) > 1 else 'class'} {', '.join(names)}"
        f"{'' if label == 'label' else f' ({label})'}: metrics over classes leave "
        f"{'them' if len(names) > 1 else 'it'} out or count {'them' if len(names) > 1 else 'it'} "
        "as none, and are not comparable as they stand."
        for label, names in classes.items()
    ]


def _shifted(shift: Mapping[str, Any]) -> list[str]:
    """Sentences on what differs: labels, grey levels, features."""
    sentences = []
    for label, one in shift["labels"].items():
        # Tests decide what is worth a sentence; the sentence says how large the difference is.
        if one["p"] is not None and one["p"] < ALPHA:
            name = "" if label == "label" else f" of {label.removeprefix('label_')}"
            sentences.append(
                f"The shares of labels{name} differ from the training's by {one['distance']:.0%} "
                f"in total ({p_text(one['p'])})."
            )
    for name in ("brightness", "contrast"):
        one = shift[name]
        if one and one["p"] is not None and one["p"] < ALPHA:
            way = "higher" if one["difference_sd"] > 0 else "lower"
            sentences.append(
                f"The {name} of prepared images is {way} than in training by "
                f"{abs(one['difference_sd']):.1f} standard deviations ({p_text(one['p'])})."
            )
    one = shift["features"]
    if one["p"] < ALPHA:
        sentences.append(
            f"In the models' features {one['far']} of {one['n']} images lie farther out than one "
            f"in twenty of the training ({p_text(one['p'])}): they look unlike what was learned."
        )
    return sentences or [
        "Labels, grey levels and features show no clear shift from the training cohort."
    ]


def _calibrated(recalibration: Mapping[str, Any] | None, units: str) -> list[str]:
    if not recalibration:
        return []
    before, after = recalibration["ece"]["before"], recalibration["ece"]["after"]
    return [
        f"With a temperature of {recalibration['temperature']:.2f}, learned on "
        f"{recalibration['groups_learned_on']} of the {units} here, the calibration error on the "
        f"other {recalibration['groups_judged_on']} goes from {before:.3f} to {after:.3f}."
    ]


def _parted(subgroups: Mapping[str, Any] | None) -> list[str]:
    """A sentence a subgroup that clearly differs from all others, after Holm."""
    return [
        f"Of {one['column']} {level['level']} the {spoken(subgroups['metric'])} differs from that "
        f"of the others by {level['difference']['value']:+.3f} ({p_text(level['holm'])} after "
        "Holm)."
        for one in (subgroups["columns"] if subgroups else [])
        for level in one["levels"]
        if (level.get("holm") or 1) < ALPHA
    ]


def _covered(record: Mapping[str, Any]) -> list[str]:
    """Sentences on the bundle's sets: whether they hold the truth as often as they say."""
    sentences = []
    for part in record["reliability"]:
        if "reason" in part["sets"]:
            continue
        here, stated = part["sets"]["all"]["here"]["coverage"], 1 - record["error"]
        name = f" of {part['name']}" if part["name"] else ""
        begin = f"The bundle's sets{name}, made to hold the truth in {stated:.0%}, hold it in "
        low, high = here["interval"]
        if high is not None and high < stated:
            end = "clearly less often: do not rely on them here."
        elif low is not None:
            # Of few patients the interval holds nearly anything: its lower end says how much.
            end = f"no clear lack, though {low:.0%} would fit too."
        else:
            end = "without an interval nothing can be said of the difference."
        sentences.append(f"{begin}{_valued(here)} here: {end}")
        sentences += _missed(part["sets"]["by_class"]["here"]["by_class"], stated)
    return sentences


def _missed(classes: Mapping[str, Mapping[str, Any]], stated: float) -> list[str]:
    """A sentence on classes whose own limits hold the truth clearly less often than stated."""
    # By limits of their own: one limit for all promises nothing of a single class.
    clear = [
        f"{name} {_valued(one)}"
        for name, one in classes.items()
        if one["interval"][1] is not None and one["interval"][1] < stated
    ]
    return [f"With limits by class too few sets hold it of {'; '.join(clear)}."] if clear else []


def p_text(value: float) -> str:
    """`p = 0.012`, as a sentence has it."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
