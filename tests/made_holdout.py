"""The holdout of a made-up run: what its folds and a classical method say of further patients."""

import numpy as np

from foldwise.evaluate.holdout_summary import evaluate_holdout
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import write_csv
from foldwise.registry import load
from made_runs import Run, prediction_of


def make_holdout(run: Run, patients: int = 8) -> None:
    """Three images a patient that no fold has, as each fold's model and all together say them."""
    random = np.random.default_rng(5)
    rows = [
        {"sample": f"s{p}{i}", "group": f"g{p}", "exam": f"e{p}", "label": run.classes[p % 2]}
        for p in range(patients)
        for i in range(3)
    ]
    alone = [prediction_of(row, k, run.classes, 2.0, random) for k in run.folds for row in rows]
    together = []
    for place in range(len(rows)):
        found = alone[place :: len(rows)]
        names = [name for name in found[0] if name.startswith("p_")]
        mean = {n: f"{np.mean([float(one[n]) for one in found]):.9g}" for n in names}
        together.append(found[0] | mean | {"fold": "ensemble"})
    base = run.results / "runs" / "cv"
    columns = ["sample", "group", "exam", "fold"]
    for name, table in (("val_predictions", together), ("fold_predictions", alone)):
        write_csv(base / f"holdout/results/{name}.csv", list(table[0]) if table else columns, table)
    measure_holdout(run, "cv")
    make_method_holdout(run, together)


def make_method_holdout(run: Run, rows: list[dict]) -> None:
    """What logistic regression, fitted once, says of the same images: right half of the time."""
    base = run.results / "runs" / "baseline_logistic_statistics" / "holdout" / "results"
    said = [dict(row) for row in rows]
    for row in said[::2]:
        names = [name for name in row if name.startswith("p_")]
        row |= dict(zip(names, [row[name] for name in reversed(names)], strict=True))
    columns = ["sample", "group", "exam", "fold"]
    write_csv(base / "val_predictions.csv", list(said[0]) if said else columns, said)
    write_csv(base / "fold_predictions.csv", columns, [])
    measure_holdout(run, "baseline_logistic_statistics")


def measure_holdout(run: Run, name: str) -> None:
    """holdout_summary.json of a run's predictions."""
    base = run.results / "runs" / name
    measures = load("MEASURES", "classification")({"classes": run.classes})
    paths = [base / f"holdout/results/{part}_predictions.csv" for part in ("val", "fold")]
    out = base / "holdout_summary.json"
    evaluate_holdout(*paths, measures, Bootstrap(42, run.group_by), base / "metrics", out)
