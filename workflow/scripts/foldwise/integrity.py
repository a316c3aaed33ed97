"""Seals: what was made is what is read.

A seal finds what a disk, a copy or an edit has changed. It is no signature: whoever changes a file
on purpose can seal it anew.
"""

import zlib
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.files import read_json, write_json
from foldwise.hashing import digest

SEAL = "seal"


def checksum(data: Any) -> int:
    """CRC-32 of contiguous bytes: gigabytes a second, where SHA-256 reads hundreds of megabytes."""
    return zlib.crc32(data)


def write_sealed(path: str | Path, record: dict[str, Any]) -> None:
    """Write JSON with a digest of itself."""
    write_json(path, record | {SEAL: digest(record)})


def read_sealed(path: str | Path) -> dict[str, Any]:
    """What `write_sealed` wrote, without the seal. Raises FoldwiseError for anything else."""
    record = read_json(path)
    seal = record.pop(SEAL, None) if isinstance(record, dict) else None
    # Without a seal too: an older or foreign file was not checked by anyone.
    if seal is None or seal != digest(record):
        raise FoldwiseError(
            f"{path} is not what was written: its digest differs. Delete it and run the same "
            "command again: it is made anew."
        )
    return record
