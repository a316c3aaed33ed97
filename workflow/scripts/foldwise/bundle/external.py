"""How a bundle's models do at another site, beside what was expected of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foldwise import __version__
from foldwise.bundle.cohort_facts import NORMAL_95
from foldwise.bundle.overlap import said as overlapping
from foldwise.bundle.recalibrate import curve, probabilities, recalibration
from foldwise.bundle.reliance import checked, covered
from foldwise.bundle.shift import shift
from foldwise.evaluate.fold import Measured, Row, plain
from foldwise.evaluate.holdout_summary import summarise_holdout
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.wording import called, spoken
from foldwise.hashing import digest
from foldwise.metrics import metric_of
from foldwise.reliability.subgroups import Asked, subgroups
from foldwise.settings.groups import units_of

HELD, FELL, ROSE, UNKNOWN = "no clear difference", "lower", "higher", "not known"


@dataclass(frozen=True)
class Tables:
    """Predictions of a site by all models together and by each, and the site's subgroups.

    subgroups: rows of subgroups.csv, columns: of subgroups.json; below `least` groups nothing is
    told of a value.
    """

    together: Sequence[Row]
    each: Sequence[Row]
    subgroups: Sequence[Row] = ()
    columns: Sequence[Mapping[str, Any]] = ()
    least: int = 0


def external_summary(
    study: str,
    manifest: Mapping[str, Any],
    tables: Tables,
    facts: Mapping[str, Any],
    measured: Measured,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """The content of external_summary.json: numbers over all images, of no single one.

    facts: of `predict_site`.
    """
    together, both = tables.together, (tables.together, tables.each)
    summary = summarise_holdout(*both, measured, bootstrap)
    summary.pop("folds")
    kind, classes = manifest["params"]["kind"], manifest["classes"]
    compared = comparison(manifest["expected"], summary["ensemble"])
    about = {key: manifest[key] for key in ("study", "foldwise", "licence")}
    record = {
        "study": study,
        "foldwise": __version__,
        "bundle": about
        # By hashes of its files: sites can see that they tried the same models.
        | {"digest": digest(manifest["files"]), "images": manifest["cohort"]["images"]},
        "kind": kind,
        "n": summary["n"],
        "groups": summary["groups"],
        "group_by": bootstrap.group_by,
        "levels": {
            name: {"n": level["n"], "metrics": level["metrics"]}
            for name, level in summary["ensemble"].items()
        },
        "monitor": manifest["expected"]["monitor"],
        "expected_of": manifest["expected"]["of"],
        "comparison": compared,
        "calibration": curve(*probabilities(together, classes)) if classes else [],
        "recalibration": recalibration(together, classes, bootstrap.seed),
        "reliability": checked(manifest, both, bootstrap),
        "subgroups": of_subgroups(manifest, tables, measured, bootstrap),
        "error": manifest["reliability"]["error"],
        "unreliable": manifest["reliability"]["reason"],
        "shift": shift(manifest["cohort"], facts["cohort"], facts["far"]),
        "overlap": facts["overlap"],
        "absent": absent(manifest["cohort"]["labels"], facts["cohort"]["labels"]),
        "methods": summary["methods"],
    }
    return plain(record | {"words": words(record)})


def of_subgroups(
    manifest: Mapping[str, Any], tables: Tables, measured: Measured, bootstrap: Bootstrap
) -> dict[str, Any] | None:
    """The site judged in parts, as a study judges a run; None where its file names no columns."""
    if not tables.columns:
        return None
    sets = covered(manifest, (tables.together, tables.each))
    return subgroups(
        rows=tables.together,
        values={row["sample"]: row for row in tables.subgroups},
        columns=tables.columns,
        task=measured,
        asked=Asked.of(measured, manifest["params"]["training"]["monitor"], tables.least, sets),
        bootstrap=bootstrap,
    )


def comparison(expected: Mapping[str, Any], here: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a metric of single images: here, expected, and the difference, with intervals."""
    ours, theirs = here["image"]["metrics"], expected["levels"]["image"]["metrics"]
    rows = []
    for name in (name for name in ours if name in theirs):
        row = {"metric": name, "title": called(name)[0]}
        row |= {"here": _known(ours[name]), "expected": _known(theirs[name])}
        rows.append(row | _difference(name, row["here"], row["expected"]))
    return rows


