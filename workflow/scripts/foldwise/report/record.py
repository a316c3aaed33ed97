"""The run record: settings, seed, data hash, code, command, versions, machine, times."""

import ast
import csv
import platform
import subprocess
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from foldwise.contents import read_cohort
from foldwise.files import read_json
from foldwise.hashing import digest

PACKAGES = (
    "snakemake",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "pydicom",
    "imagecodecs",
    "opencv-python-headless",
    "optuna",
    "matplotlib",
)
# Columns of cohort.csv that are drawn at random for each results tree, or are places in a cache.
# What a picture shows follows from its content.
NOT_DATA = ("sample", "group", "exam", "shard", "row", "keyed", "pixels")
# Folders of the repository in which a study's settings stand, and a machine's.
SETTINGS = ("config", "profiles")
# Settings that hold paths of the archive: they stay in the study file.
PATHS = ("root", "table", "exclusions", "splits")

SCRIPTS = Path(__file__).parents[2]
# What a start of the workflow says of itself; empty where the record is made without one.
START = ("command", "started", "set")


def run_record(
    study: dict[str, Any],
    results: Path,
    histories: Iterable[str | Path],
    started: Mapping[str, str] | None = None,
    code_folder: Path = Path(__file__).parent,
) -> dict[str, Any]:
    """What record.json holds. study: its settings; results: results/<study>.

    The archive's paths are left out: a report may travel further than the archive.
    """
    run, trained = study["report"]["run"], [read_json(path) for path in histories]
    # As the folds wrote it down: the report may be made on another machine.
    machines = sorted({_words(fold["environment"]) for fold in trained if fold.get("environment")})
    return {
        "study": {
            key: {k: v for k, v in value.items() if k not in PATHS} if key == "data" else value
            for key, value in study.items()
        },
        "run": run,
        "settings": read_json(results / "runs" / run / "params.json"),
        "data_hash": data_hash(results / "cohort.csv"),
        "git": git_state(code_folder),
        **{key: started[key] if started and key in started else "" for key in START},
        "versions": versions(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "trained_on": machines,
        "rules": rules(results / "benchmarks", run, _other_runs(results, run)),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def data_hash(cohort_csv: str | Path) -> str:
    """Digest of the analysed set: contents, labels, and which images are of one group.

    It does not depend on the names of samples and groups, which are random for each results
    tree: a group is named by the first content of it.
    """
    # In order of content: the order of cohort.csv is that of random names.
    rows = sorted(read_cohort(cohort_csv), key=lambda row: row["content"])
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["group"], row["content"])
    kept = [{k: v for k, v in row.items() if k not in NOT_DATA} for row in rows]
    return digest(
        [row | {"group": first[old["group"]]} for row, old in zip(kept, rows, strict=True)], 64
    )


def git_state(folder: Path) -> dict[str, Any]:
    """Commit of the workflow, and whether code or settings differ from it; empty without git.

    Everyone edits config/, as the README says: that makes no other program of it.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    # A copy without git is a fine place to run: the record says less, and nothing fails.
    if commit is None:
        return {}
    code = [".", *(f":(exclude,top){name}" for name in SETTINGS)]
    settings = [f":(top){name}" for name in SETTINGS]
    return {"commit": commit, "dirty": _differs(folder, code)} | {
        "settings_dirty": _differs(folder, settings)
    }


def _differs(folder: Path, paths: list[str]) -> bool:
    top = _git(folder, "rev-parse", "--show-toplevel")
    # Untracked files are not asked for: a results tree may hold very many, and none is code.
    return bool(_git(Path(top or folder), "status", "--porcelain", "-uno", "--", *paths))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            # Git on a slow network disk must not hold up a report.
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def versions() -> dict[str, str]:
    """Package -> version, of those that are installed where the report is made."""
    of_package = {}
    for package in PACKAGES:
        try:
            of_package[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return of_package


def _other_runs(results: Path, run: str) -> set[str]:
    return {folder.name for folder in (results / "runs").iterdir()} - {run}


def rules(benchmarks: Path, run: str, without: Collection[str] = ()) -> list[dict[str, Any]]:
    """Jobs, their seconds and peak memory (MB) of each rule, from Snakemake's benchmark files.

    They lie in `benchmarks`, or its folder `run`, by rule; folders of other runs are named in
    `without`.
    """
    of_rule: dict[str, dict[str, Any]] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        place = path.relative_to(benchmarks).with_suffix("").parts
        if place[0] in without:
            continue
        with open(path, encoding="utf-8", newline="") as stream:
            measured = list(csv.DictReader(stream, delimiter="\t"))
        rule = place[1] if place[0] == run else place[0]
        row = of_rule.setdefault(
            rule,
            {"rule": rule, "title": title_of(rule), "jobs": 0, "seconds": 0.0, "max_rss_mb": None},
        )
        row["jobs"] += 1
        for one in measured[-1:]:
            row["seconds"] += _number(one.get("s")) or 0.0
            memory = [row["max_rss_mb"], _number(one.get("max_rss"))]
            # The largest of the jobs: a request of memory has to hold it.
            row["max_rss_mb"] = max((m for m in memory if m is not None), default=None)
    return list(of_rule.values())


def title_of(rule: str) -> str:
    """What a rule does, in the words of its script's first line; its name where it has no script,
    as one that an earlier version had."""
    script = SCRIPTS / f"{rule}.py"
    if not script.is_file():
        return rule
    line = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").split("\n")[0]
    words = line.partition(": ")[2].rstrip(".") or rule
    return words[0].upper() + words[1:]


def _number(text: str | None) -> float | None:
    # A job that ends too soon to be measured has "NA" or "-".
    try:
        return float(text or "")
    except ValueError:
        return None


def _words(environment: dict[str, Any]) -> str:
    parts = [str(environment["device"])]
    parts += [
        f"{name.replace('_', ' ')} {value}"
        for name, value in environment.items()
        if name != "device"
    ]
    return ", ".join(parts)
