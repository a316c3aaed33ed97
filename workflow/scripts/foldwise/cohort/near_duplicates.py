"""Pictures of two groups that are nearly one: rescaled, recompressed, re-windowed, mirrored, cut.

Equal pixels are found by their digest; a copy that was changed on its way is not, and stands in
training and validation at once just the same. All pairs of different groups are compared coarsely,
the likeliest in detail (`foldwise.pixels.likeness`). What was found is remembered in `private/`.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.cohort.audit_files import identified
from foldwise.cohort.conflicts import refusal
from foldwise.cohort.findings import NOTE, PRIVATE, QUARANTINE, Finding, private_rows, stop
from foldwise.cohort.identity import write_private, write_private_csv
from foldwise.errors import FoldwiseError
from foldwise.files import json_text, read_json
from foldwise.hashing import digest
from foldwise.pixels import likeness
from foldwise.pixels.cache import Images

log = logging.getLogger("foldwise")

VERSION, REASON = 2, "near_duplicate"
# Chosen on mammograms, chest films, CT and MR, micrographs and photographs (docs/faults.md): fewer
# than one in a thousand pairs of different patients lies above.
THRESHOLD = 0.85
# Below it a pair is one from FLOOR on where neither picture is nearly as like any third: different
# mammograms reach .85, different chest films .7, and what a window takes of a copy hangs on the
# picture. So are keypoints matched, by the second best (Lowe 2004, Int J Comput Vis 60:91).
FLOOR, MARGIN = 0.7, 0.15
# Coarse likeness below which no pair is looked at, and how many of the likeliest are.
LEAST_COARSE, LIKELIEST = 0.4, 8
BLOCK = 8
# Above this many images only whole pictures and mirror images are compared: time goes with the
# square of the number.
MOST_WITH_PARTS = 12_000
SECONDS_BETWEEN_LINES = 60


@dataclass(frozen=True)
class Pair:
    """Two samples of different groups, by their number, and their correlation."""

    one: int
    other: int
    correlation: float


def near_duplicates(rows: Sequence[dict[str, Any]], cache: Path, memory: Path) -> list[Pair]:
    """Pairs of rows (sample, group, content, shard, row) that are nearly one picture.

    `cache` is the folder of shards, `memory` the private file of what was found last time for the
    same images in the same groups.
    """
    if len({row["group"] for row in rows}) < 2:
        return []
    # Groups too: two images are near duplicates only where they are of two patients.
    key = digest([VERSION, cache.name, [[row["content"], row["group"]] for row in rows]])
    if memory.exists():
        try:
            stored = read_json(memory)
        except FoldwiseError:
            stored = {}  # cut short: it is made anew
        if stored.get("key") == key:
            return [Pair(*one) for one in stored["pairs"]]
    pairs = compare(_planes(rows, cache), [row["group"] for row in rows])
    listed = [[pair.one, pair.other, pair.correlation] for pair in pairs]
    write_private(memory, json_text({"key": key, "pairs": listed}))
    return pairs


def judge(
    rows: Sequence[dict[str, Any]], cache: Path, rule: str, study: Path
) -> tuple[list[Finding], list[Pair]]:
    """Findings on both samples of each pair, and the pairs; names of files go to `private/`.

    `rule`: note, drop (quarantine) or refuse. Raises FoldwiseError where it is refuse.
    """
    private = study / "private"
    pairs = near_duplicates(rows, cache, private / "near_duplicates.json")
    kind = NOTE if rule == "note" else QUARANTINE
    findings = [
        Finding(rows[a]["sample"], "decode", kind, REASON, detail=f"{rows[b]['sample']} {r:.2f}")
        for one, other, r in map(astuple, pairs)
        for a, b in ((one, other), (other, one))
    ]
    named = identified(findings, study)
    write_private_csv(private / "near_duplicates.csv", PRIVATE, private_rows(named))
    if pairs and rule == "refuse":
        raise stop(named, study, refusal(REASON, len(pairs), len({item.key for item in findings})))
    log.info("Near duplicates: %d pairs of images of different groups.", len(pairs))
    return findings, pairs


def _planes(rows: Sequence[dict[str, Any]], cache: Path) -> list[tuple]:
    """The looks of each row's first plane; planes after an image's channels are masks."""
    images = Images.of(rows, cache)
    buffer = np.empty((1, *images.shape), images.dtype)
    places = images.places(rows)
    return [
        likeness.looks_of(images.take(places[n : n + 1], buffer)[0, 0]) for n in range(len(rows))
    ]


def compare(looks: list[tuple], groups: Sequence[str], least: float = THRESHOLD) -> list[Pair]:
    """Pairs of pictures of different groups whose aligned correlation is `least` or more, or
    stands out.
    """
    parts = likeness.PARTS if len(looks) <= MOST_WITH_PARTS else [likeness.WHOLE]
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    group = np.array([names[name] for name in groups])
    best: dict[tuple[int, int], float] = {}
    for one, other, view, part in _likely(looks, group, parts):
        pair = (min(one, other), max(one, other))
        # Once it is above, a pair is one: how alike it is from the other side needs no more time.
        if best.get(pair, 0.0) < least:
            correlation = likeness.correlation(looks[one][view], looks[other][view], part, parts)
            best[pair] = max(correlation, best.get(pair, 0.0))
    # Rounded: the last bits of a correlation differ between machines, the file must not.
    rounded = {pair: round(r, 4) for pair, r in sorted(best.items())}
    second = _second_best(rounded, group)
    return [
        Pair(*pair, r)
        for pair, r in rounded.items()
        if r >= least or r >= max(FLOOR, second[pair] + MARGIN)
    ]


def _second_best(
    correlations: Mapping[tuple[int, int], float], group: np.ndarray
) -> dict[tuple[int, int], float]:
    """Of each pair how like either picture is to one of a third group; 0 where none is likely."""
    matches, of = defaultdict(list), group.tolist()
    for (one, other), r in correlations.items():
        matches[one].append((r, of[other]))
        matches[other].append((r, of[one]))
    return {
        (a, b): max(
            (r for r, third in (*matches[a], *matches[b]) if third not in (of[a], of[b])),
            default=0.0,
        )
        for a, b in correlations
    }


def _likely(
    looks: list[tuple], group: np.ndarray, parts: list[tuple]
) -> Iterator[tuple[int, int, int, int]]:
    """(one, other, view, part): the likeliest others of each picture, by both of its views."""
    number, reported = len(looks), time.monotonic()
    bases = [np.array([likeness.coarse(own[view]) for own in looks], np.float32) for view in (0, 1)]
    for start in range(0, number, BLOCK):
        block = range(start, min(start + BLOCK, number))
        if time.monotonic() - reported > SECONDS_BETWEEN_LINES:
            log.info("Near duplicates: %d of %d images compared.", start, number)
            reported = time.monotonic()
        blocks, scores = [], []
        for view in (0, 1):
            own = np.stack([likeness.coarse_parts(looks[n][view], parts) for n in block])
            blocks.append(own.astype(np.float32))
            products = blocks[view].reshape(-1, own.shape[-1]) @ bases[view].T
            scores.append(products.reshape(len(block), -1, number).max(1))
        view = (scores[1] > scores[0]).astype(int)
        score = np.maximum(*scores)
        # Below any threshold, itself included: within a group likeness is no leak.
        score[group[block.start : block.stop, None] == group[None, :]] = -1
        for place, one in enumerate(block):
            # Stable: of equal scores the first by content is looked at, on any machine.
            for other in np.argsort(-score[place], kind="stable")[:LIKELIEST].tolist():
                if score[place, other] >= LEAST_COARSE:
                    by = int(view[place, other])
                    # Which part it was is asked of the few alone: for all it costs as much again.
                    yield one, other, by, int((blocks[by][place] @ bases[by][other]).argmax())
