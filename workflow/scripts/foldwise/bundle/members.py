"""The models of a bundle: out of a run's folds into safetensors, and back as the workflow has them.

safetensors (https://github.com/huggingface/safetensors) holds numbers under names and no code, so
that reading a bundle of strangers runs nothing of theirs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
from safetensors.torch import load, save
from torch import nn

from foldwise.bundle.portable import ENCODERS, with_encoders
from foldwise.errors import FoldwiseError, choose
from foldwise.registry import load as load_entry
from foldwise.settings.bundle_file import AGAIN, read_file, unpack
from foldwise.tasks.base import Rows
from foldwise.train.feed.images import Images
from foldwise.train.job import FoldJob
from foldwise.train.predict import KeptModel, kept_model

MODELS = "models"


def model_name(fold: int) -> str:
    """Name of a fold's weights in the bundle."""
    return f"{MODELS}/fold_{fold}.safetensors"


def weights_of(model: nn.Module) -> bytes:
    """All parameters and buffers of a model as safetensors."""
    # safetensors refuses tensors that share memory, and knows one memory format.
    state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    return save({name: value.contiguous() for name, value in state.items()})


def facts_of(kept: KeptModel) -> dict[str, Any]:
    """What a fold's training chose, beside its weights."""
    mean, std = kept.normalise
    return {"mean": list(mean), "std": list(std), "size": kept.size, "epoch": kept.epoch}


def bundle_job(
    manifest: Mapping[str, Any],
    params: dict[str, Any],
    rows: Rows,
    images: Images | None,
    device: Any,
) -> FoldJob:
    """A job that predicts `rows`; `params` are the manifest's, with encoders where they are."""
    task = load_entry("TASKS", manifest["params"]["kind"])(params["task"])
    return FoldJob(params, task, {"holdout": rows}, images, 1, Path(), device=device)


def params_of(bundle: str | Path, manifest: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The bundle's settings; encoders of transformers that it carries are unpacked to `folder`."""
    unpack(bundle, manifest, ENCODERS, folder)
    return with_encoders(manifest["params"], folder / ENCODERS)


def members(
    bundle: str | Path, manifest: Mapping[str, Any], job: FoldJob, folds: list[int] | None = None
) -> dict[int, KeptModel]:
    """Fold -> its model on the job's device, of all folds or of those named."""
    there = {one["fold"]: one for one in manifest["members"]}
    # Named folds are checked: a missing one must not silently make a smaller ensemble.
    wanted = folds or list(there)
    for fold in wanted:
        choose(str(fold), [str(one) for one in there], "fold", str(bundle))
    return {fold: _member(bundle, manifest, job, there[fold]) for fold in wanted}


def _member(
    bundle: str | Path, manifest: Mapping[str, Any], job: FoldJob, facts: Mapping[str, Any]
) -> KeptModel:
    name = model_name(facts["fold"])
    try:
        state = load(read_file(bundle, manifest, name))
    except safetensors.SafetensorError as error:
        raise FoldwiseError(f"{bundle}: {name} holds no weights. {AGAIN}") from error
    misfit = (
        f"{bundle}: {name} does not fit {{}}, as this version of Foldwise builds it. Use the "
        f"version that wrote the bundle: {manifest['foldwise']}."
    )
    # As in a checkpoint: one function builds a model of either, so that the two cannot differ.
    stored = {key: facts[key] for key in ("mean", "std", "size", "epoch")}
    return kept_model(job, stored | {"state_dict": state}, misfit)
