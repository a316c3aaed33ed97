"""How often intervals hold the truth, and tests find a difference: simulated on our own functions.

`python tests/bench/interval_coverage.py [--write]`: prints the tables of docs/statistics.md,
`--write` puts them there; `--part 0.1` takes a tenth of the repeats. About 5 CPU minutes.

Patients have one of four ordinal classes; an image shows its patient's class as a number with an
effect of the patient and one of the image (equal variances). The model answers by Bayes' rule from
that number, so that it is calibrated: its true ECE is 0. What is true of the other metrics is
measured on 200,000 patients.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow" / "scripts")]

from foldwise.evaluate.metrics.classification import scores  # noqa: E402
from foldwise.evaluate.metrics.intervals import Bootstrap, Interval, fold_mean  # noqa: E402
from foldwise.evaluate.metrics.paired import corrected_t, mcnemar, sign_flip  # noqa: E402
from foldwise.evaluate.summary import limits_of  # noqa: E402

POOLED = ("accuracy", "kappa", "macro_f1", "auc", "log_loss", "ece")
OVER_FOLDS = ("accuracy", "kappa", "auc", "log_loss")
SHARES = {"equal": (0.25, 0.25, 0.25, 0.25), "rare": (0.05, 0.45, 0.45, 0.05)}
# Distance of neighbouring classes in standard deviations of an image: accuracy .6, .83 and .96.
SKILLS = {"middling": 1.3, "good": 2.4, "high": 4.2}
TABLED = ("middling", "high")
SIZES = {20: 200, 50: 200, 100: 200, 200: 150, 500: 100, 2000: 40}
RESAMPLES = 300
LEVEL = 0.95


@dataclass(frozen=True)
class Setting:
    """Patients, images of each, shares of the classes and distance between them."""

    patients: int
    images: int
    shares: str
    skill: str


def drawn(setting: Setting, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Labels (N,), probabilities (N, 4) and patients (N,) of one study."""
    shares, step = np.array(SHARES[setting.shares]), SKILLS[setting.skill]
    of_patient = random.choice(4, setting.patients, p=shares)
    patients = np.repeat(np.arange(setting.patients), setting.images)
    labels = of_patient[patients]
    effects = random.normal(0, np.sqrt(0.5), setting.patients)[patients]
    seen = labels * step + effects + random.normal(0, np.sqrt(0.5), len(labels))
    likely = shares * np.exp(-((seen[:, None] - step * np.arange(4)) ** 2) / 2)
    return labels, likely / likely.sum(axis=1, keepdims=True), patients


@functools.cache
def truth(shares: str, skill: str) -> dict[str, float]:
    """Metrics of very many patients; a calibrated model's calibration error is none."""
    labels, p, _ = drawn(Setting(200_000, 1, shares, skill), np.random.default_rng(0))
    return scores(labels, p) | {"ece": 0.0}


def pooled(setting: Setting, random: np.random.Generator) -> dict[str, Interval]:
    """Intervals of one study's pooled metrics."""
    labels, p, patients = drawn(setting, random)
    bootstrap = Bootstrap(int(random.integers(2**31)), "patient", RESAMPLES, LEVEL)
    return bootstrap.of_table("pooled", lambda w: scores(labels, p, w), patients.astype(str))


def over_folds(folds: int, setting: Setting, random: np.random.Generator) -> dict[str, Interval]:
    """Intervals of the means over folds of one study."""
    labels, p, patients = drawn(setting, random)
    fold = random.permutation(np.arange(setting.patients) % folds)[patients]
    values = [scores(labels[fold == k], p[fold == k]) for k in range(folds)]
    return {
        name: fold_mean([v[name] for v in values], 1 / (folds - 1), LEVEL, limits_of(name))
        for name in OVER_FOLDS
    }


def coverage(
    setting: Setting, make: Callable[..., dict[str, Interval]], repeats: int
) -> dict[str, tuple[float, float]]:
    """Metric -> share of the given intervals that hold the truth, and share not given."""
    random = np.random.default_rng([setting.patients, setting.images, repeats])
    true, held = truth(setting.shares, setting.skill), {}
    for _ in range(repeats):
        for name, interval in make(setting, random).items():
            # The truth is measured itself: its own rounding is no miss.
            inside = interval.low - 1e-4 <= true[name] <= interval.high + 1e-4
            held.setdefault(name, []).append(inside if interval.there else None)
    return {name: _shares(values) for name, values in held.items()}


def _shares(values: list[bool | None]) -> tuple[float, float]:
    given = [value for value in values if value is not None]
    return float(np.mean(given)) if given else float("nan"), 1 - len(given) / len(values)


