"""Which job made a result: each job leaves a record beside its log, which a report's ledger reads.

Snakemake keeps no such thing that outlives its cache of metadata. The record holds digests and
names of results alone: neither settings nor inputs, which may name the archive.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from foldwise.files import read_json, write_json
from foldwise.hashing import digest, file_digest

ENDING = ".origin.json"
# What pages and figures read; arrays and weights are large, and no number is quoted from them.
READ = (".json", ".csv", ".png")


def forget_origin(job: Any) -> None:
    """Take back what the job recorded when it ran before: it is about to write its files anew."""
    _record(job).unlink(missing_ok=True)


def note_origin(job: Any) -> None:
    """Record a finished job (Snakemake's object): rule, code, settings and digests of its files."""
    settings = {name: value for name, value in job.params.items() if name != "code"}
    facts = {
        "rule": job.rule,
        "code": job.params.get("code"),
        # repr: settings may hold what JSON does not.
        "settings": digest(repr(settings)),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {path: file_digest(path) for path in _quoted(job.output)},
    }
    write_json(_record(job), facts)


def _record(job: Any) -> Path:
    return Path(job.log[0]).with_suffix(ENDING)


def _quoted(paths: Iterable[str]) -> list[str]:
    """Those that a page may quote; nothing below a folder `private`."""
    files = [Path(path) for path in paths if Path(path).suffix in READ]
    return [str(path) for path in files if path.is_file() and "private" not in path.parts]


def origins(logs: Path) -> dict[str, dict[str, Any]]:
    """Path of a result -> {"rule", "code", "settings", "made", "sha256"}, from all records."""
    found = {}
    for record in map(read_json, sorted(logs.rglob(f"*{ENDING}"))):
        files = record.pop("files")
        found |= {path: record | {"sha256": sha} for path, sha in files.items()}
    return found
