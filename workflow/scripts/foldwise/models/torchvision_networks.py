"""Any classification network of torchvision by its name there, with what training asks of it.

Blocks, the first convolution, the last layer and the last map are read off the network itself; what
a family does in a way of its own stands in the tables below.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from torch import nn

from foldwise.models.any_size import AnySize, patch_map
from foldwise.models.backbone import Backbone, with_channels
from foldwise.models.layout import (
    channels_first,
    last_map,
    map_width,
    ordered_blocks,
    without_head,
)
from foldwise.models.vision import VisionModel, headed

COMPILER = ("torch._dynamo", "torch._dynamo.utils")


@contextmanager
def no_compiler() -> Iterator[None]:
    """Import torchvision without torch's compiler, 1.8 of its 2.0 CPU seconds.

    torchvision.ops takes one function of it, for RoIAlign, which no classification network has. In
    its place stands one that imports the compiler when it is called.
    """
    if COMPILER[0] in sys.modules:
        yield
        return
    package, utils = map(ModuleType, COMPILER)
    utils.is_compile_supported = _is_compile_supported
    sys.modules.update({COMPILER[0]: package, COMPILER[1]: utils})
    try:
        yield
    finally:
        # Whoever needs the compiler afterwards imports the real one.
        for name in COMPILER:
            sys.modules.pop(name, None)


def _is_compile_supported(device_type: str) -> bool:
    from torch._dynamo.utils import is_compile_supported

    return is_compile_supported(device_type)


with no_compiler():
    from torchvision import models

# State dicts from before torch 0.4 (torchvision's own file, most of CheXNet) write `norm.1`.
OLD_KEY = re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)$")

# What a builder is given beside its defaults. Heads for training alone are left out; the largest
# vision transformer has ImageNet weights for pictures of 518 pixels only.
GIVEN = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
    "vit_h_14": {"image_size": 518},
}
# Keys of ImageNet's files that the networks above do not have.
LEFT_OUT = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}
# How a first convolution is drawn that is rebuilt for grey pictures: as the network's own.
DRAWN = {
    "densenet": ("fan_in", "relu"),
    "vit": ("fan_in", "linear"),  # A linear map of the patch.
}


def build(
    settings: dict[str, Any],
    channels: int,
    outputs: int | Sequence[int],
    embedding_dim: int = 0,
) -> VisionModel:
    """The network of torchvision that `settings` name, with a head of our own."""
    return headed(backbone(settings["name"], channels), settings, outputs, embedding_dim)


def backbone(name: str, channels: int) -> Backbone:
    """The network that torchvision calls `name`, without its last layer."""
    net = getattr(models, name)(**GIVEN.get(name, {}))
    stem = next(key for key, part in net.named_modules() if isinstance(part, nn.Conv2d))
    net = with_channels(net, stem, channels, *DRAWN.get(family(name), ()))
    if isinstance(net, models.VisionTransformer):
        return _vision_transformer(net, name)
    own_head, width = without_head(net)
    blocks = ordered_blocks(net)
    layer = last_map(net, blocks)
    return Backbone(
        net=net,
        width=width,
        blocks=blocks,
        stem=stem,
        gradcam=layer,
        own_head=(own_head, *LEFT_OUT.get(name, ())),
        imagenet=models.get_model_weights(name).DEFAULT,
        rename=_new_key if family(name) == "densenet" else str,
        to_map=channels_first if isinstance(net, models.SwinTransformer) else None,
        map_width=map_width(net, layer),
    )


def family(name: str) -> str:
    """`densenet` of `densenet121`, `vit` of `vit_b_16`."""
    return re.match(r"[a-z]+", name).group()


def _new_key(key: str) -> str:
    return OLD_KEY.sub(r"\1\2", key)


def _vision_transformer(net: nn.Module, name: str) -> Backbone:
    net = AnySize(net)
    layers = [(f"encoder.layers.encoder_layer_{k}",) for k in range(len(net.encoder.layers))]
    # The last normalisation sees what the last layer makes, and is trained with it.
    layers[-1] += ("encoder.ln",)
    return Backbone(
        net=net,
        width=net.class_token.shape[-1],
        blocks=(("conv_proj", "class_token", "encoder.pos_embedding"), *layers),
        stem="conv_proj",
        gradcam=f"{layers[-1][0]}.ln_1",
        own_head=("heads.",),
        imagenet=models.get_model_weights(name).DEFAULT,
        to_map=patch_map,
    )
