"""What a job on one fold is given: its task, its rows by part, its images."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.data.cache import Images
from foldwise.registry import load
from foldwise.train.rows import parts


@dataclass(frozen=True)
class Given:
    """`rows` by part, sorted by content; `images` holds those of training and validation."""

    task: Any
    rows: dict[str, list[dict]]
    images: Images


def given_fold(
    params: dict[str, Any],
    cohort: str | Path,
    fold_file: str | Path,
    fold: int,
    cache: str,
    texts: Iterable[str | Path] = (),
) -> Given:
    """Of a run's params, cohort.csv, fold_<k>.csv and the cache's name (results/cache/<name>)."""
    rows = parts(cohort, fold_file, fold, texts)
    used = rows.get("train", []) + rows.get("val", [])
    task = load("TASKS", params["kind"])(params["task"])
    return Given(task, rows, Images.of(used, f"results/cache/{cache}"))
