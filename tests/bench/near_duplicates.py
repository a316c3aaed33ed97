"""Planted copies found, and other pairs taken for one, by kind of change.

`python tests/bench/near_duplicates.py [TABLE IMAGE_COLUMN PATIENT_COLUMN FOLDER [MOST]]`: pictures
of a table (paths below FOLDER), MOST of them or so; without arguments made-up films. Each is
planted once a kind of change, and once each two of them, under a patient of its own; pairs of one
patient count nowhere.
"""

import sys
from collections.abc import Sequence
from itertools import chain, combinations
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow" / "scripts")]


from copied import CHANGES, film, letterboxed  # noqa: E402
from foldwise.cohort.near_duplicates import compare  # noqa: E402
from foldwise.files import read_csv  # noqa: E402
from foldwise.pixels.likeness import looks_of  # noqa: E402

MADE, MOST, SIDE = 100, 150, 512


def pictures(arguments: Sequence[str]) -> tuple[list[np.ndarray], list[str]]:
    """Grey pictures and their patients."""
    if not arguments:
        return [film(seed) for seed in range(MADE)], [f"p{n}" for n in range(MADE)]
    table, image, patient, folder, *most = arguments
    rows = read_csv(table)
    # Evenly over the table: its first rows may all be of one kind.
    step = max(1, len(rows) // int(most[0] if most else MOST))
    rows = rows[::step]
    shown = [cv2.imread(str(Path(folder, row[image])), cv2.IMREAD_GRAYSCALE) for row in rows]
    return [_small(one) for one in shown], [row[patient] for row in rows]


def _small(image: np.ndarray) -> np.ndarray:
    share = min(1.0, SIDE / max(image.shape))
    return cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def measured(films: list[np.ndarray], patients: list[str], changes: list) -> tuple[int, int, int]:
    """Planted copies found, pairs of different patients, and those of them taken for one."""
    random, copies = np.random.default_rng(5), []
    for image in films:
        for change in changes:
            image = change(image, random)
        copies.append(image)
    n = len(films)
    looks = [looks_of(letterboxed(image)) for image in (*films, *copies)]
    groups = [*patients, *(f"copy {k}" for k in range(n))]
    owner = [*patients, *patients]
    pairs = {(pair.one, pair.other) for pair in compare(looks, groups)}
    found = sum((k, k + n) in pairs for k in range(n))
    others = sum(owner[a] != owner[b] for a in range(2 * n) for b in range(a))
    return found, others, sum(owner[a] != owner[b] for a, b in pairs)


def main(arguments: Sequence[str]) -> None:
    """Print a row a kind of change, one each two of them, and one of all changes at once."""
    films, patients = pictures(arguments)
    print(f"{len(films)} pictures of {len(set(patients))} patients\n")
    print("| Change | Planted | Found | Pairs of different patients | Taken for one | In 1,000 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    kinds = chain(combinations(CHANGES, 1), combinations(CHANGES, 2))
    for changes in ([], *map(list, kinds), CHANGES):
        name = ", ".join(change.__name__ for change in changes) or "none"
        name = "all at once" if changes == CHANGES else name
        found, others, wrong = measured(films, patients, changes)
        share = f"{1000 * wrong / others:.3f}" if others else "-"
        cells = (name, len(films), f"{found / len(films):.1%}", f"{others:,}", wrong, share)
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
