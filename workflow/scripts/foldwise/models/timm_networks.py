"""Any classification network of timm by its name there: `timm/<name>`, where timm is installed.

Wightman, PyTorch image models, https://github.com/huggingface/pytorch-image-models. Its registry
holds over a thousand networks and grows, so none of its names is checked before a job starts.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from foldwise.errors import FoldwiseError
from foldwise.models.backbone import Backbone
from foldwise.models.layout import channels_first, ordered_blocks, tokens_first
from foldwise.models.vision import VisionModel, headed

PREFIX = "timm/"


def build(
    settings: dict[str, Any],
    channels: int,
    outputs: int | Sequence[int],
    embedding_dim: int = 0,
) -> VisionModel:
    """The network of timm that `settings` name, with a head of our own."""
    weights = settings["weights"]
    net = _made(settings["name"], channels, pretrained=weights == "imagenet")
    # timm has filled the network already; a file's weights are loaded as for all others.
    own = "none" if weights == "imagenet" else weights
    return headed(_backbone(net, channels), settings | {"weights": own}, outputs, embedding_dim)


def _made(name: str, channels: int, pretrained: bool) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise FoldwiseError(
            f"model.name: {name} is a network of timm, which is not installed. Install it "
            "(`.venv/bin/uv pip install timm`), or name a network of torchvision."
        ) from error
    try:
        # Without classes a network answers with its features.
        return timm.create_model(
            name.removeprefix(PREFIX), pretrained=pretrained, in_chans=channels, num_classes=0
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise FoldwiseError(
            f"model.name: timm gave no network {name} ({type(error).__name__}: {error}). "
            "`python -c 'import timm; print(timm.list_models())'` lists its names; its weights "
            "are fetched where there is a network."
        ) from error


def _backbone(net: nn.Module, channels: int) -> Backbone:
    blocks = ordered_blocks(net)
    features, outputs = _probed(net, [name for names in blocks for name in names], channels)
    # What follows the last output with places is a head's.
    layer, output = [(name, out) for name, out in outputs.items() if _places(net, out) > 1][-1]
    width = features.shape[1]
    map_width, to_map = _map_of(net, output)
    return Backbone(
        net=net,
        width=width,
        blocks=blocks,
        stem=next(key for key, part in net.named_modules() if isinstance(part, nn.Conv2d)),
        gradcam=layer,
        # What timm's files have and a network without classes has not.
        own_head=(*_head_keys(net),),
        to_map=to_map,
        map_width=0 if map_width == width else map_width,
    )


def _head_keys(net: nn.Module) -> list[str]:
    named = getattr(net, "pretrained_cfg", {}).get("classifier") or ()
    return [f"{name}." for name in ([named] if isinstance(named, str) else named)]


def _map_of(net: nn.Module, output: Tensor) -> tuple[int, Any]:
    """Channels of the last map, and what makes (B, D, h, w) of a layer's output."""
    if output.dim() == 3:
        return output.shape[2], tokens_first(getattr(net, "num_prefix_tokens", 0))
    last = getattr(net, "output_fmt", "NCHW") == "NHWC"
    return (output.shape[3], channels_first) if last else (output.shape[1], None)


def _places(net: nn.Module, output: Tensor) -> int:
    if output.dim() == 4 and getattr(net, "output_fmt", "NCHW") == "NHWC":
        return output.shape[1] * output.shape[2]
    return output.shape[2:].numel() if output.dim() == 4 else (output.shape[1:-1]).numel()


def _probed(net: nn.Module, names: list[str], channels: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Features of an empty picture of the network's own size, and each part's output, in order."""
    side = getattr(net, "pretrained_cfg", {}).get("input_size", (3, 224, 224))[1:]
    parts = {part: name for name, part in net.named_modules() if name in names}
    outputs: dict[str, Tensor] = {}

    def note(part: nn.Module, _: Any, output: Tensor) -> None:
        outputs[parts[part]] = output

    hooks = [part.register_forward_hook(note) for part in parts]
    training = net.training
    try:
        with torch.no_grad():
            # In eval mode: an empty picture must not enter the running statistics of batch norms.
            features = net.eval()(torch.zeros(1, channels, *side))
    finally:
        for hook in hooks:
            hook.remove()
        net.train(training)
    return features, outputs
