"""What conformal sets and triage give of runs that were trained: coverage, sizes, share decided.

    python tests/bench/sets.py results/<study>/runs/<run> ... --errors 0.1 0.2

Of zones all scores of all zones are one label, each patient weighing the same, however many zones.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json
from foldwise.reliability.conformal import (
    coverage,
    crossed_p_values,
    least_groups,
)
from foldwise.reliability.parts import Part, few, parts_of, zone_parts
from foldwise.reliability.triage import of_confidence

BOOTSTRAP = Bootstrap(42, "patient", 1000)
HEADER = (
    *("Run", "Error", "Limit", "Truth in the set", "By class", "Classes in a set"),
    *("Sets of one class", "Decided", "Of these wrong"),
)


def part_of(run: Path) -> Part:
    """The label of a run's validation predictions; the zones of a run of zones as one."""
    task = read_json(run / "params.json")["task"]
    rows = [
        row
        for path in sorted(run.glob("fold_*/results/val_predictions.csv"))
        for row in read_csv(path)
    ]
    if "zones" not in task:
        (part,) = parts_of(rows, task)
        return part
    parts = zone_parts(rows, task["zones"])
    stacked = {
        name: np.concatenate([getattr(one, name) for one in parts])
        for name in ("labels", "probabilities", "fold", "group")
    }
    # A score that no film has, such as unknown, would be in each set by class.
    there = np.unique(stacked["labels"])
    stacked["probabilities"] = stacked["probabilities"][:, there]
    stacked["labels"] = np.searchsorted(there, stacked["labels"])
    classes = [parts[0].classes[k] for k in there]
    return replace(parts[0], name="", classes=classes, **stacked)


def shown(one: dict[str, Any]) -> str:
    """A share and its interval in per cent."""
    limits = [np.nan if limit is None else limit for limit in one["interval"]]
    span = "" if np.isnan(limits).any() else " ({:.0%}-{:.0%})".format(*limits).replace("%", "")
    return "-" if np.isnan(one["value"]) else f"{100 * one['value']:.0f}{span}"


def rows_of(run: Path, error: float) -> list[tuple[str, ...]]:
    """A row a kind of limit."""
    part = part_of(run)
    if why := few(part, least_groups(error)):
        return [(run.name, f"{error:.0%}", "-", why, *["-"] * 5)]
    triage = of_confidence(part, error, BOOTSTRAP)
    rows = []
    for name, by_class in (("one for all", False), ("by class", True)):
        found = coverage(part, crossed_p_values(part, by_class) > error, BOOTSTRAP)
        classes = ", ".join(
            f"{one} {100 * own['value']:.0f}" for one, own in found["by_class"].items()
        )
        decided = ("", "") if by_class else (shown(triage["decided"]), shown(triage["error"]))
        size = f"{found['size']['value']:.2f} of {len(part.classes)}"
        cells = (shown(found["coverage"]), classes, size, shown(found["single"]))
        rows.append((run.name, f"{error:.0%}", name, *cells, *decided))
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--errors", nargs="+", type=float, default=[0.1, 0.2])
    given = parser.parse_args()
    print(f"| {' | '.join(HEADER)} |\n|{' --- |' * len(HEADER)}")
    for run in given.runs:
        for error in given.errors:
            for row in rows_of(run, error):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
