"""Recipes of an image with the environment of the lock file, for Docker and Apptainer."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = "requirements.lock"
# What PYTHON of `envs/` is too; the lock holds for all versions from 3.11 on.
BASE = "python:3.12-slim"
# git: the run record names the commit. procps: benchmarks. libgomp: scikit-learn and torch.
SYSTEM = "git procps libgomp1"
STEPS = (
    f"apt-get update && apt-get install -y --no-install-recommends {SYSTEM}",
    "rm -rf /var/lib/apt/lists/*",
    "python -m pip install --no-cache-dir uv==0.13.8",
    # Bytecode at installation: without it every job starts seconds later.
    f"uv pip install --system --no-cache --compile-bytecode -r /opt/foldwise/{LOCK}",
)
HEADER = "# Made by `make docs` from {lock}: edit tools/containers.py, not this file."


def lock_digest() -> str:
    """SHA-256 of the lock file, by which an image says what is in it."""
    return hashlib.sha256((ROOT / LOCK).read_bytes()).hexdigest()


def dockerfile() -> str:
    """For Docker and Podman: `docker build -f containers/Dockerfile -t foldwise .`"""
    lines = [
        HEADER.format(lock=LOCK),
        "# docker build -f containers/Dockerfile -t foldwise .",
        f"FROM {BASE}",
        f'LABEL foldwise.lock="{lock_digest()}"',
        f"COPY {LOCK} /opt/foldwise/{LOCK}",
        *(f"RUN {step}" for step in (f"{STEPS[0]} && {STEPS[1]}", *STEPS[2:])),
        "WORKDIR /work",
        'CMD ["snakemake", "--help"]',
    ]
    return "\n".join(lines) + "\n"


def apptainer() -> str:
    """For Apptainer: `apptainer build foldwise.sif containers/foldwise.def`"""
    lines = [
        HEADER.format(lock=LOCK),
        "# apptainer build foldwise.sif containers/foldwise.def",
        "Bootstrap: docker",
        f"From: {BASE}",
        "",
        "%labels",
        f"    foldwise.lock {lock_digest()}",
        "",
        "%files",
        f"    {LOCK} /opt/foldwise/{LOCK}",
        "",
        "%post",
        "    set -e",
        *(f"    {step}" for step in STEPS),
        "",
        "%runscript",
        '    exec snakemake "$@"',
    ]
    return "\n".join(lines) + "\n"


def recipes() -> dict[Path, str]:
    """The two files, with the text that each should have."""
    folder = ROOT / "containers"
    return {folder / "Dockerfile": dockerfile(), folder / "foldwise.def": apptainer()}
