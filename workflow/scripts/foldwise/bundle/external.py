"""How a bundle's models do at another site, beside what was expected of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foldwise import __version__
from foldwise.bundle.cohort_facts import NORMAL_95
from foldwise.bundle.page.words import FELL, ROSE, UNCHANGED, UNKNOWN, words
from foldwise.bundle.recalibrate import curve, probabilities, recalibration
from foldwise.bundle.reliance import checked, covered
from foldwise.bundle.shift import shift
from foldwise.evaluate.fold import Measured, Row, plain
from foldwise.evaluate.holdout_summary import summarise_holdout
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.wording import called
from foldwise.hashing import digest
from foldwise.reliability.subgroups import SubgroupRequest, subgroups


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
        "reliability": checked(manifest, both, bootstrap, tables.least),
        "subgroups": of_subgroups(manifest, tables, measured, bootstrap),
        "least": tables.least,
        "error": manifest["reliability"]["error"],
        "unreliable": manifest["reliability"]["reason"],
        "shift": shift(manifest["cohort"], facts, tables.least),
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
        request=SubgroupRequest.of(
            measured, manifest["params"]["training"]["monitor"], tables.least, sets
        ),
        bootstrap=bootstrap,
    )


def comparison(expected: Mapping[str, Any], here: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a metric of single images: here, expected, and the difference, with intervals."""
    ours, theirs = here["image"]["metrics"], expected["levels"]["image"]["metrics"]
    rows = []
    for name in (name for name in ours if name in theirs):
        row = {"metric": name, "title": called(name)[0]}
        row |= {"here": _measured_value(ours[name]), "expected": _measured_value(theirs[name])}
        rows.append(row | _difference(row["here"], row["expected"]))
    return rows


def _measured_value(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": metric["value"], "interval": metric.get("interval") or [None, None]}


def _difference(here: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
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
    verdict = UNCHANGED if low <= 0 <= high else FELL if high < 0 else ROSE
    return {"difference": gap, "difference_interval": [low, high], "verdict": verdict}


def absent(trained: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, list[str]]:
    """Label -> classes of the training that no image here has."""
    unseen = {
        name: [one for one in counts if not here.get(name, {}).get(one)]
        for name, counts in trained.items()
    }
    return {name: classes for name, classes in unseen.items() if classes}
