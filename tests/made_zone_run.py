"""A made-up run turned into one of two zones."""

import itertools

import numpy as np

from foldwise.evaluate.fold import evaluate_fold
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import read_fold, summarise
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.registry import load
from foldwise.reliability.suspects import find_suspects
from made_runs import Run


def with_zones(run: Run) -> Run:
    """Turn a run into one of two zones: other predictions, metrics and summary."""
    random, names = np.random.default_rng(0), ["left", "right"]
    paths = run.paths()
    write_json(
        paths["params"][0],
        read_json(paths["params"][0]) | {"kind": "zones", "task": {"zones": names}},
    )
    measures = load("MEASURES", "zones")({"zones": names})
    cohort = read_csv(paths["cohort"][0])
    scored = [row | dict.fromkeys(names, str(n % 5)) for n, row in enumerate(cohort)]
    write_csv(paths["cohort"][0], list(scored[0]), scored)
    for path in paths["predictions"]:
        rows = [
            {key: row[key] for key in ("sample", "group", "exam", "fold")} for row in read_csv(path)
        ]
        for row, zone in itertools.product(rows, names):
            row[f"label_{zone}"] = truth = int(random.integers(5))
            p = random.dirichlet(1 + 4 * np.eye(5)[truth])
            row |= {f"p_{zone}_{k}": repr(float(value)) for k, value in enumerate(p)}
        write_csv(path, list(rows[0]), rows)
        evaluate_fold(path, measures, path.parent / "metrics")
    each = zip(run.folds, paths["metrics"], paths["predictions"], paths["folds"], strict=True)
    folds = [read_fold(*one) for one in each]
    write_json(paths["summary"][0], summarise(folds, measures, Bootstrap(42, "patient", 50)))
    rows = [row for path in paths["predictions"] for row in read_csv(path)]
    suspects = find_suspects(rows, {"zones": names})[0]
    write_json(paths["summary"][0].parent / "suspects.json", suspects)
    return run
