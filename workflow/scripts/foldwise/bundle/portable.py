"""A run's settings as another site can use them: without paths, and without what training needs."""

import copy
from pathlib import Path
from typing import Any

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.plan.text_encoders import WEIGHTS, folder_of

ENCODERS = "encoders"
# An allowed list: a branch that comes later may hold a path, and does not leave by itself.
KEPT = ("run", "kind", "seed", "image", "task", "model", "training", "loss")
# What an encoder's folder holds beside its weights: configuration and tokenizer, as text.
ENCODER_FILES = (".json", ".txt", ".model")


def portable_params(params: dict[str, Any], where: str) -> dict[str, Any]:
    """The content of params.json for a bundle. FoldwiseError for a run that cannot be handed over.

    Weights are those of the bundle, so that nothing is fetched or looked for when it is read; a
    student's teacher is not needed either.
    """
    kept = {name: copy.deepcopy(params[name]) for name in KEPT}
    if kept["task"].pop("embeddings", None):
        raise FoldwiseError(
            f"{where}: model.embeddings joins features of another network to the head, which a "
            "bundle does not carry. Name a run without them in bundle.run."
        )
    # A path to a private list.
    kept["task"].pop("id_map", None)
    # The name of a run, which is not in the bundle.
    kept["training"]["teacher"] = None
    kept["model"] = _without_sources(kept["model"])
    # The task has a copy of its own of the encoder's settings.
    if "text" in kept["task"]:
        kept["task"]["text"] = kept["model"]["text"]
    return kept


def _without_sources(model: dict[str, Any]) -> dict[str, Any]:
    """The branch `model` with the bundle's own encoders and no weights to begin with."""
    portable = model | {"weights": "none"}
    for part in ("vision", "text"):
        if isinstance(inner := model.get(part), dict):
            name = f"{ENCODERS}/{part}" if _is_encoder(part, inner) else inner["name"]
            # Relative: where the encoder lies is known once it is unpacked.
            portable[part] = inner | {"weights": "none", "name": name}
    return portable


def _is_encoder(part: str, settings: dict[str, Any]) -> bool:
    """Whether a part is a folder of transformers and no network of the registry."""
    return part == "text" or not registry.has("VISION", settings["name"])


def encoder_files(params: dict[str, Any], where: str, checked: bool) -> dict[str, bytes]:
    """Name in the bundle -> content, of the configurations and tokenizers that a run names.

    A tokenizer that was made from a study's texts holds words of them, a patient's name among them
    if it stood there twice: one of a folder goes out only where someone has `checked` its words.
    """
    if params["kind"] != "distillation":
        return {}
    files = {}
    for part in ("vision", "text"):
        settings = params["model"][part]
        if not _is_encoder(part, settings):
            continue
        folder = folder_of(settings["name"])
        if folder is None:
            raise FoldwiseError(
                f"{where}: model.{part}.name: {settings['name']} is not on this machine, and "
                "its tokenizer belongs into the bundle. Put it back, then run again."
            )
        if part == "text" and Path(settings["name"]).is_dir() and not checked:
            raise FoldwiseError(
                f"{where}: the bundle would carry the tokenizer in {folder}, whose words may be of "
                "your patients' texts, names among them. Read its vocabulary (tokenizer.json or "
                "vocab.txt); if none identifies anyone, set bundle.tokenizer: checked."
            )
        files |= {
            f"{ENCODERS}/{part}/{path.name}": path.read_bytes()
            for path in sorted(folder.iterdir())
            if path.suffix in ENCODER_FILES and path.name not in WEIGHTS
        }
    return files


def with_encoders(params: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same settings with the encoders that were unpacked into `folder`."""
    completed = copy.deepcopy(params)
    for part in ("vision", "text"):
        inner = completed["model"].get(part)
        if isinstance(inner, dict) and inner["name"].startswith(f"{ENCODERS}/"):
            inner["name"] = str(folder / part)
    if "text" in completed["task"]:
        completed["task"]["text"] = completed["model"]["text"]
    return completed
