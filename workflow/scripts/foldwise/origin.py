"""Which job made a result: each job leaves a record beside its log, which a report's ledger reads.

Snakemake keeps no such thing that outlives its cache of metadata. The record holds digests and
names of results alone: neither settings nor inputs, which may name the archive.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.files import read_json, write_json
from foldwise.hashing import digest, file_digest

ENDING = ".origin.json"
# Weights carry a seal of their own.
RECORDED = (".json", ".csv", ".png", ".npy", ".npz", ".html")


def forget_origin(job: Any) -> None:
    """Take back what the job recorded when it ran before: it is about to write its files anew."""
    for record in (_record(job), *_private_records(job)):
        record.unlink(missing_ok=True)


def note_origin(job: Any) -> None:
    """Record a finished job (Snakemake's object): rule, code, settings and digests of its files."""
    # The code has a digest of its own beside these.
    settings = {name: value for name, value in job.params.items() if name != "code"}
    facts = {
        "rule": job.rule,
        "code": job.params.get("code"),
        # repr: settings may hold what JSON does not.
        "settings": digest(repr(settings)),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    private = _private_records(job)
    public = [path for path in _recorded(job) if not any(path in own for own in private.values())]
    # A digest of a private file would let its content be guessed: it stays beside that file.
    for record, paths in ({_record(job): public} | private).items():
        there = [path for path in paths if Path(path).is_file()]
        write_json(record, facts | {"files": {path: file_digest(path) for path in there}})


def check_inputs(job: Any) -> None:
    """Refuse a result that is no longer what its job wrote: edited, damaged or cut short.

    Snakemake takes a changed file for a new one, and what is made of it would bear the names of
    settings and models that did not make it.
    """
    paths = [str(path) for path in job.input if Path(path).suffix in RECORDED]
    places = {place for path in paths for place in _places(Path(path))}
    records = [path for folder, pattern in sorted(places) for path in folder.glob(pattern)]
    made = _facts(records)
    # Without a record, such as files of earlier versions, nothing is known and nothing refused.
    changed = [p for p in paths if p in made and file_digest(p) != made[p]["sha256"]]
    if changed:
        facts = made[changed[0]]
        raise FoldwiseError(
            f"{' and '.join(changed)}: not what rule {facts['rule']} wrote on {facts['made']}: "
            "changed or damaged since. Delete it and run the same command again: what is needed is "
            "made anew."
        )


def _places(path: Path) -> list[tuple[Path, str]]:
    """Folders and patterns of the records of a result's jobs: of its run, or of its study.

    Not all records of the study: each of hundreds of trials has some.
    """
    if path.parts[:1] != ("results",) or len(path.parts) < 3:
        return []
    logs = Path("results", path.parts[1], "logs")
    if "private" in path.parts:
        return [(path.parent, f"*{ENDING}")]
    if path.parts[2] == "runs":
        return [(logs / path.parts[3], f"**/*{ENDING}")]
    return [(logs, f"*{ENDING}"), (logs / "fold", f"*{ENDING}")]


def _record(job: Any) -> Path:
    return Path(job.log[0]).with_suffix(ENDING)


def _private_records(job: Any) -> dict[Path, list[str]]:
    """Record -> files of the folders named `private` that the job writes to."""
    records: dict[Path, list[str]] = {}
    for path in _recorded(job):
        if "private" in Path(path).parts:
            records.setdefault(Path(path).parent / _record(job).name, []).append(path)
    return records


def _recorded(job: Any) -> list[str]:
    return [str(path) for path in job.output if Path(path).suffix in RECORDED]


def origins(logs: Path) -> dict[str, dict[str, Any]]:
    """Path of a result -> {"rule", "code", "settings", "made", "sha256"}, from all records."""
    return _facts(logs.rglob(f"*{ENDING}"))


def _facts(records: Iterable[Path]) -> dict[str, dict[str, Any]]:
    made = {}
    for path in sorted(records):
        try:
            record = read_json(path)
        except FileNotFoundError:
            continue  # of a job beside this one that has begun to write its files anew
        files = record.pop("files")
        made |= {path: record | {"sha256": sha} for path, sha in files.items()}
    return made
