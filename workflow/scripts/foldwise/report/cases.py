"""Each validation image with its answer and a thumbnail: what the page's gallery shows."""

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from foldwise.evaluate.metrics.heads import classes_of
from foldwise.evaluate.metrics.zone_counts import VALUES
from foldwise.files import read_csv, write_json
from foldwise.report.explorer.overlays import SIDE, Overlays, merged, middle, shares_of, true_masks
from foldwise.report.explorer.subgroups import shown_values

QUALITY = 60  # of WebP: 1 to 3 kB a picture, so that MOST of them can be mailed
MOST = 2000
# Columns of the cohort that may stand in results: terms of a list, never an id or a free text.
TAKEN = ("view", "side")
SUBGROUPS = (*TAKEN, "stratum")
MOST_VALUES = 24  # of a subgroup; with more it is none


@dataclass(frozen=True)
class Extras:
    """What cases bear beyond their answers: overlays beyond the masks of the cache, and the study's
    subgroups, as rows of subgroups.csv and the run's subgroups.json."""

    overlays: Overlays = field(default_factory=dict)
    values: Sequence[dict[str, str]] = ()
    judged: Mapping[str, Any] | None = None


def write_cases(
    params: Mapping[str, Any],
    predictions: Sequence[str | Path],
    cohort: Sequence[dict[str, str]],
    images: Any,
    out: str | Path,
    extras: Extras | None = None,
) -> None:
    """Write cases.json: parts of an answer with their classes and counts, and a case an image,
    worst first, with the subgroups that the cohort has.

    `predictions`: val_predictions.csv of each fold. Of more than MOST images `kept` chooses.
    `images`: the cache, or None for cases without pictures.
    """
    parts, extras = parts_of(params["task"]), extras or Extras()
    rows = [row for path in predictions for row in read_csv(path)]
    # Worst first, so that what is cut off beyond MOST are the easiest images.
    cases = sorted((case_of(row, parts) for row in rows), key=lambda one: -(one["error"] or 0))
    shown, by_sample = kept(cases, MOST), {row["sample"]: row for row in cohort}
    levels, values = _subgroups(rows, cohort, extras)
    if levels:
        shown = [
            case | {"subgroups": [values[case["sample"]].get(name, "") for name in levels]}
            for case in shown
        ]
    if images is not None:
        drawn = [by_sample[case["sample"]] for case in shown]
        channels = params["image"]["channels"]
        pictures = thumbnails(images, drawn, channels)
        above = merged(true_masks(images, drawn, channels), extras.overlays)
        shown = [
            case | {"picture": one, "overlays": above.get(case["sample"], {})}
            for case, one in zip(shown, pictures, strict=True)
        ]
    # A list: JSON is written with sorted keys, and a case's answers are in the order of the parts.
    named = [
        {"name": in_words(part), "classes": list(names.values()), "counts": pairs(cases, k)}
        for k, (part, names) in enumerate(parts.items())
    ]
    facts = {"parts": named, "subgroups": list(levels), "levels": list(levels.values())}
    write_json(out, facts | {"images": len(cases), "shown": len(shown), "cases": shown})


def in_words(part: str) -> str:
    """A part of an answer as readers are told of it: `left_sup` is its name in a study file."""
    return part.replace("_", " ")


def kept(cases: Sequence[Any], most: int) -> list[Any]:
    """Of more than `most` cases, worst first: the worst half, and evenly drawn others.

    The worst alone would show no image that a model gets right.
    """
    if len(cases) <= most:
        return list(cases)
    worst = most // 2
    others = np.linspace(worst, len(cases) - 1, most - worst).round().astype(int)
    return [*cases[:worst], *(cases[i] for i in others)]


def pairs(cases: Sequence[Mapping[str, Any]], part: int) -> list[list[Any]]:
    """[truth, prediction, number of images] of one part of an answer, of all images."""
    seen = Counter((one["truth"][part], one["predicted"][part]) for one in cases)
    return [[*pair, number] for pair, number in sorted(seen.items())]


