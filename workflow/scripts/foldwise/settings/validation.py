"""A study that tries a model made elsewhere: what its bundle says stands in place of settings.

Standard library only: studies are checked against this when the DAG is built.
"""

import copy
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.settings.bundle_file import read_manifest
from foldwise.settings.shared_key import key_id, read_shared_key

# Branches that a bundle decides, or that only training reads.
OF_BUNDLE = ("image", "model", "loss", "training", "augment", "folds", "runs", "search", "bundle")
FROM_PARAMS = ("image", "model", "loss", "training")


def with_bundle(raw: Any, where: str) -> Any:
    """A study file's settings, with those of the bundle that it validates; others as they are.

    Raises FoldwiseError for settings that are the bundle's, and for other classes than its own.
    """
    named = raw.get("validate") if isinstance(raw, dict) else None
    bundle = named.get("bundle") if isinstance(named, dict) else None
    if not isinstance(bundle, str):
        return raw
    stated = [name for name in OF_BUNDLE if name in raw]
    if stated:
        raise FoldwiseError(
            f"{where}: {', '.join(stated)}: a study with validate.bundle trains nothing, and "
            "prepares images as the bundle's models want them. Take this out."
        )
    manifest = read_manifest(bundle)
    params = manifest["params"]
    check_key(named.get("pixel_key"), manifest, f"{where}: validate.pixel_key", bundle)
    if "kind" in raw and raw["kind"] != params["kind"]:
        raise FoldwiseError(
            f"{where}: kind: {raw['kind']}, but the models of {bundle} are of kind "
            f"{params['kind']}. Take `kind` out, or name another bundle."
        )
    # Copies: defaults are filled into the settings later, and the manifest must stay as sealed.
    own = {name: copy.deepcopy(params[name]) for name in FROM_PARAMS}
    filled = {"seed": params["seed"]} | copy.deepcopy(raw) | {"kind": params["kind"]} | own
    data = filled.get("data")
    _classes(data, manifest, f"{where}: data", bundle)
    # What the site's own file says goes first: it may know that an image fits all the same.
    return filled | ({"data": images_wanted(manifest) | data} if isinstance(data, dict) else {})


def images_wanted(manifest: dict[str, Any]) -> dict[str, Any]:
    """`data.modalities` and `data.colour` by which images are like those of the training."""
    looks = manifest["looks"]
    # Images that say nothing of themselves forbid nothing.
    modalities = [name for name in looks["modality"] if name]
    only_grey = "grey" in looks["colour"] and "colour" not in looks["colour"]
    return {"modalities": modalities, "colour": "quarantine" if only_grey else "allow"}


def check_key(path: Any, manifest: dict[str, Any], where: str, bundle: str) -> None:
    """Refuse a key that is not the bundle's now, and not after hours of decoding."""
    if not isinstance(path, str):
        return
    if manifest["overlap"] is None:
        raise FoldwiseError(
            f"{where}: {bundle} carries no digests of its pictures to compare with. Take this out, "
            "or ask who made the bundle to set bundle.pixel_key and share that key."
        )
    if key_id(read_shared_key(path, where)) != manifest["overlap"]["key"]:
        raise FoldwiseError(
            f"{where}: {path} is not the key by which {bundle} names its pictures. Ask who made "
            "the bundle for the file that was bundle.pixel_key there."
        )


def _classes(data: Any, manifest: dict[str, Any], where: str, bundle: str) -> None:
    """Fill in the classes of the bundle where the study names none; others are refused."""
    if not isinstance(data, dict):
        return  # the schema says so
    kind, classes = manifest["params"]["kind"], manifest["classes"]
    if kind == "classification":
        _order(data.setdefault("classes", {}), classes[""], f"{where}.classes.order", bundle)
    if kind == "distillation":
        heads = data.setdefault("heads", {})
        if not isinstance(heads, dict) or set(heads) - set(classes):
            raise FoldwiseError(
                f"{where}.heads: the models of {bundle} answer {', '.join(classes)}. Name these, "
                "or none."
            )
        for head, names in classes.items():
            _order(heads.setdefault(head, {}), names, f"{where}.heads.{head}.order", bundle)
    if kind == "zones":
        columns = data.setdefault("columns", {})
        stated = columns.setdefault("zones", list(classes)) if isinstance(columns, dict) else None
        data.setdefault("mirror", manifest["params"]["task"]["mirror"])
        if stated != list(classes):
            raise FoldwiseError(
                f"{where}.columns.zones: {stated}, but the models of {bundle} answer "
                f"{', '.join(classes)}, in this order. Rename the table's columns."
            )


def _order(part: Any, names: list[str], where: str, bundle: str) -> None:
    if not isinstance(part, dict):
        return
    stated = [str(name) for name in part.setdefault("order", list(names)) or names]
    if stated != names:
        raise FoldwiseError(
            f"{where}: {', '.join(stated)}, but the models of {bundle} answer {', '.join(names)}. "
            "Map the table's labels to these (mapping), and leave `order` out."
        )
