"""Running the workflow from tests: a folder with a study of its own, and what a run would do."""

import atexit
import functools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import yaml

from foldwise.plan import fingerprint, text_encoders
from foldwise.plan.warm.parent import LIBRARIES

ROOT = Path(__file__).parents[1]
# Snakemake, telling each job in full on stdout, whatever its terminal shows.
SHOWN = ROOT / "tests" / "all_jobs_shown.py"
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
TIMEOUT = 900  # seconds
JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .+\n)*)", re.MULTILINE)
# What runs of this process have read of the code.
KEPT: list[bytes] = []
WILDCARDS = re.compile(r"    wildcards: (.+)")


def write_study(folder: Path, name: str, settings: dict) -> None:
    """Put a study file into `folder` and make it the only one that runs."""
    (folder / "config" / "studies").mkdir(parents=True, exist_ok=True)
    path = folder / "config" / "studies" / f"{name}.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump({"studies": [name]}))


def copy_project(folder: Path) -> Path:
    """A copy of the workflow in `folder`, to edit its code; returns its root."""
    root = folder / "project"
    root.mkdir(parents=True)
    shutil.copy(ROOT / "Snakefile", root)
    for name in ("workflow", "profiles", "envs"):
        # With the bytecode, but not what is being written of it.
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    return root


def snakemake(
    folder: Path,
    *arguments: str,
    check: bool = True,
    environment: dict[str, str] | None = None,
    root: Path = ROOT,
    plain: bool = False,
) -> subprocess.CompletedProcess:
    """Run snakemake in `folder` with a project's Snakefile and its default profile.

    `plain`: as a user does, so that the output is what a terminal shows. A run with an environment
    of its own, which decides what is imported, and a plain one start from nothing.
    """
    given = ["--snakefile", str(root / "Snakefile"), "--directory", str(folder)]
    given += ["--cores", "2", "--nocolor", *arguments]
    _remember_code(folder)
    if plain or environment:
        program = ["-m", "snakemake"] if plain else [str(SHOWN)]
        done = subprocess.run(
            [sys.executable, *program, *given],
            cwd=folder,
            env=os.environ | ONE_THREAD | (environment or {}),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
    else:
        done = runs().run(given, folder)
    if root == ROOT:
        _keep_code(folder)
    if check and done.returncode:
        raise AssertionError(
            f"snakemake {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done


def _remember_code(folder: Path) -> None:
    """What earlier runs have read of the code, as from a folder's second run on: by content, so
    that it saves 2 CPU seconds and decides nothing."""
    memo = folder / fingerprint.MEMO
    if KEPT and not memo.exists():
        memo.parent.mkdir(mode=0o700, exist_ok=True)
        memo.write_bytes(KEPT[-1])


def _keep_code(folder: Path) -> None:
    memo = folder / fingerprint.MEMO
    # The largest: a run reads of the code what its studies ask for.
    if memo.exists() and memo.stat().st_size > max(map(len, KEPT), default=0):
        KEPT.append(memo.read_bytes())


def libraries(folder: Path) -> list[str]:
    """What jobs of the studies in a folder import, see warm_jobs.py."""
    studies = (folder / "config" / "studies").glob("*.yaml")
    texts = any("kind: distillation" in path.read_text() for path in studies)
    return [*LIBRARIES, *(text_encoders.LIBRARIES if texts else ())]


@functools.cache
def runs() -> "Runs":
    """One for all tests of this process."""
    return Runs()


class Runs:
    """A process that has imported Snakemake and forks its runs, see all_jobs_shown.py."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, str(SHOWN), "--serve", str(theirs.fileno())],
            env=os.environ | ONE_THREAD,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self.answers = self.socket.makefile("rb")
        atexit.register(self.close)

    def run(self, arguments: list[str], folder: Path) -> subprocess.CompletedProcess:
        """Snakemake with these arguments in a folder, as by `subprocess.run`."""
        with tempfile.TemporaryDirectory() as said:
            files = {name: Path(said, name) for name in ("stdout", "stderr")}
            for path in files.values():
                path.touch()
            request = {name: str(path) for name, path in files.items()}
            request |= {"arguments": arguments, "cwd": str(folder)}
            request["environment"] = os.environ | ONE_THREAD
            request["jobs"] = not {"--dry-run", "-n"} & set(arguments)
            request["libraries"] = libraries(folder)
            self.socket.sendall(json.dumps(request).encode() + b"\n")
            killer = threading.Timer(TIMEOUT, os.kill, [int(self.answers.readline()), 9])
            killer.start()
            status = int(self.answers.readline())
            killer.cancel()
            texts = [path.read_text() for path in files.values()]
        return subprocess.CompletedProcess(["snakemake", *arguments], status, *texts)

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.process.wait()


def jobs_in(output: str) -> set[str]:
    """Jobs as `rule`, or `rule wildcard,wildcard` without the study, in snakemake's output."""
    jobs = set()
    for rule, values in _listed_jobs(output):
        rest = [value for key, value in sorted(values.items()) if key not in ("study", "key")]
        jobs.add(" ".join([rule, ",".join(rest)]).strip())
    return jobs


def rules_by_study(output: str) -> dict[str, set[str]]:
    """Study -> rules in snakemake's output; what belongs to no study stands under an empty name."""
    found: dict[str, set[str]] = {}
    for rule, values in _listed_jobs(output):
        found.setdefault(values.get("study", ""), set()).add(rule)
    return found


def _listed_jobs(output: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Rule and wildcards of each job in snakemake's output."""
    for rule, body in JOB.findall(output):
        found = WILDCARDS.search(body)
        yield rule, dict(part.split("=", 1) for part in found[1].split(", ")) if found else {}


def plan(folder: Path, *arguments: str, root: Path = ROOT) -> set[str]:
    """Jobs that a run would execute now, by a dry run."""
    done = snakemake(folder, "--dry-run", *arguments, root=root)
    return jobs_in(done.stdout + done.stderr) - {"all"}


def run(folder: Path, *arguments: str, root: Path = ROOT) -> set[str]:
    """Run, and return the jobs that were executed."""
    done = snakemake(folder, *arguments, root=root)
    return jobs_in(done.stdout + done.stderr) - {"all"}


def rules_of(jobs: set[str]) -> set[str]:
    """Rule names alone."""
    return {job.split()[0] for job in jobs}
