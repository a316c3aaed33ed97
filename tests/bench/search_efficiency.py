"""What the window costs: sample efficiency on standard functions, against plain Optuna.

`python tests/bench/search_efficiency.py [--seeds 30] [--trials 60]` prints a table in Markdown: the
median regret after all trials, over seeds, of TPE run

- by Optuna, one after another,
- by Optuna with 8 at once (as `n_jobs=8`: uneven times, constant liar, values as they come),
- by Foldwise with windows of 1, 4, 8 and 16.

Optuna's own study of 8 at once gives other trials each time it is run; those here repeat because
the times are drawn from the seed.
"""

import argparse
import math
import random
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
from scipy.stats import mannwhitneyu

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from foldwise.search.propose.propose import propose
from foldwise.search.propose.samplers import distribution, quiet
from foldwise.search.settings import Search, parse_search
from foldwise.search.trials import Observation, Result
from foldwise.settings.schema import check

Function = Callable[[dict[str, float]], float]
HARTMANN_A = [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
]
HARTMANN_P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def values_of(params: dict[str, float]) -> np.ndarray:
    """The numbers of a trial in the order of their keys."""
    return np.array([params[key] for key in sorted(params)])


def sphere(x: np.ndarray) -> float:
    """Least value 0 at 0."""
    return float((x**2).sum())


def rosenbrock(x: np.ndarray) -> float:
    """Least value 0 at 1."""
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def ackley(x: np.ndarray) -> float:
    """Least value 0 at 0."""
    first = -20 * math.exp(-0.2 * math.sqrt((x**2).mean()))
    return first - math.exp(np.cos(2 * math.pi * x).mean()) + 20 + math.e


def rastrigin(x: np.ndarray) -> float:
    """Least value 0 at 0."""
    return float((x**2 - 10 * np.cos(2 * math.pi * x) + 10).sum())


def branin(x: np.ndarray) -> float:
    """Least value 0.397887, taken off here."""
    a, b = x
    square = (b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6) ** 2
    return float(square + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10 - 0.397887)


def hartmann(x: np.ndarray) -> float:
    """Six dimensions; least value -3.32237, taken off here."""
    inner = (np.array(HARTMANN_A) * (x - np.array(HARTMANN_P)) ** 2).sum(axis=1)
    return float(3.32237 - (np.array([1.0, 1.2, 3.0, 3.2]) * np.exp(-inner)).sum())


# Name: function of (D,), dimensions, range of all dimensions (or of each).
FUNCTIONS = {
    "sphere, 5": (sphere, [(-5.0, 5.0)] * 5),
    "Rosenbrock, 4": (rosenbrock, [(-2.0, 2.0)] * 4),
    "Ackley, 5": (ackley, [(-15.0, 20.0)] * 5),
    "Rastrigin, 4": (rastrigin, [(-5.12, 4.5)] * 4),
    "Branin, 2": (branin, [(-5.0, 10.0), (0.0, 15.0)]),
    "Hartmann, 6": (hartmann, [(0.0, 1.0)] * 6),
}


def search_over(ranges: list[tuple[float, float]], seed: int, window: int, trials: int) -> Search:
    """A search that makes the function small."""
    space = {
        f"x.{index}": {"type": "float", "low": low, "high": high}
        for index, (low, high) in enumerate(ranges)
    }
    raw = {"space": space, "window": window, "trials": trials, "sampler": "tpe"}
    return parse_search(check("search", raw, "search"), seed, [1], {"loss": "min"})


def foldwise(function: Function, search: Search) -> float:
    """Least value found by Foldwise's proposals."""
    known, best = [], math.inf
    for number in range(search.trials):
        suggestion = propose(search, number, known)
        value = function(values_of(suggestion.params))
        best = min(best, value)
        result = Result(number, suggestion.identity, "COMPLETE", "", (value,), (), 1)
        known.append(Observation(suggestion, result))
    return best


def plain_optuna(function: Function, search: Search, workers: int) -> float:
    """Least value found by Optuna itself with so many trials at once, of uneven length."""
    times = random.Random(search.seed)
    with quiet():
        sampler = optuna.samplers.TPESampler(multivariate=True, seed=search.seed)
        study = optuna.create_study(sampler=sampler)
        running, clock, begun = [], 0.0, 0
        while begun < search.trials or running:
            while begun < search.trials and len(running) < workers:
                trial = study.ask({item.key: distribution(item) for item in search.space})
                running.append((clock + times.lognormvariate(0, 0.5), begun, trial))
                begun += 1
            running.sort(key=lambda item: item[:2])
            clock, _, trial = running.pop(0)
            study.tell(trial, function(values_of(trial.params)))
        return study.best_value


def methods(trials: int) -> dict[str, Callable[[Function, list, int], float]]:
    """What is compared: (function, ranges, seed) to the least value found."""

    def optuna_with(workers: int) -> Callable[[Function, list, int], float]:
        return lambda f, ranges, seed: plain_optuna(
            f, search_over(ranges, seed, 1, trials), workers
        )

    def foldwise_with(window: int) -> Callable[[Function, list, int], float]:
        return lambda f, ranges, seed: foldwise(f, search_over(ranges, seed, window, trials))

    compared = {"Optuna, one by one": optuna_with(1), "Optuna, 8 at once": optuna_with(8)}
    return compared | {f"window {window}": foldwise_with(window) for window in (1, 4, 8, 16)}


def main() -> None:
    """Print the table; `*` marks a median that differs from Optuna's one by one (p < .01)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--functions", nargs="*", default=list(FUNCTIONS))
    chosen = parser.parse_args()
    compared = methods(chosen.trials)
    print(f"Median regret after {chosen.trials} trials, {chosen.seeds} seeds\n")
    print(f"| Function, dimensions | {' | '.join(compared)} |")
    print(f"| --- |{' --- |' * len(compared)}", flush=True)
    for name in chosen.functions:
        function, ranges = FUNCTIONS[name]
        found = {
            label: [method(function, ranges, seed) for seed in range(chosen.seeds)]
            for label, method in compared.items()
        }
        base, cells = found["Optuna, one by one"], []
        for values in found.values():
            differs = values is not base and mannwhitneyu(values, base).pvalue < 0.01
            cells.append(f"{statistics.median(values):.3g}{'*' if differs else ''}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
