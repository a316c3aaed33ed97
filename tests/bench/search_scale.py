"""What a proposal costs in a large search; its plan is measured by plans.py.

`python tests/bench/search_scale.py` prints the seconds of one proposal (without starting Python) at
trials 10, 100 and 1,000 for each sampler.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from foldwise.search.propose.draws import draw
from foldwise.search.propose.propose import propose
from foldwise.search.settings import Search
from foldwise.search.trials import FoldOutcome, Observation, Suggestion, combine
from searching import curve_value, search_of


def proposals(counts: list[int]) -> None:
    """Print the seconds of one proposal."""
    print("\n| Sampler | " + " | ".join(f"trial {count}" for count in counts) + " |")
    print("| --- |" + " --- |" * len(counts))
    for name in ("tpe", "random", "cmaes", "gp", "qmc", "nsga2"):
        search = search_of(count=1, trials=max(counts) + 1, window=16, sampler=name)
        cheap = search_of(count=1, trials=max(counts) + 1, window=16, sampler="random")
        known, cells = [], []
        for number in range(max(counts) + 1):
            if number in counts:
                start = time.perf_counter()
                propose(search, number, known)
                cells.append(f"{time.perf_counter() - start:.3f} s")
            suggestion = drawn(cheap, number)
            value = curve_value(suggestion.params, 1, 6)
            outcome = FoldOutcome(1, "COMPLETE", "", {"kappa": value}, ((6, value),))
            known.append(
                Observation(suggestion, combine(suggestion, search.objectives, [outcome], 6))
            )
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def drawn(search: Search, number: int) -> Suggestion:
    """A trial drawn at random without a look at those before it."""
    first = propose(search, 0, [])
    units = np.random.default_rng(number).random(len(search.space))
    attributes = {"cma:generation": number // 8, "NSGAIISampler:generation": number // 20}
    return replace(first, number=number, params=draw(search.space, units), attributes=attributes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--at", type=int, nargs="*", default=[10, 100, 1000])
    proposals(parser.parse_args().at)
