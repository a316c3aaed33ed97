"""What a job on a fold or the holdout is given: its task, its rows by part, its images."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.pixels.cache import Images
from foldwise.registry import load
from foldwise.train.feed.rows import parts


@dataclass(frozen=True)
class Given:
    """`rows` by part, sorted by content; `images` of the parts asked for, or None."""

    task: Any
    rows: dict[str, list[dict]]
    images: Images | None


def given_fold(
    params: dict[str, Any],
    cohort: str | Path,
    fold_file: str | Path,
    fold: int,
    cache: str,
    texts: Iterable[str | Path] = (),
    used: tuple[str, ...] = ("train", "val"),
) -> Given:
    """Of a run's params, cohort.csv, fold_<k>.csv and the cache's name (results/cache/<name>)."""
    rows = parts(cohort, fold_file, fold, texts)
    shown = [row for part in used for row in rows.get(part, [])]
    task = load("TASKS", params["kind"])(params["task"])
    return Given(task, rows, Images.of(shown, f"results/cache/{cache}") if shown else None)
