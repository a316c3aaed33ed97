"""All kinds of study run once, in one folder, by one call of the workflow: see tests/contract."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from flow import copy_project, snakemake, write_study
from foldwise.files import read_json
from foldwise.plan import state
from foldwise.registry import names
from foldwise.settings.study import load_study
from foldwise.train.job import FoldFiles, fold_job
from foldwise.train.loop import train_fold
from made_studies import EXAMPLES, example_of, native_pairs

KINDS = names("TASKS")
# A fold's metrics and a figure that reads no model: each rule up to them has run once.
WANTED = ("runs/cv/fold_1/results/metrics/val_metrics.json", "report/figures/cohort_flow.png")
TARGETS = [f"results/{kind}/{path}" for kind in KINDS for path in WANTED]
# Segmentation once more, of pictures at their own scale; its own study beside those of the kinds.
NATIVE = "native"


def write_studies(folder: Path, **changes: dict) -> None:
    """A study a kind, named as the kind, of archives that are there; branches merged in."""
    for kind in KINDS:
        path = folder / "config" / "studies" / f"{kind}.yaml"
        settings = yaml.safe_load(path.read_text())
        for branch, values in changes.items():
            settings[branch] = settings[branch] | values
        write_study(folder, kind, settings)
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump({"studies": KINDS}))


def make_finished(folder: Path) -> str:
    """Archives, studies, a copy of the project, and one run; returns what it said."""
    for kind in KINDS:
        reader = example_of(kind)
        write_study(folder, kind, EXAMPLES[reader].make(folder, f"made_{reader}"))
        EXAMPLES[reader].models(folder / f"made_{reader}")
    write_study(folder, NATIVE, native_pairs(folder, "made_native"))
    write_studies(folder)
    studies = f"studies={[*KINDS, NATIVE]}"
    wanted = [*TARGETS, f"results/{NATIVE}/{WANTED[0]}"]
    done = snakemake(folder, *wanted, "--config", studies, root=copy_project(folder))
    return done.stdout + done.stderr


class Fold:
    """The first fold of a study in a finished folder, as its rules are given it.

    Paths in settings are relative: the folder must be the working directory.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.base = folder / "results" / name
        study = load_study(name, str(folder / "config" / "studies"))
        self.kind = study["kind"]
        told = [self.base / "private/texts.csv"] if study["data"]["columns"]["texts"] else []
        self.params = read_json(self.base / "runs/cv/params.json")
        paths = self.base / "cohort.csv", self.base / "folds/fold_1.csv"
        files = FoldFiles(*paths, state.cache_key(study), told)
        self.job = fold_job(self.params, files, 1, self.results)
        self.task, self.rows, self.images = self.job.task, self.job.rows, self.job.images

    @property
    def results(self) -> Path:
        """What the workflow made."""
        return self.base / "runs/cv/fold_1/results"

    def train(self, out: Path, on_epoch: Any = None, renamed: bool = False) -> Path:
        """Train it again into `out`/results; with other names of samples, in another order."""
        rows = {part: list(self.rows[part]) for part in ("train", "val")}
        if renamed:
            for part in rows:
                rows[part] = [row | {"sample": f"x{n}"} for n, row in enumerate(rows[part])]
                random.Random(3).shuffle(rows[part])
        train_fold(replace(self.job, rows=rows, out=out / "results"), on_epoch)
        return out / "results"
