"""What a large search costs: the plan of 1,000 trials x 3 folds, and one proposal.

`python tests/bench/search_scale.py` prints seconds and memory of a dry run and of a second one,
beside a bare Snakemake workflow of as many jobs in the same chain, then the seconds of one proposal
(without starting Python) at trials 10, 100 and 1,000 for each sampler.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from flow import ROOT, write_study
from foldwise.search.propose.draws import draw
from foldwise.search.propose.propose import propose
from foldwise.search.settings import Search
from foldwise.search.trials import FoldOutcome, Observation, Suggestion, combine
from searching import curve_value, search_of
from studies import settings

BARE = """
N, W, FOLDS = {trials}, {window}, [1, 2, 3]
rule all:
    input: expand("result/{{n}}", n=range(N))
def before(wildcards):
    n = int(wildcards.n)
    return [f"suggest/{{n - 1}}"] * (n > 0) + [f"result/{{n - W}}"] * (n >= W)
rule suggest:
    input: before
    output: "suggest/{{n}}"
    shell: "touch {{output}}"
rule train:
    input: "suggest/{{n}}"
    output: "train/{{n}}_{{fold}}"
    shell: "touch {{output}}"
rule result:
    input: "suggest/{{n}}", expand("train/{{{{n}}}}_{{fold}}", fold=FOLDS)
    output: "result/{{n}}"
    shell: "touch {{output}}"
"""


def measured(folder: Path, *arguments: str) -> str:
    """Seconds and peak memory of a dry run."""
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder), "--cores", "2"]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--dry-run", "--quiet", "all", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(process.stderr.read().decode())
    return f"{seconds:.1f} s ({usage.ru_utime:.1f} s of one core), {usage.ru_maxrss / 1024:.0f} MB"


def plans(trials: int) -> None:
    """Print the plan's cost beside that of the bare workflow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        space = {"training.lr": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True}}
        search = {"trials": trials, "window": 16, "space": space}
        write_study(folder, "mine", settings(search=search, folds={"n": 3}))
        snakefile = ["--snakefile", str(ROOT / "Snakefile")]
        print(f"{trials} trials x 3 folds, dry run: {measured(folder, *snakefile, 'search')}")
        bare = folder / "Bare"
        bare.write_text(BARE.format(trials=trials, window=16))
        print(f"bare workflow of as many jobs: {measured(folder, '--snakefile', str(bare))}")


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
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--at", type=int, nargs="*", default=[10, 100, 1000])
    chosen = parser.parse_args()
    plans(chosen.trials)
    proposals(chosen.at)
