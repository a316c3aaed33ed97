"""Statistics of a summary: draws as matrix products beside one draw after another, side by side.

`python tests/bench/summaries.py [--large]`: CPU seconds of 2,000 resamples with BCa of all
metrics, of each kind of study, the time of the textbook's way (from a part of the resamples,
scaled up) and their ratio; then whole summaries of five folds, from the rows of predictions to the
content of cv_summary.json. `--large` adds 20,000 and 50,000 predictions.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow" / "scripts")]

from foldwise.evaluate.fold import measure_levels  # noqa: E402
from foldwise.evaluate.metrics import classification, heads, zones  # noqa: E402
from foldwise.evaluate.metrics.intervals import Bootstrap, bootstrap  # noqa: E402
from foldwise.evaluate.summary import FoldResult, summarise  # noqa: E402
from foldwise.registry import load  # noqa: E402
from made_predictions import TASKS, row  # noqa: E402

RESAMPLES, PART = 2000, 20


def made(kind: str, n: int) -> tuple[Callable, Callable]:
    """(scorer of weights, score of row numbers) of n made-up predictions."""
    random = np.random.default_rng(0)
    labels, p = random.integers(0, 4, n), random.dirichlet(np.ones(4), n)
    if kind == "classification":
        score = lambda index: classification.scores(labels[index], p[index])  # noqa: E731
        return lambda weights: classification.scores(labels, p, weights), score
    if kind == "zones":
        six, of_six = random.integers(0, 5, (n, 6)), random.dirichlet(np.ones(5), (n, 6))
        score = lambda index: zones.scores(six[index], of_six[index])  # noqa: E731
        return lambda weights: zones.scores(six, of_six, weights), score
    both = {"site": labels, "kind": random.integers(0, 4, n)}
    of_both = {"site": p, "kind": random.dirichlet(np.ones(4), n)}

    def score(index: np.ndarray) -> dict:
        return heads.scores(
            {k: v[index] for k, v in both.items()}, {k: v[index] for k, v in of_both.items()}
        )

    return lambda weights: heads.scores(both, of_both, weights), score


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def one_by_one(score: Callable, n: int) -> float:
    """CPU seconds of RESAMPLES draws and of the jackknife, from a part of them."""
    random = np.random.default_rng(0)
    part = seconds(lambda: [score(random.integers(0, n, n)) for _ in range(PART)])
    return part / PART * (RESAMPLES + min(n, 400))


def folds_of(kind: str, n: int, each: int) -> list[FoldResult]:
    """Five folds of n made-up predictions, `each` of them of one patient."""
    random, task = np.random.default_rng(0), load("MEASURES", kind)(TASKS[kind])
    rows = [row(kind, i, random) | {"group": f"g{i // each}", "exam": f"e{i}"} for i in range(n)]
    folds = []
    for fold in range(5):
        own = rows[fold * n // 5 : (fold + 1) * n // 5]
        levels = measure_levels(own, task)
        measured = levels["image"]["metrics"] | {"levels": levels}
        folds.append(FoldResult(fold + 1, measured, own, n - len(own), len(own)))
    return folds


def of_kind(kind: str, n: int, each: int) -> float:
    """CPU seconds of the summary of n predictions, `each` of them of one patient."""
    folds, task = folds_of(kind, n, each), load("MEASURES", kind)(TASKS[kind])
    return seconds(lambda: summarise(folds, task, Bootstrap(1, "patient")))


def summaries(sizes: list[int]) -> None:
    """Print CPU seconds of whole summaries."""
    print("\n| Kind | Predictions | Images a patient | Summary, s |\n| --- | --- | --- | --- |")
    for kind in TASKS:
        for n in sizes:
            for each in (1, 4):
                print(f"| {kind} | {n:,} | {each} | {of_kind(kind, n, each):.2f} |", flush=True)
    for n in sizes:
        with patch.dict(TASKS, zones={"zones": [f"zone_{k}" for k in range(6)]}):
            print(f"| six zones | {n:,} | 1 | {of_kind('zones', n, 1):.2f} |", flush=True)


def main(sizes: list[int]) -> None:
    """Print both tables."""
    print("| Kind | Predictions | At once, s | One by one, s | Ratio |")
    print("| --- | --- | --- | --- | --- |")
    for kind in ("classification", "zones", "distillation"):
        for n in sizes:
            scorer, score = made(kind, n)
            groups = [str(i) for i in range(n)]
            fast = seconds(lambda: bootstrap(scorer, groups, 1, RESAMPLES))  # noqa: B023
            slow = one_by_one(score, n)
            print(f"| {kind} | {n:,} | {fast:.2f} | {slow:.1f} | {slow / fast:.0f} |")
    summaries(sizes)


if __name__ == "__main__":
    main([300, 2000] + ([20_000, 50_000] if "--large" in sys.argv else []))