def _known(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": metric["value"], "interval": metric.get("interval") or [None, None]}


def _difference(name: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Here less expected with its interval, and in a word whether performance held.

    The two are of different patients, so that their variances add; each is taken from its interval,
    as of a normal distribution.
    """
    values = here["value"], there["value"]
    limits = [*here["interval"], *there["interval"]]
    if None in values:
        return {"difference": None, "difference_interval": [None, None], "verdict": UNKNOWN}
    gap = values[0] - values[1]
    if None in limits:
        return {"difference": gap, "difference_interval": [None, None], "verdict": UNKNOWN}
    errors = [
        (high - low) / (2 * NORMAL_95) for low, high in zip(limits[::2], limits[1::2], strict=True)
    ]
    reach = NORMAL_95 * float(np.hypot(*errors))
    low, high = gap - reach, gap + reach
    verdict = HELD if low <= 0 <= high else FELL if high < 0 else ROSE
    return {"difference": gap, "difference_interval": [low, high], "verdict": verdict}


def absent(trained: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, list[str]]:
    """Label -> classes of the training that no image here has."""
    found = {
        name: [one for one in counts if not here.get(name, {}).get(one)]
        for name, counts in trained.items()
    }
    return {name: classes for name, classes in found.items() if classes}


def words(record: Mapping[str, Any]) -> list[str]:
    """A paragraph, sentence by sentence: whether performance held, and what may be the cause."""
    units = units_of(record["group_by"])
    said = [
        f"The models of {record['bundle']['study']} were put to {record['n']:,} images of "
        f"{record['groups']:,} {units} here; they were trained on {record['bundle']['images']:,}."
    ]
    rows = {row["metric"]: row for row in record["comparison"]}
    main = rows.get(record["monitor"])
    said += [_main(main), *_tally(record["comparison"])] if main else []
    said += _absent(record["absent"])
    said += _shifted(record["shift"])
    said += _parted(record["subgroups"])
    said += _calibrated(record["recalibration"])
    said += _covered(record)
    said.append(overlapping(record["overlap"], record["group_by"]))
    return said


def _worse(name: str) -> str:
    """The verdict that says that a metric is worse here."""
    metric = metric_of(name)
    # Of a distance or a loss more is worse.
    return FELL if metric is None or metric.better != "min" else ROSE


def _tally(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many metrics are clearly worse or better: one alone may have no interval."""
    judged = [row for row in rows if row["verdict"] != UNKNOWN]
    worse = sum(row["verdict"] == _worse(row["metric"]) for row in judged)
    clear = sum(row["verdict"] != HELD for row in judged)
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
    if row["verdict"] == HELD:
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


def _shifted(found: Mapping[str, Any]) -> list[str]:
    """Sentences on what differs: labels, grey levels, features."""
    said = []
    for label, one in found["labels"].items():
        # Tests decide what is worth a sentence; the sentence says how large the difference is.
        if one["p"] is not None and one["p"] < 0.05:
            name = "" if label == "label" else f" of {label.removeprefix('label_')}"
            said.append(
                f"The shares of labels{name} differ from the training's by {one['distance']:.0%} "
                f"in total ({_p(one['p'])})."
            )
    for name in ("brightness", "contrast"):
        one = found[name]
        if one and one["p"] is not None and one["p"] < 0.05:
            way = "higher" if one["difference_sd"] > 0 else "lower"
            said.append(
                f"The {name} of prepared images is {way} than in training by "
                f"{abs(one['difference_sd']):.1f} standard deviations ({_p(one['p'])})."
            )
    one = found["features"]
    if one["p"] < 0.05:
        said.append(
            f"In the models' features {one['far']} of {one['n']} images lie farther out than one "
            f"in twenty of the training ({_p(one['p'])}): they look unlike what was learned."
        )
    return said or [
        "Labels, grey levels and features show no clear shift from the training cohort."
    ]


def _calibrated(found: Mapping[str, Any] | None) -> list[str]:
    if not found:
        return []
    before, after = found["ece"]["before"], found["ece"]["after"]
    return [
        f"With a temperature of {found['temperature']:.2f}, learned on "
        f"{found['groups_learned_on']} of the groups here, the calibration error on the other "
        f"{found['groups_judged_on']} goes from {before:.3f} to {after:.3f}."
    ]


def _parted(found: Mapping[str, Any] | None) -> list[str]:
    """A sentence a subgroup that clearly differs from all others, after Holm."""
    return [
        f"Of {one['column']} {level['level']} the {spoken(found['metric'])} differs from that of "
        f"the others by {level['difference']['value']:+.3f} ({_p(level['holm'])} after Holm)."
        for one in (found["columns"] if found else [])
        for level in one["levels"]
        if (level.get("holm") or 1) < 0.05
    ]


def _covered(record: Mapping[str, Any]) -> list[str]:
    """Sentences on the bundle's sets: whether they hold the truth as often as they say."""
    said = []
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
            end = "no clear lack."
        else:
            end = "without an interval nothing can be said of the difference."
        said.append(f"{begin}{_valued(here)} here: {end}")
        said += _missed(part["sets"]["by_class"]["here"]["by_class"], stated)
    return said


def _missed(classes: Mapping[str, Mapping[str, Any]], stated: float) -> list[str]:
    """A sentence on classes whose own limits hold the truth clearly less often than stated."""
    # By limits of their own: one limit for all promises nothing of a single class.
    clear = [
        f"{name} {_valued(one)}"
        for name, one in classes.items()
        if one["interval"][1] is not None and one["interval"][1] < stated
    ]
    return [f"With limits by class too few sets hold it of {'; '.join(clear)}."] if clear else []


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
