"""Labels that are likely wrong, by confident learning on out-of-fold probabilities.

Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in dataset labels",
Journal of Artificial Intelligence Research 70:1373-1411. A sample counts for a class where its
probability reaches the mean that samples labelled so have; it is suspect where that class, and the
predicted one, is not its label. As cleanlab's `filter_by="confident_learning"`. Zones are judged
one by one, by probabilities that know the image's other zones: `foldwise.reliability.zone_context`;
of masks see `foldwise.reliability.mask_suspects`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.cohort.tables.exclusions import ENTRY, entry
from foldwise.evaluate.fold import plain
from foldwise.reliability.mask_suspects import listed_masks, own_agreement
from foldwise.reliability.parts import Part, Row, parts_of, zone_parts
from foldwise.reliability.zone_context import far_ones, in_context

# Rounding of probabilities must not decide whether a threshold is reached (cleanlab's).
TOLERANCE = 1e-6
MASKS = "threshold"  # the setting of a task whose answers are masks
# Of suspects.json: how suspects were found.
CONFIDENT, AGREEMENT, CONTEXT = "confident_learning", "agreement", "zone_context"
SHOWN = 20  # on the page; all stand in the private list
# Columns of the list by keyed names, and of the one for a reader.
LISTED = ["sample", "label", "given", "looks_like", "probability_of_given"]
PRIVATE = [*ENTRY, *LISTED]


@dataclass(frozen=True)
class Suspects:
    """order (S,) places of the suspects, the least sure of their label first; guess (N,) the class
    that each sample counts for, -1 for none; own (N,) probability of the given label."""

    order: np.ndarray
    guess: np.ndarray
    own: np.ndarray


def confident_learning(labels: np.ndarray, probabilities: np.ndarray) -> Suspects:
    """Suspects of one label. labels (N,) integers, probabilities (N, K) out of fold."""
    thresholds = _thresholds(labels, probabilities)
    reached = probabilities >= thresholds - TOLERANCE
    guess = np.where(reached.any(axis=1), reached.argmax(axis=1), -1)
    predicted = probabilities.argmax(axis=1)
    # Of several classes whose threshold is reached the most probable one counts, as in the paper.
    guess = np.where(reached.sum(axis=1) > 1, predicted, guess)
    suspect = (guess >= 0) & (guess != labels) & (predicted != labels)
    own = probabilities[np.arange(len(labels)), labels]
    places = np.flatnonzero(suspect)
    # Stable: equally unsure labels keep the order of content.
    return Suspects(places[np.argsort(own[places], kind="stable")], guess, own)


def _thresholds(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(K,) mean probability of each class over samples labelled so; none reach an absent class."""
    k = probabilities.shape[1]
    return np.array(
        [probabilities[labels == i, i].mean() if (labels == i).any() else np.inf for i in range(k)]
    )


def find_suspects(
    rows: Sequence[Row], task: Mapping[str, Any], maps: Sequence[str | Path] = ()
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The content of suspects.json, and a row a suspect: sample, label (of several), given class,
    class that it looks like, probability of the given one.

    Of zones `images` ranks images by how many of their zones are suspect. Masks have agreement in
    the place of the probability; `maps`: maps_val.npy of the folds, in the order of `rows`.
    """
    if MASKS in task:
        listed = listed_masks(rows, own_agreement(maps, task[MASKS]))
        return plain({"method": AGREEMENT, "parts": [_counted("", len(rows), listed)]}), listed
    zones = task.get("zones")
    labels = zone_parts(rows, zones) if zones else parts_of(rows, task)
    context = in_context(labels) if zones else None
    parts, listed = [], []
    for part in context or labels:
        learned = confident_learning(part.labels, part.probabilities) if len(part.labels) else None
        if context and learned:
            learned = replace(learned, order=far_ones(learned.order, learned.guess, part.labels))
        own = _listed(part, rows, learned) if learned else []
        listed += own
        parts.append(_counted(part.name, len(part.labels), own))
    summary = {"method": CONTEXT if context else CONFIDENT, "parts": parts}
    if zones:
        ranked, listed = _by_image(listed)
        share = len(ranked) / len(rows) if rows else None
        summary["images"] = {"n": len(rows), "suspects": len(ranked), "share": share}
        summary["images"]["first"] = ranked[:SHOWN]
    return plain(summary), listed


def _counted(name: str, n: int, own: list[dict[str, Any]]) -> dict[str, Any]:
    """What suspects.json says of one label, with its first suspects."""
    pairs = Counter((one["given"], one["looks_like"]) for one in own)
    return {
        "name": name,
        "n": n,
        "suspects": len(own),
        "share": len(own) / n if n else None,
        "pairs": [{"given": g, "looks_like": o, "n": k} for (g, o), k in pairs.most_common()],
        "first": own[:SHOWN],
    }


def _by_image(
    listed: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Images by their number of suspect zones, then by the least likely score; and `listed` so."""
    of_image: dict[str, list[dict[str, Any]]] = {}
    for one in listed:
        of_image.setdefault(one["sample"], []).append(one)
    images = [
        {"sample": sample, "zones": [one["label"] for one in own], "n": len(own)}
        | {"probability_of_given": min(one["probability_of_given"] for one in own)}
        for sample, own in of_image.items()
    ]
    images.sort(key=lambda one: (-one["n"], one["probability_of_given"]))
    # A reader looks at an image once: its zones stand together.
    return images, [zone for one in images for zone in of_image[one["sample"]]]


def _listed(part: Part, rows: Sequence[Row], suspects: Suspects) -> list[dict[str, Any]]:
    return [
        {
            "sample": rows[i]["sample"],
            "label": part.name,
            "given": part.classes[part.labels[i]],
            "looks_like": part.classes[suspects.guess[i]],
            "probability_of_given": float(suspects.own[i]),
        }
        for i in suspects.order
    ]


def private_rows(
    listed: Sequence[Mapping[str, Any]], id_map: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """The list for a reader: `id` and an empty `reason`, as data.exclusions takes them signed."""
    by_sample = {row["sample"]: row for row in id_map}
    private = []
    for one in listed:
        named = by_sample[one["sample"]]
        rounded = f"{float(one['probability_of_given']):.4f}"
        private.append(entry(named) | dict(one) | {"probability_of_given": rounded})
    return private
