"""Checks at the start of a run: what would stop a job hours later, found in seconds.

Packages, folders, data, weights and room on the disk. Nothing is written but a probe that is
removed. Settings themselves were checked against their schemas when they were loaded. Standard
library only but for `decoders`, since the driver of a run asks this too.
"""

import importlib.util
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from foldwise import registry
from foldwise.cohort.archive import list_archive
from foldwise.cohort.tables.table import TableSettings, read_table
from foldwise.errors import FoldwiseError
from foldwise.plan.batches import batches, likely_batches, most_images
from foldwise.plan.disk_space import disk_space
from foldwise.plan.text_encoders import encoders, encoders_to_fetch
from foldwise.search.check import unread
from foldwise.settings.changes import defaults_for, dotted, override
from foldwise.settings.study import RUN_BRANCHES, setting_of

CHECKED = ("accession", "image", "label", "patient", "view", "side", "date", "split", "stratum")
# What jobs of every study import.
MODULES = ("numpy", "scipy", "pydicom", "cv2", "PIL", "sklearn", "torch", "torchvision", "pandas")
MODULES += ("matplotlib", "seaborn", "jinja2", "markdown_it")


def preflight(
    studies: list[dict[str, Any]],
    results: str | Path = "results",
    unread: list[str] | None = None,
    installed: bool = True,
) -> list[str]:
    """Check the studies (resolved settings) and the results tree.

    `unread` names the studies whose data will be read (None: all); `installed` is false where jobs
    bring their own software. Returns warnings: what may fail on another machine, or for want of
    room. Raises FoldwiseError with all problems, one a line, when a study cannot succeed as it is.
    """
    problems, warnings = list(folders(Path(results))), []
    problems += list(packages()) if installed else []
    reading = [study for study in studies if unread is None or study["name"] in unread]
    files: dict[str, int] = {}
    images: dict[str, int] = {}
    for study in studies:
        trains = not study["validate"]["bundle"]
        # A bundle brings weights and encoders with it.
        of_models = (weights, encoders) if trains else ()
        for check in (table, lists, *of_models) if study in reading else of_models:
            problems += _problems_of(check, study)
        if trains:
            warnings += [*fetched(study), *encoders_to_fetch(study), *ignored(study)]
        problems += timm_networks(study) if installed else []
    for study in reading:
        problems += _problems_of(partial(archive, files=files), study)
        # Only of data that can be read: what a table lacks would be told twice, and worse.
        if not problems and not study["validate"]["bundle"]:
            problems += _problems_of(partial(filled, files=files, images=images), study)
            if study["name"] in images and not problems:
                likely = likely_batches(study, images[study["name"]])
                warnings += [f"Study {study['name']}: likely too large: {text}" for text in likely]
    if not problems:
        problems, short = disk_space(studies, reading, Path(results), files)
        warnings += short
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        number = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
        raise FoldwiseError(f"{number}, found before any job was started:\n{listed}")
    return warnings


def _problems_of(check: Callable, study: dict[str, Any]) -> list[str]:
    """What a check finds, whether it yields it or raises it."""
    try:
        return [f"Study {study['name']}: {problem}" for problem in check(study)]
    except FoldwiseError as error:
        return [f"Study {study['name']}: {error}"]


def unseen(studies: list[dict[str, Any]]) -> list[str]:
    """What the studies need and this machine does not see: data, tables, lists, weights, and
    folders that can be written. For a node of a cluster: nothing is counted."""
    problems = list(folders(Path("results")))
    for study in studies:
        for check in (root, table, lists, weights, encoders):
            problems += _problems_of(check, study)
    return problems


def root(study: dict[str, Any]) -> Iterator[str]:
    """The archive can be entered."""
    path = study["data"]["root"]
    if not os.access(path, os.R_OK | os.X_OK):
        yield f"data.root: {path} is not there, or may not be read."


def table(study: dict[str, Any]) -> Iterator[str]:
    """The table of labels can be read and has the columns that the study names."""
    data = study["data"]
    if data["table"]["format"] == "folders":
        return  # its rows are made of the archive's files
    columns = {role: data["columns"][role] for role in CHECKED if data["columns"][role]}
    read_table(TableSettings(**data["table"])).need(columns)
    yield from ()


def filled(study: dict[str, Any], files: dict[str, int], images: dict[str, int]) -> Iterator[str]:
    """The batches of runs and search can be filled by what table and archive hold; how many images
    that is at the most is noted in `images`."""
    data, count = study["data"], files[study["data"]["root"]]
    rows = count if data["table"]["format"] == "folders" else _rows(data)
    images[study["name"]] = most_images(study, rows, count)
    yield from batches(study, images[study["name"]])


