"""Digests that are the same on every machine and in every Python."""

import hashlib
import json
from pathlib import Path
from typing import Any

# Of keys of HMAC-SHA256: as long as SHA-256's output, which RFC 2104 advises (section 3).
KEY_BYTES = 32


def key_of(text: str) -> bytes:
    """The key that a file of hex digits holds; empty where it is none of KEY_BYTES."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        return b""
    return key if len(key) == KEY_BYTES else b""


def digest(value: Any, length: int = 16) -> str:
    """Hex digest of a JSON-like value; the order of keys does not matter."""
    # No blanks and sorted keys: one text for one value, in every version of Python.
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hex characters."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content_of(digests: list[str]) -> str:
    """Name of a sample's content: of one file its SHA-256, of several that of theirs; 32 hex."""
    return (digests[0] if len(digests) == 1 else digest(digests, 64))[:32]


def stream_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed for one named stream ("folds", "weights", ...) of a study's integer seed.

    Streams of different names are independent, and neither Python's salted `hash()` nor the
    order in which streams are asked for has any part in it.
    """
    # One bit less: many generators take signed numbers of 64 bits.
    return int(digest([seed, *names]), 16) >> 1
