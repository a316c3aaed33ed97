"""What was submitted, on disk: what a driver that died leaves to the next one.

    .snakemake/pbspro/jobs/<token>.json   one job: id, what it makes, from what, its request
                      exits/<token>       its exit code, written by the job under another name first
                      claims/<token>      id of the one PBS job that may run it
                      scripts/<token>.sh

An entry is written before qsub and removed when Snakemake has been told the end.
"""

import hashlib
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.utils import encode_target_jobs_cli_args

SMALL = 1 << 20  # bytes; inputs up to this size are told apart by content, larger ones by time


@dataclass
class Entry:
    """One job as submitted. `submitted` and `gone_since` are seconds since 1970."""

    token: str
    targets: list[str]
    fingerprint: str
    name: str = ""
    log: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    job_id: str = ""
    tries: int = 0
    submitted: float = 0.0
    gone_since: float = 0.0
    abandoned: bool = False


class Registry:
    """The entries, and the small files that jobs leave."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("jobs", "exits", "claims", "scripts", "logs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
        found = [Entry(**json.loads(path.read_text())) for path in folder.glob("jobs/*.json")]
        self.entries = {entry.token: entry for entry in found}
        self.earlier = set(self.entries)

    def new(self, targets: list[str], fingerprint: str) -> Entry:
        """An entry with a token that no other job has; `save` puts it on disk."""
        token = f"{int(time.time()):x}{secrets.token_hex(3)}"
        self.entries[token] = Entry(token, targets, fingerprint)
        return self.entries[token]

    def save(self, entry: Entry) -> None:
        """Write an entry whole: a driver killed here leaves the old one or the new one."""
        path = self.folder / "jobs" / f"{entry.token}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(entry)))
        os.replace(temporary, path)

    def remove(self, entry: Entry) -> None:
        """Forget a job. The entry goes first: without it a job that starts late steps back."""
        self.entries.pop(entry.token, None)
        self.earlier.discard(entry.token)
        for name in ("jobs/{}.json", "exits/{}", "claims/{}", "scripts/{}.sh"):
            (self.folder / name.format(entry.token)).unlink(missing_ok=True)

    def exit_codes(self) -> dict[str, int]:
        """Exit codes that jobs have left. Listing the folder makes a network disk show them."""
        codes = {}
        for token in os.listdir(self.folder / "exits"):
            if token in self.entries:
                text = read(self.folder / "exits" / token)
                codes |= {token: int(text)} if text.isdigit() else {}
        return codes

    def started(self) -> set[str]:
        """Tokens of the jobs that have started."""
        return set(os.listdir(self.folder / "claims"))

    def claim(self, entry: Entry) -> str:
        """Id of the PBS job that runs it, empty before it starts."""
        return read(self.folder / "claims" / entry.token)

    def overlapping(self, targets: list[str]) -> list[Entry]:
        """Entries of an earlier driver that make any of the same."""
        found = [self.entries[token] for token in sorted(self.earlier)]
        return [entry for entry in found if not set(targets).isdisjoint(entry.targets)]


def read(path: Path) -> str:
    """Text of a small file, empty when it is not there (any more)."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def targets_of(job: Any) -> list[str]:
    """What a job or group makes: `rule:wildcard=value` of each of its jobs."""
    return sorted(encode_target_jobs_cli_args(job.get_target_spec()))


def fingerprint(job: Any) -> str:
    """A digest of all that a job's outputs depend on: rule, command, params, state of inputs."""
    singles = job.jobs if job.is_group() else [job]
    parts = [
        [single.name, getattr(single, "shellcmd", None), json.dumps(single.params, default=plain)]
        for single in singles
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