def _rows(data: dict[str, Any]) -> int:
    return len(read_table(TableSettings(**data["table"])).rows)


def packages() -> Iterator[str]:
    """Packages that jobs will import in the environment that this runs in."""
    lacking = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if lacking:
        yield (
            f"{sys.executable} lacks {', '.join(lacking)}, which jobs import. Run `make "
            "environment` and start .venv/bin/snakemake, or start snakemake with `--sdm conda`."
        )


def archive(study: dict[str, Any], files: dict[str, int]) -> Iterator[str]:
    """The archive is there, holds files (noted in `files`), and all its folders can be listed."""
    root = study["data"]["root"]
    listing = list_archive(root)
    files[root] = len(listing.files)
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
    named = {"data.exclusions": data["exclusions"]}
    named |= {f"data.splits.{part}": path for part, path in data["splits"].items()}
    for key, path in named.items():
        if path and not os.access(path, os.R_OK):
            yield f"{key}: no readable file {path}."


def weights(study: dict[str, Any]) -> Iterator[str]:
    """Files of initial weights are there, for the study and for each run that names its own."""
    for run, source in _sources(study).items():
        if source in (None, "none", "imagenet"):
            continue
        if not os.path.isfile(source) or not os.access(source, os.R_OK):
            yield f"model.weights of run {run}: no readable file {source}. Correct the path."
        elif not _is_saved(source):
            yield (
                f"model.weights of run {run}: {source} is no file of torch.save. Save the "
                "network's state_dict() with torch.save and name that file."
            )


def _is_saved(path: str) -> bool:
    """Whether a file looks like one of torch.save: an archive, or a pickle of older versions."""
    with open(path, "rb") as stream:
        # 0x80 opens a pickle of protocol 2 and above.
        return zipfile.is_zipfile(path) or stream.read(1) == b"\x80"


def timm_networks(study: dict[str, Any]) -> Iterator[str]:
    """Networks of timm, which is no part of the environment, where it is not installed."""
    for run in study["runs"]:
        name = setting_of(study, run, "model.name")
        if name.startswith("timm/") and importlib.util.find_spec("timm") is None:
            yield (
                f"model.name of run {run}: {name}, but timm is not installed here. Install it "
                "(`.venv/bin/uv pip install timm`), or name a network of torchvision."
            )


def fetched(study: dict[str, Any]) -> Iterator[str]:
    """ImageNet weights that a job would have to download: compute nodes are often offline."""
    home = os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")
    model = study["model"]["name"]
    file = registry.NETWORKS.get(model, {}).get("file")
    if not file or "imagenet" not in _sources(study).values():
        return
    if not Path(home, "hub", "checkpoints", file).is_file():
        yield (
            f"Study {study['name']}: the ImageNet weights of {model} are not on this machine yet. "
            "Compute nodes often have no network: download them here once, with "
            f"`python -c \"import torchvision; torchvision.models.get_model('{model}', "
            "weights='DEFAULT')\"`."
        )


def ignored(study: dict[str, Any]) -> Iterator[str]:
    """Settings that a study names and no run of it reads: most often those of another loss."""
    kept = {key: study[key] for key in (*RUN_BRANCHES, "kind")}
    runs = [dotted(override(kept, changes, run)) for run, changes in study["runs"].items()]
    unread_of = [unread(settings, defaults_for(settings)) for settings in runs]
    if study["search"] is None and unread_of:
        for key in sorted(set.intersection(*map(set, unread_of))):
            yield (
                f"Study {study['name']}: {key} is set, and no run reads it, since "
                f"{unread_of[0][key]}. Take it out, or change the latter."
            )


def _sources(study: dict[str, Any]) -> dict[str, Any]:
    return {run: setting_of(study, run, "model.weights") for run in study["runs"]}


def folders(results: Path) -> Iterator[str]:
    """Results and Snakemake's records can be written, renamed and removed."""
    for folder in (results, Path(".snakemake"), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe.", delete=False) as probe:
                probe.write(b"x")
            # Renamed as all our files are: some network disks allow a write and no rename.
            os.replace(probe.name, f"{probe.name}.renamed")
            os.unlink(f"{probe.name}.renamed")
        except OSError as error:
            yield (
                f"{folder}: cannot be written ({error.strerror}). Free some room or quota there, "
                "or ask for the right to write."
            )


def decoders(studies: list[dict[str, Any]]) -> Iterator[str]:
    """Encodings of DICOM that nothing installed here decodes."""
    if all(study["data"]["reader"] != "dicom" for study in studies):
        return
    from foldwise.pixels.dicom.health import health  # late: it imports pydicom and the codecs

    for coding in health():
        if not coding.readable_by:
            yield f"No decoder for {coding.name} films: {coding.advice}."
