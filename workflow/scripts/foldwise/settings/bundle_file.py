"""A bundle as a file: a zip with one list of contents, read without running anything in it.

`bundle.json` says what the model is and carries the SHA-256 of every other file, and a seal over
itself. Weights are safetensors, all else is JSON, ONNX or Markdown: nothing is ever unpickled.
Standard library only: the rule files read this.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.files import json_text, replacing
from foldwise.hashing import digest
from foldwise.integrity import SEAL

# Raised when a bundle of the number before can no longer be read as it is.
FORMAT = 1
MANIFEST = "bundle.json"
# A zip may claim any size: no stranger's list fills the memory.
MANIFEST_BYTES = 64 << 20
# A fixed time, so that equal contents are equal bytes.
MADE = (1980, 1, 1, 0, 0, 0)
# What a bundle of this format may lack that an earlier version wrote, and what stands for it.
LATER: dict[str, Any] = {
    "reliability": {
        "reason": "The bundle is of a version of Foldwise that put none in.",
        "error": None,
        "parts": {},
    },
    "looks": {"modality": {}, "colour": {}},
    "overlap": None,
}
AGAIN = "Copy it again from where it was made, or make it anew there with `snakemake bundle`."


def write_bundle(path: str | Path, manifest: dict[str, Any], files: Mapping[str, bytes]) -> None:
    """Write a bundle whole or not at all; equal contents give equal bytes."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    record = manifest | {"format": FORMAT, "files": hashes}
    first = {MANIFEST: json_text(record | {SEAL: digest(record)}).encode()}
    size = sum(map(len, files.values()))
    with replacing(path, size) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in {**first, **dict(sorted(files.items()))}.items():
            info = zipfile.ZipInfo(name, MADE)
            # Weights do not shrink; words do.
            small = name.endswith((".safetensors", ".onnx", ".pt2"))
            info.compress_type = zipfile.ZIP_STORED if small else zipfile.ZIP_DEFLATED
            # Unix permissions stand in the upper half: what is unpacked is its owner's alone.
            info.external_attr = 0o600 << 16
            archive.writestr(info, content)


def read_manifest(path: str | Path) -> dict[str, Any]:
    """What a bundle says of itself, checked. Raises FoldwiseError for anything else."""
    record = _record(path)
    if not isinstance(record, dict) or "format" not in record:
        raise FoldwiseError(f"{path}: {MANIFEST} is no list of a bundle's contents. {AGAIN}")
    made_by = record.get("foldwise", "unknown")
    if record["format"] != FORMAT:
        newer = isinstance(record["format"], int) and record["format"] > FORMAT
        step = (
            f"Update Foldwise here to version {made_by} or later"
            if newer
            else "Make the bundle anew with this version (`snakemake bundle` in its study)"
        )
        raise FoldwiseError(
            f"{path} is a bundle of format {record['format']}, written by Foldwise {made_by}; this "
            f"version reads format {FORMAT}. {step}."
        )
    seal = record.pop(SEAL, None)
    # Against damage and slips of hand; whoever means harm can seal anew.
    if seal != digest(record):
        raise FoldwiseError(
            f"{path} was damaged or changed after it was made: its list and its seal differ. "
            f"{AGAIN}"
        )
    return record | {name: value for name, value in LATER.items() if name not in record}


def _record(path: str | Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MANIFEST).file_size > MANIFEST_BYTES:
                raise FoldwiseError(f"{path}: {MANIFEST} is too large to be one. {AGAIN}")
            return json.loads(archive.read(MANIFEST))
    except FileNotFoundError:
        raise FoldwiseError(f"{path}: no such bundle. Correct the path.") from None
    except IsADirectoryError:
        raise FoldwiseError(f"{path} is a folder. Name the bundle's .zip file.") from None
    except KeyError:
        raise FoldwiseError(
            f"{path} is a zip, but no bundle of Foldwise: it has no {MANIFEST}. `snakemake bundle` "
            "makes one of a study."
        ) from None
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
        raise FoldwiseError(f"{path} was cut short or damaged. {AGAIN}") from error


def read_file(path: str | Path, manifest: Mapping[str, Any], name: str) -> bytes:
    """One file of a bundle, compared with its hash. Raises FoldwiseError where it differs."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(name)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FoldwiseError(f"{path}: {name} is missing or damaged. {AGAIN}") from error
    if hashlib.sha256(content).hexdigest() != manifest["files"].get(name):
        raise FoldwiseError(
            f"{path}: {name} is not what was put in: its hash differs from the list's. {AGAIN}"
        )
    return content


def unpack(path: str | Path, manifest: Mapping[str, Any], within: str, folder: Path) -> Path:
    """Write the files below `within` into `folder`; returns folder/within."""
    for name in manifest["files"]:
        place = PurePosixPath(name)
        if place.parts[0] != within:
            continue
        # Names in a zip may point anywhere; a bundle comes from strangers.
        if place.is_absolute() or ".." in place.parts:
            raise FoldwiseError(f"{path}: {name} would be written outside its folder. {AGAIN}")
        target = folder.joinpath(*place.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read_file(path, manifest, name))
    return folder / within
