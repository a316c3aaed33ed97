"""What the page's explorer reads, beside a made-up run: cases, operating points, projections."""

from pathlib import Path
from typing import Any

import numpy as np

from foldwise.files import read_csv, read_json
from foldwise.report.cases import write_cases
from foldwise.report.explorer.projections import write_projections
from foldwise.report.explorer.thresholds import write_operating_points


def make_explored(base: Path, predictions: list[Path], cohort: list[dict[str, Any]]) -> None:
    """Write cases.json, operating_points.json and projections.json into the folder of a run."""
    params = read_json(base / "params.json")
    write_cases(params, predictions, cohort, None, base / "cases.json")
    write_operating_points(params, predictions, base / "operating_points.json")
    embeddings = [path.with_name("embeddings_val.npy") for path in predictions]
    for table, path in zip(predictions, embeddings, strict=True):
        np.save(path, features(read_csv(table), params["task"]["classes"]))
    write_projections(params, predictions, embeddings, base / "projections.json")


def features(rows: list[dict[str, str]], classes: list[str]) -> np.ndarray:
    """(N, 8) float32, in which the classes lie apart."""
    places = [classes.index(row["label"]) for row in rows]
    apart = np.random.default_rng(3).normal(size=(len(rows), 8)) + 2 * np.eye(8)[places]
    return apart.astype(np.float32)
