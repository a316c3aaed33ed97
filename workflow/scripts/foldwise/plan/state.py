"""What the rules ask of the disk when the DAG is built: archive state, shards, this machine's GPUs.

Standard library, PyYAML and jsonschema only.
"""

import csv
import functools
import os
from collections.abc import Sequence
from typing import Any

from foldwise.cohort.archive import listing_digest
from foldwise.hashing import digest, file_digest
from foldwise.plan.fingerprint import code_of_entry, words
from foldwise.settings.kinds import baselines_of
from foldwise.settings.paths import without_paths
from foldwise.settings.study import run_settings

# What fills a cache beside the decoder. What reads one, or finds the files, changes no pixel of it.
FILLS_CACHE = (
    "foldwise.pixels.cache:write_shard",
    "foldwise.pixels.decode.base:of_content",
    "foldwise.cohort.identity:Names",
)


def cache_key(study: dict) -> str:
    """Name of the cache that the study reads: a digest of reader, image settings, decoding code."""
    reader = study["data"]["reader"]
    # The decoder's code and not the reader's: how tables are joined changes no pixel.
    code = code_of_entry("DECODERS", reader, *FILLS_CACHE)
    return digest([reader, study["image"], code])


def settings_at(study: dict, paths: Sequence[str]) -> dict[str, Any]:
    """Settings by dotted path, for the params of a rule; of `data` without where things are."""
    shown = without_paths(study)
    return {path: functools.reduce(dict.__getitem__, path.split("."), shown) for path in paths}


def code_words(study: dict, run: str) -> frozenset[str]:
    """Words by which the code of a rule is followed: those that decide what this run executes.

    Of a named run these are its own merged settings, its teacher's model among them, and none of
    another run; of what comes of a search also those of the space; of rules without a run neither.
    """
    # Their settings come of the search and are not known when the DAG is built.
    if run.startswith(("trial_", "tuned", "nested_")):
        return words({key: study[key] for key in study if key not in ("runs", "report")})
    if run:
        return words(run_settings(study, run))
    return words({key: study[key] for key in ("kind", "data", "image", "folds", "model")})


def archive_state(study: dict) -> dict[str, str]:
    """Digests of the archive's listing and of the table's bytes; `absent` where there is none."""
    data = study["data"]
    files = {"table": data["table"].get("path"), "exclusions": data["exclusions"]} | data["splits"]
    digests = {name: _digest_of(path) for name, path in files.items()}
    return {"root": listing_digest(data["root"])} | digests


def table_state(study: dict) -> str:
    """Digest of the table's bytes alone."""
    return _digest_of(study["data"]["table"].get("path"))


def _digest_of(path: str | None) -> str:
    """Of a file's bytes; of a table in several files, those of all tables in that folder.

    One that may not be read is `unreadable`: the start checks say so in words.
    """
    try:
        return _digest(path)
    except OSError:
        return "unreadable"


def _digest(path: str | None) -> str:
    if path and os.path.isfile(path):
        return file_digest(path)
    if path and os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if name.endswith(".jsonl"))
        return digest({name: file_digest(os.path.join(path, name)) for name in names})
    return "absent"


def shard_files(study: dict, images: str) -> list[str]:
    """Cache files (pixels and rows) of the shards that `images.csv` names."""
    with open(images, encoding="utf-8", newline="") as stream:
        names = sorted({row["shard"] for row in csv.DictReader(stream)})
    base = f"results/cache/{cache_key(study)}"
    return [f"{base}/{name}{ending}" for name in names for ending in (".json", ".npy")]


@functools.cache
def was_there(paths: tuple[str, ...]) -> bool:
    """Whether any of these files was there when this process first asked.

    Once: Snakemake asks again while jobs run, and a job that runs has removed its own files.
    """
    return any(map(os.path.exists, paths))


def fold_numbers(study: dict) -> list[int]:
    """Numbers of the folds, from 1; the preset `split` is one fold."""
    folds = study["folds"]
    return [1] if folds["preset"] == "split" else list(range(1, folds["n"] + 1))


def gpus(setting: str | int) -> int:
    """GPUs that a training job asks for; `auto` asks for one where this machine shows one."""
    if setting != "auto":
        return int(setting)
    # Both mean none to CUDA.
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    # The device's file: asking torch would import it whenever the DAG is built.
    return int(os.path.exists("/dev/nvidia0") and not hidden)


def baseline_runs(study: dict) -> list[str]:
    """Runs of the classical methods that a study is compared with."""
    return [f"baseline_{name}" for name in baselines_of(study)]
