"""What a plan costs: `python tests/bench/plans.py [--jobs 50 1000 10000]`.

CPU seconds and memory of a dry run, and of a start with nothing to do, of a search of about so many
jobs, beside two workflows without any code of their own: one whose jobs have as many files, logs,
params and resources (what it costs is Snakemake's own share), and one of as many jobs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP / "workflow" / "scripts"), str(TOP / "tests"), str(TOP)]

from flow import ROOT, write_study  # noqa: E402
from foldwise.plan.studies import Studies  # noqa: E402
from foldwise.settings.schema import check  # noqa: E402
from studies import settings  # noqa: E402

PLANS = Path(__file__).with_suffix("")
OF_TRIAL, OF_SEARCH = 5, 12  # jobs of a trial over three folds, and of all around the trials
WORKFLOWS = {
    "foldwise": ROOT / "Snakefile",
    "of as many jobs and files": PLANS / "same_shape.smk",
    "of as many jobs": PLANS / "bare.smk",
}


def prepared(folder: Path, trials: int) -> dict:
    """A folder with a study and its search; what a trial's jobs have as params."""
    space = {"training.lr": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True}}
    search = {"trials": trials, "window": 16, "space": space}
    write_study(folder, "mine", settings(search=search, folds={"n": 3}))
    config = {"studies": ["mine"], "folder": str(folder / "config/studies")}
    return Studies(check("config", config, "")).plans["mine"].of_trial(0)


def measured(folder: Path, program: list[str], *arguments: str) -> tuple[float, float]:
    """CPU seconds and peak MB of a process and what it starts."""
    command = [sys.executable, *program, "--directory", str(folder), *arguments]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        text = said.read()
    idle = program[0] == "-m" and "--dry-run" not in arguments
    if status or (idle and "Nothing to be done" not in text):
        sys.exit(f"{' '.join(command)}:\n{text[-10000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def costs(snakefile: Path, trials: int) -> list[tuple[float, float]]:
    """Of one workflow: what the dry run and the start with nothing to do cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        values = folder / "values.json"
        values.write_text(json.dumps({"trials": trials, "search": prepared(folder, trials)}))
        given = ["--snakefile", str(snakefile)]
        given += ["--workflow-profile", str(ROOT / "profiles" / "default")]
        # What the checkpoint adds to the plan, and what is read of the code, comes first.
        targets = ["results/mine/cohort.csv"] * 2
        if snakefile.parent == PLANS:
            given, targets = [*given, "--configfile", str(values)], []
        planned = measured(folder, ["-m", "snakemake"], "search", *given, "--dry-run")
        for target in (*targets, "search"):
            measured(folder, [str(PLANS / "finished.py")], target, *given)
        return [planned, measured(folder, ["-m", "snakemake"], "search", *given)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, nargs="*", default=[50, 1000, 10000])
    print("| jobs | workflow | dry run | nothing to do | foldwise / this |")
    print("| --- | --- | --- | --- | --- |")
    for jobs in parser.parse_args().jobs:
        trials = max(1, (jobs - OF_SEARCH) // OF_TRIAL)
        found = {name: costs(snakefile, trials) for name, snakefile in WORKFLOWS.items()}
        ours = found["foldwise"][1][0]
        for name, both in found.items():
            cells = [f"{seconds:.1f} s, {memory:.0f} MB" for seconds, memory in both]
            times = f"{ours / both[1][0]:.2f}"
            print(f"| {jobs:,} | {name} | {' | '.join(cells)} | {times} |", flush=True)


if __name__ == "__main__":
    main()
