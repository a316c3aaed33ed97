"""How busy a window keeps the workers, with trials of uneven length, and how long a search takes.

`python tests/bench/search_busy.py` prints a table in Markdown: for windows of 1 to 4 times the
workers, the share of worker time that is used, against a search without a window (every free worker
takes the next trial at once). Trials take log-normal times; a proposal waits for the trial that
leaves the window.
"""

import heapq
import random
import statistics

WORKERS, TRIALS, REPEATS = 8, 200, 50
SPREADS = {"even (spread .1)": 0.1, "uneven (.5)": 0.5, "very uneven, or pruned (1)": 1.0}
FACTORS = (1.0, 1.5, 2.0, 3.0, 4.0)


def busy_share(window: float, spread: float, seed: int) -> float:
    """Share of the workers' time that is used, by simulation of the rules' order."""
    times = random.Random(seed)
    lengths = [times.lognormvariate(0, spread) for _ in range(TRIALS)]
    free, ended, clock = [0.0] * WORKERS, [0.0] * TRIALS, 0.0
    heapq.heapify(free)
    for number in range(TRIALS):
        left = number - window
        # Proposals come one after another, each after all trials that it may know.
        clock = max(clock, ended[int(left)]) if left >= 0 else clock
        begin = max(heapq.heappop(free), clock)
        ended[number] = begin + lengths[number]
        heapq.heappush(free, ended[number])
    return sum(lengths) / (WORKERS * max(ended))


def main() -> None:
    """Print the table."""
    print(f"{WORKERS} workers, {TRIALS} trials, mean of {REPEATS} draws\n")
    heads = [f"window {factor:g} x workers" for factor in FACTORS]
    print(f"| Lengths of trials | {' | '.join(heads)} | no window |")
    print(f"| --- |{' --- |' * (len(heads) + 1)}")
    for name, spread in SPREADS.items():
        cells = []
        for factor in (*FACTORS, float(TRIALS)):
            window = min(round(factor * WORKERS), TRIALS)
            shares = [busy_share(window, spread, seed) for seed in range(REPEATS)]
            cells.append(f"{100 * statistics.mean(shares):.0f} %")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
