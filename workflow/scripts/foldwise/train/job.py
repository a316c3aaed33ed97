"""A job on one fold or on the holdout: what is asked, of which rows, with what, and where to.

Training, trials, prediction, teaching, Grad-CAM, costs and baselines are all given one of these,
made by `fold_job` from the paths of their rule.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch

from foldwise.folds.subset import subset
from foldwise.pixels.cache import Images as Cache
from foldwise.registry import load
from foldwise.settings.training import with_end
from foldwise.tasks.base import Rows, Task
from foldwise.train.feed.images import Images
from foldwise.train.feed.rows import parts
from foldwise.train.process.stop import Stop

CPU = torch.device("cpu")


@dataclass(frozen=True)
class FoldFiles:
    """What a rule reads of a fold: cohort.csv, fold_<k>.csv, the cache's name, texts."""

    cohort: str | Path
    fold: str | Path
    cache: str  # results/cache/<name>
    texts: Iterable[str | Path] = ()


@dataclass(frozen=True)
class FoldJob:
    """`params` is the content of params.json, and decides with rows and pictures all results.

    `rows` by part (train, val, holdout), each row with "fold" and, where a study has texts, with
    "texts". `device` and `stop` change no result beyond the last bits of a device.
    """

    params: dict[str, Any]
    task: Task
    rows: dict[str, Rows]
    images: Images | None  # None where no part that was asked for has a row
    fold: int
    out: Path  # folder of the results
    device: torch.device = CPU
    stop: Stop = field(default_factory=Stop)
    code: str = ""  # fingerprint that a saved state must share
    teacher_answers: str | Path | None = None  # file of `foldwise.train.teaching.teach`

    @property
    def state(self) -> Path:
        """Folder of what a stopped training needs to go on.

        Beside the results and no output of a rule: Snakemake deletes the outputs of a failed job.
        """
        return self.out.parent / "state"

    def part(self, name: str) -> Rows:
        """Rows of a part; none if this fold has no such part."""
        return self.rows.get(name, [])


class Means(TypedDict, total=False):
    """Fields of a job that have defaults."""

    device: torch.device
    stop: Stop
    code: str
    teacher_answers: str | Path | None


def fold_job(
    params: dict[str, Any],
    files: FoldFiles,
    fold: int,
    out: str | Path,
    used: tuple[str, ...] = ("train", "val"),
    **means: Unpack[Means],
) -> FoldJob:
    """The job of a rule's files; pictures are those of the parts `used`."""
    rows = parts(files.cohort, files.fold, fold, files.texts)
    # Before a learning curve takes a part: its runs end as the whole one does. Not the holdout,
    # which judges no epoch.
    folded = {row["group"] for part in ("train", "val") for row in rows.get(part, [])}
    params = with_end(params, len(folded))
    if "part" in params:
        # A run of a learning curve: the validation part stays whole.
        rows["train"] = subset(rows["train"], params["part"], params["seed"])
    # Only those: a fold without holdout pictures must not wait for, or fail by, their shards.
    shown = [row for part in used for row in rows.get(part, [])]
    images = Cache.of(shown, f"results/cache/{files.cache}") if shown else None
    task = load("TASKS", params["kind"])(params["task"])
    return FoldJob(params, task, rows, images, fold, Path(out), **means)


def own_answers(params: dict[str, Any], paths: Iterable[str]) -> str | None:
    """Of the answers that a job has waited for, those of its run's teacher; None without one.

    A trial waits for those of each teacher that its search may ask for.
    """
    if "teacher" not in params:
        return None
    folder = f"/runs/{params['teacher']['run']}/"
    return next((path for path in paths if folder in path), None)
