"""Whether a job of an earlier driver is this very job: what it makes, and from what."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.utils import encode_target_jobs_cli_args

SMALL = 1 << 20  # bytes; inputs up to this size are told apart by content, larger ones by time


def targets_of(job: Any) -> list[str]:
    """What a job or group makes: `rule:wildcard=value` of each of its jobs."""
    return sorted(encode_target_jobs_cli_args(job.get_target_spec()))


def fingerprint(job: Any) -> str:
    """A digest of all that a job's outputs depend on: rule, command, params, state of inputs."""
    singles = job.jobs if job.is_group() else [job]
    parts = [
        [each.name, getattr(each, "shellcmd", None), json.dumps(each.params, default=plain)]
        for each in singles
    ]
    inputs = [[path, state_of(path)] for path in sorted(set(map(str, job.input)))]
    return hashlib.sha256(json.dumps([sorted(parts, key=str), inputs]).encode()).hexdigest()


def plain(value: Any) -> Any:
    """A param that JSON does not know, in a form that is the same in every Python."""
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


def state_of(path: str) -> str:
    """Content of a small file, size and time of a large one or a folder."""
    try:
        stat = os.stat(path)
        if os.path.isfile(path) and stat.st_size <= SMALL:
            return hashlib.sha256(Path(path).read_bytes()).hexdigest()
        return f"{stat.st_size}:{stat.st_mtime_ns}"
    except FileNotFoundError:
        return "absent"
