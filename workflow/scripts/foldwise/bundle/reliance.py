"""A bundle's calibration and conformal sets: on new images, and checked where truth is known."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foldwise.evaluate.metrics.heads import columns_of
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.reliability.calibration import BEFORE, measured
from foldwise.reliability.conformal import KINDS, coverage
from foldwise.reliability.new_images import mended, of_models, sets
from foldwise.reliability.parts import Part, Row, parts_named
from foldwise.reliability.subgroups import hidden

# Columns of the sets in a table of predictions.
SETS = {"all": "set", "by_class": "set_by_class"}
BETWEEN = "|"
MENDED = "mended"
# In place of what is not told.
FEW = {"value": None, "interval": [None, None], "few": True}


def columns(
    manifest: Mapping[str, Any], samples: Sequence[str], each: Sequence[Row]
) -> list[dict[str, str]]:
    """A row a sample: `calibrated_<column>` and the sets, of parts that have them.

    each: predictions of each model, by `sample` and `fold`.
    """
    table: list[dict[str, str]] = [{} for _ in samples]
    for name, carried in manifest["reliability"]["parts"].items():
        classes = manifest["classes"][name]
        p_mnk = of_models(samples, each, name, classes)
        for column, values in _of_part(name, classes, carried, p_mnk).items():
            for row, value in zip(table, values, strict=True):
                row[column] = value
    return table


def _of_part(
    name: str, classes: Sequence[str], carried: Mapping[str, Any], p_mnk: np.ndarray
) -> dict[str, list[str]]:
    """Column -> value of each sample."""
    made = {}
    if "map" in carried["calibration"]:
        better = mended(carried["calibration"]["map"], p_mnk)
        prefix = columns_of(name)[1]
        for k, one in enumerate(classes):
            made[f"calibrated_{prefix}{one}"] = [f"{value:.6g}" for value in better[:, k]]
    for kind in KINDS if "reason" not in carried["sets"] else ():
        inside = sets(carried["sets"][kind]["limits"], p_mnk)
        column = f"{SETS[kind]}_{name}" if name else SETS[kind]
        made[column] = [BETWEEN.join(np.array(classes)[row]) for row in inside]
    return made


def in_words(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the columns of `columns`, in words, or why there are none."""
    reliability = manifest["reliability"]
    if not reliability["parts"]:
        return {"calibration": reliability["reason"], "sets": reliability["reason"]}
    return {
        part or "answer": {
            "calibration": _map_in_words(one["calibration"]),
            "sets": _sets_in_words(one["sets"], reliability["error"]),
        }
        for part, one in reliability["parts"].items()
    }


def _map_in_words(calibration: Mapping[str, Any]) -> str:
    if "reason" in calibration:
        return str(calibration["reason"])
    fitted = calibration["map"]
    number = f" {fitted['temperature']:.3g}" if "temperature" in fitted else ""
    return f"{fitted['method']}{number}, learned on the study's validation predictions"


def _sets_in_words(conformal: Mapping[str, Any], error: float) -> str:
    if "reason" in conformal:
        return str(conformal["reason"])
    return f"hold the truth in {1 - error:.0%} of images like those of the study"


def checked(
    manifest: Mapping[str, Any],
    tables: tuple[Sequence[Row], Sequence[Row]],
    bootstrap: Bootstrap,
    least: int,
) -> list[dict[str, Any]]:
    """A part each: metrics as they come and by the bundle's map, and what its sets hold here.

    tables: predictions of all models together, and of each. Of a class of fewer groups than `least`
    coverage is not told.
    """
    together, each = tables
    samples, judged = [row["sample"] for row in together], []
    for part, carried in _parts(manifest, together):
        p_mnk = of_models(samples, each, part.name, part.classes)
        one = _checked(part, carried, p_mnk, bootstrap)
        rare = _rare(part, least)
        for kind in KINDS if "reason" not in one["sets"] else ():
            one["sets"][kind]["here"]["by_class"] |= dict.fromkeys(rare, FEW)
        judged.append(one)
    return judged


def _rare(part: Part, least: int) -> list[str]:
    """Classes of too few groups to be told of, by the rule of subgroups."""
    levels = []
    for k, name in enumerate(part.classes):
        own = part.labels == k
        groups = len(np.unique(part.group[own]))
        # A class that nobody has says nothing of anybody.
        if groups:
            levels.append({"level": name, "n": int(own.sum()), "few": groups < least})
    return [level["level"] for level in hidden(levels) if level["few"]]


def covered(
    manifest: Mapping[str, Any], tables: tuple[Sequence[Row], Sequence[Row]]
) -> dict[str, np.ndarray]:
    """Part -> (N,) whether the bundle's set of an image holds its truth, of parts with sets."""
    together, each = tables
    samples, by_part = [row["sample"] for row in together], {}
    for part, carried in _parts(manifest, together):
        if "reason" not in carried["sets"]:
            p_mnk = of_models(samples, each, part.name, part.classes)
            inside = sets(carried["sets"]["all"]["limits"], p_mnk)
            by_part[part.name] = inside[np.arange(len(inside)), part.labels]
    return by_part


def _parts(
    manifest: Mapping[str, Any], rows: Sequence[Row]
) -> list[tuple[Part, Mapping[str, Any]]]:
    carried = manifest["reliability"]["parts"]
    parts = parts_named(rows, {name: manifest["classes"][name] for name in carried})
    return [(part, carried[part.name]) for part in parts]


def _checked(
    part: Part, carried: Mapping[str, Any], p_mnk: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Coverage and calibration of one part; `reason` in place of what the bundle has none of."""
    judged: dict[str, Any] = {"name": part.name, "classes": part.classes}
    if "map" in carried["calibration"]:
        better = mended(carried["calibration"]["map"], p_mnk)
        tables = {BEFORE: part.probabilities, MENDED: better}
        judged["calibration"] = {
            "map": _map_in_words(carried["calibration"]),
            "metrics": measured(part, tables, bootstrap),
        }
    else:
        judged["calibration"] = carried["calibration"]
    if "reason" in carried["sets"]:
        return judged | {"sets": carried["sets"]}
    of_kinds = {kind: _covers(part, carried["sets"][kind], p_mnk, bootstrap) for kind in KINDS}
    return judged | {"sets": of_kinds}


def _covers(
    part: Part, conformal: Mapping[str, Any], p_mnk: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Any]:
    here = coverage(part, sets(conformal["limits"], p_mnk), bootstrap)
    return {"here": here, "expected": conformal["expected"]}
