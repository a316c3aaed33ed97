"""Checks before the queue: what would stop a study hours later, found in seconds.

Data, weights, room on the disk, folders and decoders. Nothing is written but a probe that is
removed. Settings themselves were checked against their schemas when they were loaded.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from foldwise.data.archive import list_archive
from foldwise.data.table import TableSettings, read_table
from foldwise.errors import FoldwiseError

# A fold's weights, resume state and predictions, bytes: EfficientNet-B0 takes 60 MB, DenseNet 90.
FOLD_BYTES = 250 << 20
CHECKED = ("accession", "image", "label", "patient", "view", "side", "date", "split", "stratum")


def preflight(studies: list[dict[str, Any]], results: str | Path = "results") -> list[str]:
    """Check the studies (resolved settings) and the results tree.

    Returns warnings: what may fail on a compute node. Raises FoldwiseError with all problems, one a
    line, when the study cannot succeed as it is.
    """
    problems, warnings = list(folders(Path(results))), list(decoders(studies))
    for study in studies:
        for check in (table, archive, lists, weights):
            problems += _told(check, study)
        warnings += fetched(study)
    if not problems:
        problems += room(studies, Path(results))
    if problems:
        found = "\n".join(f"- {problem}" for problem in problems)
        raise FoldwiseError(f"{len(problems)} problems, found before any job was queued:\n{found}")
    return warnings


def _told(check: Callable, study: dict[str, Any]) -> list[str]:
    """What a check finds, whether it yields it or raises it."""
    try:
        return [f"Study {study['name']}: {problem}" for problem in check(study)]
    except FoldwiseError as error:
        return [f"Study {study['name']}: {error}"]


def table(study: dict[str, Any]) -> Iterator[str]:
    """The table of labels can be read and has the columns that the study names."""
    data = study["data"]
    stated = data.get("columns") or {}
    columns = {role: stated[role] for role in CHECKED if stated.get(role)}
    read_table(TableSettings(**data["table"])).need(columns)
    yield from ()


def archive(study: dict[str, Any]) -> Iterator[str]:
    """The archive is there, holds files, and all of its folders can be listed."""
    root = study["data"]["root"]
    listing = list_archive(root)
    if not listing.files:
        yield f"no file in the archive (data.root: {root}). Mount its disk or correct the path."
    if listing.unreadable:
        yield (
            f"{len(listing.unreadable)} folders of the archive (data.root: {root}) may not be "
            "listed. Ask for read access to them."
        )


def lists(study: dict[str, Any]) -> Iterator[str]:
    """Lists of exclusions and of preset parts are there."""
    data = study["data"]
    named = {"data.exclusions": data.get("exclusions")}
    named |= {f"data.splits.{part}": path for part, path in (data.get("splits") or {}).items()}
    for key, path in named.items():
        if path and not os.access(path, os.R_OK):
            yield f"{key}: no readable file {path}."


def weights(study: dict[str, Any]) -> Iterator[str]:
    """Files of initial weights are there, for the study and for each run that names its own."""
    for run, source in _sources(study).items():
        if source not in (None, "none", "imagenet") and not os.access(source, os.R_OK):
            yield f"model.weights of run {run}: no readable file {source}."


def fetched(study: dict[str, Any]) -> Iterator[str]:
    """ImageNet weights that a job would have to download: compute nodes are often offline."""
    home = os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")
    model = study["model"]["name"]
    there = list(Path(home, "hub", "checkpoints").glob(f"{model}*.pth"))
    if "imagenet" in _sources(study).values() and not there:
        yield (
            f"Study {study['name']}: the ImageNet weights of {model} are not on this machine yet. "
            "Compute nodes often have no network: download them here once, with "
            f"`python -c \"import torchvision; torchvision.models.get_model('{model}', "
            "weights='DEFAULT')\"`."
        )


def _sources(study: dict[str, Any]) -> dict[str, Any]:
    stated = study["model"].get("weights")
    runs = study.get("runs") or {}
    return {run: changes.get("model.weights", stated) for run, changes in runs.items()}


def folders(results: Path) -> Iterator[str]:
    """Results and Snakemake's records can be written, renamed and removed."""
    for folder in (results, Path(".snakemake"), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe.", delete=False) as probe:
                probe.write(b"x")
            os.replace(probe.name, f"{probe.name}.renamed")
            os.unlink(f"{probe.name}.renamed")
        except OSError as error:
            yield (
                f"{folder}: cannot be written ({error.strerror}). Free some room or quota there, "
                "or ask for the right to write."
            )


def room(studies: list[dict[str, Any]], results: Path) -> Iterator[str]:
    """There is room for decoded images and models. A quota of its own is not seen here."""
    need = sum(cache_bytes(study) + model_bytes(study) for study in studies)
    free = shutil.disk_usage(results).free
    if free < need:
        yield (
            f"{results}: {free / 2**30:.1f} GB free, about {need / 2**30:.1f} GB needed for "
            "decoded images and models. Free some, link results/ to a larger disk, or lower "
            "image.size."
        )


def cache_bytes(study: dict[str, Any]) -> int:
    """Bytes of the decoded images of a study, one for each file of the archive at most."""
    image = study["image"]
    size = image.get("size") or 1024
    height, width = size if isinstance(size, list | tuple) else (size, size)
    pixel = image.get("channels", 1) * (2 if image.get("bits") == 16 else 1)
    return len(list_archive(study["data"]["root"]).files) * height * width * pixel


def model_bytes(study: dict[str, Any]) -> int:
    """Bytes of models and resume states of all runs and folds; trials are cleared away."""
    folds = 1 if study["folds"].get("preset") else study["folds"]["n"]
    return FOLD_BYTES * folds * max(1, len(study.get("runs") or {}))


def decoders(studies: list[dict[str, Any]]) -> Iterator[str]:
    """Encodings of DICOM that nothing installed here decodes."""
    if all(study["data"]["reader"] != "dicom" for study in studies):
        return
    from foldwise.data.health import health  # late: it imports pydicom and the codecs

    for found in health():
        if not found.readable_by:
            yield f"No decoder for {found.name} films: {found.advice}."
