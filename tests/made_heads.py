"""A made-up run turned into one of two labels with long class names."""

import numpy as np

from foldwise.evaluate.compare import compare
from foldwise.evaluate.fold import evaluate_fold
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import read_fold, summarise
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.registry import load
from made_reliability import write_reliability
from made_runs import Run

HEADS = {
    "modality": ["CT", "MR"],
    "body_part": ["Head", "Reproductive and Urinary System", "Spine and Muscles", "Thorax"],
}


def with_two_labels(run: Run) -> Run:
    """Other cohort, settings, predictions, metrics and summary; compared with a run `alone`."""
    random, paths = np.random.default_rng(0), run.paths()
    params = read_json(paths["params"][0])
    more = {"kind": "distillation", "task": {"heads": HEADS}, "teacher": {"run": "teacher"}}
    more["model"] = params["model"] | {"vision": {"name": "small"}, "fusion": {"name": "gated"}}
    write_json(paths["params"][0], params | more)
    cohort = read_csv(paths["cohort"][0])
    of_group = {group: _labels(random) for group in sorted({row["group"] for row in cohort})}
    cohort = [row | of_group[row["group"]] for row in cohort]
    write_csv(paths["cohort"][0], list(cohort[0]), cohort)
    by_sample = {row["sample"]: row for row in cohort}
    measures = load("MEASURES", "distillation")({"heads": HEADS})
    for path in paths["predictions"]:
        rows = [_predicted(row, by_sample[row["sample"]], random) for row in read_csv(path)]
        write_csv(path, list(rows[0]), rows)
        evaluate_fold(path, measures, path.parent / "metrics")
    each = zip(run.folds, paths["metrics"], paths["predictions"], paths["folds"], strict=True)
    folds = [read_fold(*one) for one in each]
    write_json(paths["summary"][0], summarise(folds, measures, Bootstrap(42, "patient", 50)))
    write_reliability(paths)
    against = {"alone": compare(folds, folds, measures, Bootstrap(42, "patient", 20), "mean_f1")}
    found = {"run": "cv", "metric": "mean_f1", "against": against}
    write_json(run.results / "report" / "comparisons.json", found)
    cost = {"parameters": 12345, "megabytes": 0.05, "milliseconds": 0.4, "samples": 8}
    for name in ("cv", "alone"):
        write_json(run.results / "runs" / name / "cost.json", cost | {"run": name, "device": "cpu"})
    return run


def _labels(random: np.random.Generator) -> dict[str, str]:
    return {f"label_{head}": str(random.choice(names)) for head, names in HEADS.items()}


def _predicted(row: dict, truth: dict, random: np.random.Generator) -> dict[str, object]:
    told = {name: row[name] for name in ("sample", "group", "exam", "fold")}
    for head, names in HEADS.items():
        label = truth[f"label_{head}"]
        p = random.dirichlet(1 + 4 * np.eye(len(names))[names.index(label)])
        told |= {f"label_{head}": label, f"predicted_{head}": names[int(p.argmax())]}
        told |= {f"p_{head}_{n}": repr(float(v)) for n, v in zip(names, p, strict=True)}
    return told