def cell(share: tuple[float, float]) -> str:
    """Per cent that hold the truth, bold outside of 93 to 97, and per cent not given."""
    held, none = share
    text = "-" if np.isnan(held) else f"{100 * held:.0f}"
    outside = not np.isnan(held) and not 0.93 <= round(held, 2) <= 0.97
    text = f"**{text}**" if outside else text
    return f"{text} ({100 * none:.0f} none)" if none >= 0.005 else text


def table_of_pooled(part: float) -> Iterator[str]:
    """Rows of the first table."""
    yield "| Patients | Images each | Classes | Performance | " + " | ".join(POOLED) + " |"
    yield "| --- " * (4 + len(POOLED)) + "|"
    for skill in TABLED:
        for shares in SHARES:
            for images in (1, 4):
                for n, repeats in SIZES.items():
                    setting = Setting(n, images, shares, skill)
                    found = coverage(setting, pooled, max(10, int(part * repeats)))
                    cells = " | ".join(cell(found[name]) for name in POOLED)
                    yield f"| {n:,} | {images} | {shares} | {skill} | {cells} |"


def table_of_folds(part: float) -> Iterator[str]:
    """Rows of the second table."""
    yield "| Folds | Patients | Performance | " + " | ".join(OVER_FOLDS) + " |"
    yield "| --- " * (3 + len(OVER_FOLDS)) + "|"
    for skill in TABLED:
        for folds in (3, 5, 10):
            for n in (50, 200, 500, 2000):
                make = functools.partial(over_folds, folds)
                found = coverage(Setting(n, 1, "equal", skill), make, max(10, int(part * 400)))
                cells = " | ".join(cell(found[name]) for name in OVER_FOLDS)
                yield f"| {folds} | {n:,} | {skill} | {cells} |"


def right_of_runs(
    gains: list[float], images: int, random: np.random.Generator, patients: int = 500
) -> np.ndarray:
    """(runs, patients) images right: each run has its gain over accuracy .7, on the same patients.

    Half of what decides is the patient's (easy or hard for all runs), half the image's and run's.
    """
    hard = random.normal(0, 1, patients)
    right = []
    for gain in gains:
        luck = random.normal(0, 1, (patients, images))
        # Accuracy .7 + gain: the quantile of N(0, 2) below which an image is called right.
        right.append((hard[:, None] + luck < norm.ppf(0.7 + gain) * np.sqrt(2)).sum(axis=1))
    return np.array(right)


def p_values(first: np.ndarray, second: np.ndarray, images: int, folds: int = 5) -> dict:
    """p of each test of two runs; of patients with several images McNemar takes the majority."""
    fold = np.arange(len(first)) % folds
    means = [[run[fold == k].mean() / images for k in range(folds)] for run in (first, second)]
    sides = [run * 2 > images for run in (first, second)]
    return {
        "t over folds": corrected_t(*means, 1 / (folds - 1), LEVEL).p,
        "McNemar, patients": mcnemar(*sides).p,
        "sign flips, patients": sign_flip(second - first),
    }


def table_of_tests(part: float) -> Iterator[str]:
    """Rows of the third table: how often p is below .05."""
    cases = {
        "equal runs": [0, 0],
        "second 6 points better": [0, 0.06],
        "best of 10 equal": [0] * 11,
    }
    names = ("t over folds", "McNemar, patients", "sign flips, patients")
    yield "| Images each | Runs | " + " | ".join(names) + " |"
    yield "| --- " * 5 + "|"
    for images in (1, 4):
        for case, gains in cases.items():
            random, found = np.random.default_rng(images), []
            for _ in range(max(20, int(part * 1000))):
                right = right_of_runs(gains, images, random)
                # What a search does: the one that looks best is compared with the baseline.
                best = 1 + int(right[1:].sum(axis=1).argmax())
                found.append(p_values(right[0], right[best], images))
            shares = [np.mean([p[name] < 0.05 for p in found]) for name in names]
            yield f"| {images} | {case} | " + " | ".join(f"{100 * s:.1f} %" for s in shares) + " |"


TABLES = {"pooled": table_of_pooled, "folds": table_of_folds, "tests": table_of_tests}


def main(part: float, write: bool) -> None:
    """Print each table, and put it between its marks in the page."""
    page = ROOT / "docs" / "statistics.md"
    for name, make in TABLES.items():
        rows = []
        for line in make(part):
            print(line, flush=True)
            rows.append(line)
        print()
        if write:
            text, mark = page.read_text(), f"<!-- table {name} -->"
            before, _, after = text.split(mark)
            page.write_text(before + mark + "\n" + "\n".join(rows) + "\n" + mark + after)


if __name__ == "__main__":
    parts = sys.argv[sys.argv.index("--part") + 1] if "--part" in sys.argv else "1"
    main(float(parts), "--write" in sys.argv)
