"""How often triage keeps the error that it states: simulated on our own functions.

`python tests/bench/triage_coverage.py [--write]`: prints the table of docs/statistics.md, `--write`
puts it there; about 2 CPU minutes. Patients, images and the calibrated model are those of
`interval_coverage.py`. "Without a test" is the least confidence above which the sample itself has
no more than the stated error.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "workflow" / "scripts")]

from interval_coverage import LEVEL, Setting, drawn  # noqa: E402

from foldwise.reliability.triage import NOBODY, threshold_for  # noqa: E402

SIZES = {20: 300, 50: 300, 100: 300, 200: 200, 500: 100, 2000: 40}
# Of a model that is right in .83 of cases, and of one that is in .96.
ERRORS = {"good": 0.1, "high": 0.02}
Sample = tuple[np.ndarray, np.ndarray, np.ndarray]
Rule = Callable[[Sample, float], float]


def sample(setting: Setting, random: np.random.Generator) -> Sample:
    """Confidence, whether it is right, and patient of each image."""
    labels, p, patients = drawn(setting, random)
    return p.max(axis=1), p.argmax(axis=1) == labels, patients


def untested(found: Sample, error: float) -> float:
    """Least confidence from which at most the share `error` of the sample is wrong."""
    confidence, right, _ = found
    order = np.argsort(-confidence)
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(wrong <= error)
    return float(confidence[order][good[-1]]) if len(good) else NOBODY


def tested(found: Sample, error: float) -> float:
    """What the page shows."""
    return threshold_for(*found, error, LEVEL)


def broken(rule: Rule, setting: Setting, repeats: int, many: Sample) -> tuple[float, float]:
    """Share of studies whose true error is above the stated one, and mean share decided."""
    random, error = np.random.default_rng([setting.patients, setting.images]), ERRORS[setting.skill]
    confidence, right, _ = many
    failed, decided = [], []
    for _ in range(repeats):
        stands = confidence >= rule(sample(setting, random), error)
        decided.append(stands.mean())
        failed.append(bool(stands.any()) and (~right[stands]).mean() > error)
    return float(np.mean(failed)), float(np.mean(decided))


def table() -> Iterator[str]:
    """Its rows."""
    yield (
        "| Patients | Images each | Performance | Stated error | Without a test: broken | "
        "decided | Shown by a test: broken | decided |"
    )
    yield "| --- " * 8 + "|"
    for skill, error in ERRORS.items():
        many = sample(Setting(200_000, 1, "equal", skill), np.random.default_rng(0))
        for images in (1, 4):
            for n, repeats in SIZES.items():
                setting = Setting(n, images, "equal", skill)
                pairs = [broken(rule, setting, repeats, many) for rule in (untested, tested)]
                cells = " | ".join(f"{100 * x:.0f} %" for pair in pairs for x in pair)
                yield f"| {n:,} | {images} | {skill} | {100 * error:.0f} % | {cells} |"


def main(write: bool) -> None:
    """Print the table, and put it between its marks in the page."""
    rows = []
    for row in table():
        print(row, flush=True)
        rows.append(row)
    if write:
        page, mark = ROOT / "docs" / "statistics.md", "<!-- table triage -->"
        before, _, after = page.read_text(encoding="utf-8").split(mark)
        page.write_text("\n".join([before + mark, *rows, mark + after]), encoding="utf-8")


if __name__ == "__main__":
    main("--write" in sys.argv[1:])