def _subgroups(
    rows: Sequence[dict[str, str]], cohort: Sequence[dict[str, str]], extras: Extras
) -> tuple[dict[str, list[str]], dict[str, dict[str, str]]]:
    """Column -> values in order, sample -> column -> value: the cohort's and the study's own."""
    own = {row["sample"]: {name: row.get(name, "") for name in SUBGROUPS} for row in cohort}
    if extras.judged is None:
        return subgroups_of(cohort, ()), own
    # A column that the study names is told by the rule of subgroups alone.
    stated = [one["column"] for one in extras.judged["columns"]]
    of_cohort = subgroups_of(cohort, stated)
    names = [name for name in TAKEN if name in of_cohort]
    taken = {sample: tuple(one[name] for name in names) for sample, one in own.items()}
    levels, values = shown_values(rows, extras.values, extras.judged, taken)
    return of_cohort | levels, {sample: own[sample] | one for sample, one in values.items()}


def subgroups_of(
    cohort: Sequence[Mapping[str, str]], stated: Sequence[str]
) -> dict[str, list[str]]:
    """Columns of SUBGROUPS, but those stated, in which the images differ, with their few values."""
    names = [name for name in SUBGROUPS if name not in stated]
    values = {name: sorted({row.get(name, "") for row in cohort}) for name in names}
    return {name: seen for name, seen in values.items() if 1 < len(seen) <= MOST_VALUES}


def parts_of(task: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Part of an answer -> its classes in order: as the table of predictions says them -> name.

    The one part of a plain class is called "".
    """
    if "zones" in task:
        return {zone: {str(n): name for n, name in enumerate(VALUES)} for zone in task["zones"]}
    return {part: {name: name for name in classes} for part, classes in classes_of(task).items()}


def case_of(row: Mapping[str, str], parts: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Truth and prediction of each part, mean confidence, and error.

    Error is 1 less the probability of the truth; of a mask, 1 less its Jaccard. Parts
    without a truth or an answer count in neither mean.
    """
    answers = {part: _answer(row, part, names) for part, names in parts.items()}
    sure = [one["confidence"] for one in answers.values() if one["confidence"] is not None]
    wrong = [1 - one["p_truth"] for one in answers.values() if one["p_truth"] is not None]
    jaccard = _finite(row.get("jaccard"))
    if not parts and jaccard is not None:
        wrong = [1 - jaccard]
    return {
        "sample": row["sample"],
        "fold": row["fold"],
        "truth": [one["truth"] for one in answers.values()],
        "predicted": [one["predicted"] for one in answers.values()],
        "confidence": _mean(sure),
        "error": _mean(wrong),
    }


def _answer(row: Mapping[str, str], part: str, names: Mapping[str, str]) -> dict[str, Any]:
    end = f"_{part}" if part else ""
    truth, predicted = row.get(f"label{end}", ""), row.get(f"predicted{end}", "")
    p_truth, confidence = (_finite(row.get(f"p{end}_{name}")) for name in (truth, predicted))
    shown = {"truth": names.get(truth, truth), "predicted": names.get(predicted, predicted)}
    return shown | {"p_truth": p_truth, "confidence": confidence}


def _finite(text: str | None) -> float | None:
    """A probability; None where there is none, or no number."""
    value = float(text) if text else np.nan
    return value if np.isfinite(value) else None


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def thumbnails(images: Any, rows: Sequence[dict[str, str]], channels: int) -> Iterator[str]:
    """WebP of each image as the network is given it, before augmentation, in base64."""
    planes, shares = np.empty((1, *images.shape), images.dtype), shares_of(images, rows)
    for row in rows:
        images.take(images.places([row]), planes)
        share = shares.get(row["sample"], 1)
        yield encoded(np.stack([middle(plane, share) for plane in planes[0, :channels]]))


def encoded(planes_chw: np.ndarray) -> str:
    """Base64 of a WebP of at most SIDE pixels; 16-bit pictures lose their lower half."""
    height, width = planes_chw.shape[1:]
    scale = min(1, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # 8 for 16-bit pictures, 0 for those of 8.
    shift = 8 * (planes_chw.dtype.itemsize - 1)
    small = [
        (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) >> shift).astype(np.uint8)
        for plane in planes_chw
    ]
    # OpenCV's order of colours is blue, green, red.
    picture = np.dstack(small[::-1]) if len(small) == 3 else small[0]
    done, content = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return base64.b64encode(content).decode() if done else ""
