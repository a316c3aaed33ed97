"""Initial weights from torchvision or from a file."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

from foldwise.errors import FoldwiseError
from foldwise.models.backbone import Backbone

# What saving code puts before the keys of a network, or around them.
PREFIXES = ("module.", "model.", "backbone.", "densenet121.")
WRAPPERS = ("state_dict", "model")


def load_weights(backbone: Backbone, source: str, name: str) -> None:
    """Fill `backbone.net` from `imagenet` or a state-dict file; `none` keeps random weights.

    A first convolution of three channels is summed over them for a grey network, which gives on
    a grey picture what the original gives on its three equal copies.
    Raises FoldwiseError when there are no such weights or when they do not fit.
    """
    if source in ("none", None):
        return
    weights = imagenet(backbone, name) if source == "imagenet" else read_weights(source)
    fill(backbone.net, adapted(weights, backbone), source, name)


def fill(net: nn.Module, state: Mapping[str, Tensor], source: str, name: str) -> None:
    """Load a state dict that must fit exactly; FoldwiseError names what does not."""
    expected = net.state_dict()
    # A batch norm's counter is missing in files of old torch and has no effect on the result.
    missing = [k for k in expected if k not in state and not k.endswith("num_batches_tracked")]
    misfits = [
        f"{key} {tuple(state[key].shape)} for {tuple(expected[key].shape)}"
        for key in state
        if key in expected and state[key].shape != expected[key].shape
    ]
    unexpected = [key for key in state if key not in expected]
    problems = {"missing": missing, "unexpected": unexpected, "of another shape": misfits}
    if any(problems.values()):
        listed = "; ".join(f"{what}: {_few(keys)}" for what, keys in problems.items() if keys)
        raise FoldwiseError(
            f"model.weights: {source} does not fit model.name {name} ({listed}). "
            "Name the network that the file was saved from, or another file."
        )
    # Not strict on account of batch norms' counters alone: all else was compared above.
    net.load_state_dict(state, strict=False)


def imagenet(backbone: Backbone, name: str) -> Mapping[str, Tensor]:
    """torchvision's ImageNet state dict, downloaded once into torch's own folder."""
    weights = backbone.imagenet
    if weights is None:
        raise FoldwiseError(
            f"model.weights: there are no ImageNet weights for model.name {name}. "
            "Use `none` or the path of a state dict."
        )
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (URLError, OSError, RuntimeError) as error:
        place = Path(torch.hub.get_dir(), "checkpoints", weights.url.rsplit("/", 1)[-1])
        raise FoldwiseError(
            f"model.weights: the ImageNet weights of {name} could not be downloaded "
            f"({type(error).__name__}). Download {weights.url} where there is a network and put "
            f"it at {place}, or give the file's path as model.weights."
        ) from error


def read_weights(path: str | Path) -> Mapping[str, Tensor]:
    """Read a state dict from a file without running any code in it."""
    if not Path(path).is_file():
        raise FoldwiseError(
            f"model.weights: no file {path}. Use `none`, `imagenet` or the path of a state dict."
        )
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise FoldwiseError(
            f"model.weights: {path} cannot be read as tensors alone ({type(error).__name__}). "
            "Save the network's state_dict() with torch.save and name that file."
        ) from error
    for wrapper in WRAPPERS:
        if isinstance(weights, dict) and isinstance(weights.get(wrapper), dict):
            weights = weights[wrapper]
    if not isinstance(weights, dict) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise FoldwiseError(
            f"model.weights: {path} holds {type(weights).__name__}, not a state dict of tensors. "
            "Save the network's state_dict() with torch.save and name that file."
        )
    return weights


def adapted(weights: Mapping[str, Tensor], backbone: Backbone) -> dict[str, Tensor]:
    """The file's tensors under the names of `backbone.net`, without a head."""
    weights = dict(weights)
    # As often as there are prefixes: some files have several, one inside the other.
    for _ in PREFIXES:
        for prefix in PREFIXES:
            if any(key.startswith(prefix) for key in weights):
                weights = {key.removeprefix(prefix): value for key, value in weights.items()}
    # "head." is our own, of a model trained here whose backbone is taken over.
    heads = ("head.", *backbone.own_head)
    state = {backbone.rename(k): v for k, v in weights.items() if not k.startswith(heads)}
    stem = f"{backbone.stem}.weight"
    wanted = backbone.net.get_submodule(backbone.stem).in_channels
    if stem in state and state[stem].dim() == 4 and wanted == 1 and state[stem].shape[1] == 3:
        state[stem] = state[stem].sum(dim=1, keepdim=True)
    return state


def _few(keys: list[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + more
