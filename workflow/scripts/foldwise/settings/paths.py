"""Paths of archive and tables, kept out of params, which Snakemake records and reports."""

from collections.abc import Mapping
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.hashing import digest
from foldwise.settings.changes import PLACES
from foldwise.settings.study import load_configured


def without_paths(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings whose branch `data`, if there, holds a digest of its paths in their place."""
    if "data" not in settings:
        return settings
    data = settings["data"]
    kept = {key: value for key, value in data.items() if key not in PLACES}
    return settings | {"data": kept | {"paths": _digest(data)}}


def with_paths(settings: dict[str, Any], study: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings with the paths that the study's file names.

    `config`: the checked config file. `study` may be one inside another. Raises FoldwiseError
    where the file names other paths now.
    """
    name = study.partition(".")[0]
    data = load_configured(name, config)["data"]
    kept = {key: value for key, value in settings["data"].items() if key != "paths"}
    if _digest(data) != settings["data"]["paths"]:
        raise FoldwiseError(
            f"{config['folder']}/{name}.yaml was edited after this run had begun: it names "
            "other paths now. Run the same command again."
        )
    return settings | {"data": kept | {key: data[key] for key in PLACES}}


def _digest(data: dict[str, Any]) -> str:
    return digest({key: data[key] for key in PLACES})
