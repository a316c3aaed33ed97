"""The tables of a crate made anew from its predictions: are they what it says?"""

import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from foldwise.article.inputs import article_files
from foldwise.article.study import Study
from foldwise.article.table import write_table
from foldwise.article.tables import TABLES
from foldwise.errors import FoldwiseError
from foldwise.evaluate.fold import evaluate_fold
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import read_fold, summarise
from foldwise.files import read_json, write_json
from foldwise.registry import load
from foldwise.report.ledger import Ledger
from foldwise.settings.study import load_study


def rebuild(crate: Path, out: Path) -> dict[str, bool]:
    """Measure and sum up every run of an unpacked crate in the folder `out`, and make its tables.

    Returns, for each file that was made, whether it is byte for byte that of the crate. Raises
    FoldwiseError for a folder that is no crate.
    """
    studies = sorted((crate / "config/studies").glob("*.yaml"))
    if not (crate / "ro-crate-metadata.json").is_file() or not studies:
        raise FoldwiseError(
            f"{crate} is no unpacked crate of a study: it lacks ro-crate-metadata.json or "
            "config/studies. Unpack the zip file that `snakemake crate` wrote, and name its folder."
        )
    settings = load_study(studies[0].stem, crate / "config/studies")
    # Into a copy: the crate stays as it was handed over, to compare with.
    shutil.copytree(crate / "results", out / "results")
    # Paths of results are relative to the working folder everywhere.
    with chdir(out):
        made = [path for run in _runs(settings) for path in _run(run, settings)]
        made += _tables(settings)
    return {str(p): (out / p).read_bytes() == (crate / p).read_bytes() for p in sorted(made)}


def _runs(settings: dict[str, Any]) -> list[Path]:
    base = Path("results", settings["name"], "runs")
    return sorted(path.parent for path in base.glob("*/cv_summary.json"))


def _run(run: Path, settings: dict[str, Any]) -> Iterator[Path]:
    """Metrics of each fold and the summary of a run, made anew in their places."""
    params, group = read_json(run / "params.json"), settings["data"]["group"]
    task = load("MEASURES", params["kind"])(params["task"])
    folds = []
    # By length first: fold_10 comes after fold_9.
    for results in sorted(run.glob("fold_*/results"), key=lambda p: (len(str(p)), str(p))):
        evaluate_fold(results / "val_predictions.csv", task, results / "metrics", group)
        yield from (results / "metrics" / f"val_metrics.{form}" for form in ("json", "txt", "yaml"))
        number = int(results.parent.name.removeprefix("fold_"))
        history = results / "train_history.json"
        folds.append(
            read_fold(
                number,
                results / "metrics" / "val_metrics.json",
                results / "val_predictions.csv",
                run.parents[1] / "folds" / f"fold_{number}.csv",
                history if history.is_file() else None,
            )
        )
    # The run's own seed: the same draws, and so the same intervals to the last digit.
    bootstrap, monitor = Bootstrap(params["seed"], group), params["training"]["monitor"]
    summary = summarise(folds=folds, task=task, bootstrap=bootstrap, monitor=monitor)
    write_json(run / "cv_summary.json", summary)
    yield run / "cv_summary.json"


def _tables(settings: dict[str, Any]) -> Iterator[Path]:
    """The article's tables of the study, made of the files that were made anew."""
    folder, name = Path("results", settings["name"], "article", "tables"), settings["name"]
    study = Study(settings, article_files(settings), {}, Ledger())
    for path in sorted(folder.glob(f"{name}-*.csv")):
        key = path.stem.removeprefix(f"{name}-")
        write_table(TABLES[key](study), folder, path.stem)
        yield from (folder / f"{path.stem}.{form}" for form in ("csv", "md", "tex"))
