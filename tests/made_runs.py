"""Made-up run folders with realistic numbers, in the shape of the results tree."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foldwise.evaluate.compare import compare
from foldwise.evaluate.fold import evaluate_fold
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import join_logs, read_fold, summarise
from foldwise.files import write_csv, write_json, write_text
from foldwise.registry import load
from made_explored import make_explored
from made_reliability import write_reliability


@dataclass(frozen=True)
class Run:
    """Where the made-up study lies and what it is."""

    results: Path
    classes: list[str]
    folds: list[int]
    group_by: str = "patient"

    def paths(self, folds: list[int] | None = None) -> dict[str, list[Path]]:
        """Files by kind, as figures take them."""
        base = self.results / "runs" / "cv"
        each = [base / f"fold_{k}" / "results" for k in folds or self.folds]
        return {
            "params": [base / "params.json"],
            "summary": [base / "cv_summary.json"],
            "calibration": [base / "calibration.json"],
            "conformal": [base / "conformal.json"],
            "cohort": [self.results / "cohort.csv"],
            "manifest": [self.results / "audit" / "data_manifest.json"],
            "folds": [self.results / "folds" / f"fold_{k}.csv" for k in folds or self.folds],
            "predictions": [folder / "val_predictions.csv" for folder in each],
            "metrics": [folder / "metrics" / "val_metrics.json" for folder in each],
            "histories": [folder / "train_history.json" for folder in each],
            "gradcam": [folder / "gradcam" / "gradcam.json" for folder in each],
        }


def make_run(
    root: Path,
    n_folds: int = 5,
    classes: str = "ABCD",
    patients: int = 120,
    sharpness: float = 2.4,
    seed: int = 0,
    group_by: str = "patient",
) -> Run:
    """A whole study below `root`: cohort, folds, training, predictions, metrics, summary."""
    random = np.random.default_rng(seed)
    run = Run(root / "results" / "density", list(classes), list(range(1, n_folds + 1)), group_by)
    cohort = _cohort(run, patients, random)
    _manifest(run, cohort)
    _settings(run)
    measures = load("MEASURES", "classification")({"classes": run.classes})
    for k in run.folds:
        _fold(run, k, cohort, sharpness, random)
        folder = run.results / "runs" / "cv" / f"fold_{k}" / "results"
        out = folder / "metrics"
        evaluate_fold(folder / "val_predictions.csv", measures, out, group_by)
    paths = run.paths()
    make_explored(paths["params"][0].parent, paths["predictions"], cohort)
    _summarise(run, measures)
    write_reliability(paths)
    _benchmarks(run)
    return run


def _settings(run: Run) -> None:
    params = {
        "run": "cv",
        "kind": "classification",
        "seed": 42,
        "task": {"classes": run.classes},
        "image": {
            "size": 256,
            "fit": "letterbox",
            "window": "percentile",
            "channels": 1,
            "bits": 8,
        },
        "model": {"name": "efficientnet_b0", "weights": "imagenet", "dropout": 0.2},
        "loss": {"name": "cross_entropy", "class_weights": "balanced"},
        "training": {
            "epochs": 30,
            "batch_size": 16,
            "optimizer": "adamw",
            "lr": 1e-4,
            "stop_after": None,
        },
        "augment": {"flip_horizontal": 0.5, "rotate_deg": 10},
    }
    write_json(run.results / "runs" / "cv" / "params.json", params)


def _cohort(run: Run, patients: int, random: np.random.Generator) -> list[dict[str, str]]:
    share = np.array([0.12, 0.4, 0.36, 0.12])
    weights = share if len(run.classes) == 4 else random.dirichlet(np.full(len(run.classes), 8))
    rows = []
    for patient in range(patients):
        label = str(random.choice(run.classes, p=weights))
        group, exam = f"g{random.bytes(6).hex()}", f"e{random.bytes(6).hex()}"
        for view in ("CC", "MLO")[: 1 + (patient % 3 > 0)]:
            for side in "LR":
                names = {"sample": f"s{random.bytes(6).hex()}", "group": group, "exam": exam}
                content = random.bytes(16).hex()
                rows.append(
                    names | {"view": view, "side": side, "label": label, "content": content}
                )
    rows.sort(key=lambda row: row["content"])
    write_csv(run.results / "cohort.csv", list(rows[0]), rows)
    return rows


def _manifest(run: Run, cohort: list[dict[str, str]]) -> None:
    n = len(cohort)
    steps = [
        {"step": "images that the table names", "images": n + 43},
        {"step": "image of a class that is dropped", "kind": "left out", "images": -18},
        {"step": "image of a view that is not asked for", "kind": "left out", "images": -12},
        {"step": "table row without a folder in the archive", "kind": "quarantine", "images": -3},
        {"step": "exam or image with two different labels", "kind": "quarantine", "images": -2},
        {"step": "images to analyse, before decoding", "images": n + 8},
        {"step": "file cut short", "kind": "quarantine", "images": -5},
        {"step": "picture of one value only", "kind": "quarantine", "images": -3},
        {"step": "analysed set", "images": n},
    ]
    named = {c: [row for row in cohort if row["label"] == c] for c in run.classes}
    counts = {
        c: {"images": len(rows), "groups": len({row["group"] for row in rows})}
        for c, rows in named.items()
    }
    checks = [
        {"check": "truncated", "kind": "quarantine", "count": 5, "description": "file cut short"},
        {"check": "repeated_row", "kind": "note", "count": 2, "description": "repeated table row"},
        {"check": "constant", "kind": "passed", "count": 0, "description": "one value only"},
    ]
    write_csv(run.results / "audit" / "data_audit.csv", list(checks[0]), checks)
    write_json(
        run.results / "audit" / "data_manifest.json",
        {
            "flow": steps,
            "unmatched": [
                {
                    "kind": "quarantine",
                    "reason": "no_folder",
                    "count": 3,
                    "description": "table row without a folder in the archive",
                }
            ],
            "group_by": run.group_by,
            "archive": {"files": n + 61, "folders": 3 * n // 4},
            "table_rows": n + 12,
            "images": n,
            "groups": len({row["group"] for row in cohort}),
            "exams": len({row["exam"] for row in cohort}),
            "classes": counts,
            "class_order": run.classes,
            "views": {"CC": n // 2, "MLO": n - n // 2},
            "sides": {"L": n // 2, "R": n - n // 2},
            "decoded": n + 8,
            "readable_share": (n + 5) / (n + 8),
            "quarantine": {"truncated": 5, "constant": 3, "no_folder": 3, "two_labels": 2},
            "quarantine_share": 13 / (13 + n),
            "left_out": {"dropped_class": 18, "other_view": 12},
            "notes": {"repeated_row": 2},
        },
    )


def _fold(
    run: Run, k: int, cohort: list[dict[str, str]], sharpness: float, random: np.random.Generator
) -> None:
    groups = sorted({row["group"] for row in cohort})
    held = set(groups[k - 1 :: len(run.folds) if len(run.folds) > 1 else 4])
    parts = [
        {"sample": r["sample"], "part": "val" if r["group"] in held else "train"} for r in cohort
    ]
    write_csv(run.results / "folds" / f"fold_{k}.csv", ["sample", "part"], parts)
    folder = run.results / "runs" / "cv" / f"fold_{k}" / "results"
    rows = [
        prediction_of(row, k, run.classes, sharpness, random)
        for row in cohort
        if row["group"] in held
    ]
    write_csv(folder / "val_predictions.csv", list(rows[0]), rows)
    write_json(folder / "train_history.json", _history(k, random))


def prediction_of(
    row: dict[str, str], k: int, classes: list[str], sharpness: float, random: np.random.Generator
) -> dict[str, object]:
    """Ordinal: neighbours of the truth are likelier than the far end."""
    place = classes.index(row["label"]) + 0.75 * random.normal()
    odds = np.exp(-sharpness * np.abs(np.arange(len(classes)) - place))
    p = {f"p_{c}": f"{v:.9g}" for c, v in zip(classes, odds / odds.sum(), strict=True)}
    predicted = classes[int(odds.argmax())]
    names = {name: row[name] for name in ("sample", "group", "exam")}
    return names | {"fold": k, "label": row["label"], "predicted": predicted} | p


def _history(k: int, random: np.random.Generator) -> dict[str, object]:
    n = int(random.integers(22, 31))
    t = np.arange(1, n + 1)
    noise = random.normal(size=(3, n)) * [[0.02], [0.04], [0.03]]
    train = 1.35 * np.exp(-t / 9) + 0.12 + noise[0]
    val = 0.95 * np.exp(-t / 6) + 0.48 + 0.004 * np.maximum(0, t - 14) ** 1.3 + noise[1]
    kappa = 0.8 * (1 - np.exp(-t / 5)) + noise[2] + 0.03 * random.normal()
    best = int(kappa.argmax()) + 1
    epochs = [
        {
            "epoch": int(e),
            "train_loss": float(a),
            "val_loss": float(b),
            "kappa": float(c),
            "lr_head": 1e-4,
        }
        for e, a, b, c in zip(t, train, val, kappa, strict=True)
    ]
    chosen = {"epoch": best, "monitor": "kappa", "score": float(kappa[best - 1]), "size": 256}
    machine = {"device": "cpu", "threads": 2, "torch": "2.15.0", "instruction_set": "AVX2"}
    return {
        "run": "cv",
        "fold": k,
        "best": chosen,
        "ended": "no gain",
        "epochs": epochs,
        "environment": machine,
    }


def _benchmarks(run: Run) -> None:
    for k in run.folds:
        path = run.results / "benchmarks" / "cv" / "train_fold" / f"fold_{k}.tsv"
        write_text(path, f"s\th:m:s\tmax_rss\n{300 + 7 * k}\t0:05:00\t{900 + k}\n")


def make_gradcam(run: Run) -> None:
    """Films of noise with maps of one spot each, three a class and fold."""
    down, across = np.mgrid[:64, :64]
    for path in run.paths()["gradcam"]:
        films, maps, entries = [], [], []
        for k, name in enumerate(run.classes):
            for j, place in enumerate(("best", "median", "worst")):
                predicted = run.classes[(k + (j == 2)) % len(run.classes)]
                films.append((down * 3 + 20 * j).astype(np.uint8))
                spot = 255 * np.exp(-((down - 20) ** 2 + (across - 12 * k % 64) ** 2) / 150)
                maps.append(spot.astype(np.uint8))
                facts = {"sample": f"s{k}{j}", "label": name, "predicted": predicted}
                facts |= {"p_label": 0.9 - 0.3 * j, "p_predicted": 0.9 - 0.2 * j}
                entries.append(facts | {"place": place, "file": f"s{k}{j}.png"})
        write_json(path, {"films": entries})
        np.savez(path.with_name("gradcam.npz"), films=films, maps=maps)


def _summarise(run: Run, measures: object) -> None:
    paths = run.paths()
    names = ("metrics", "predictions", "folds", "histories")
    each = zip(run.folds, *(paths[name] for name in names), strict=True)
    folds = [read_fold(*one) for one in each]
    base = run.results / "runs" / "cv"
    summary = summarise(folds, measures, Bootstrap(42, run.group_by, 100))
    write_json(base / "cv_summary.json", summary)
    beside = compare(folds, folds, measures, Bootstrap(42, run.group_by, 20), "kappa")
    found = {"run": "cv", "metric": "kappa", "against": {"baseline_logistic_statistics": beside}}
    write_json(run.results / "report" / "comparisons.json", found)
    join_logs({k: base / f"fold_{k}" / "none.log" for k in run.folds}, base / "run.log")
