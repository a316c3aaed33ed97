"""What every vision network offers the head, the optimiser, and Grad-CAM."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Backbone:
    """A network without its last layer.

    net: (B, C, H, W) -> (B, width) features.
    blocks: feature blocks in order from the image, each a tuple of dotted names within `net`.
    stem: dotted name of the first convolution, whose weight has the image's channels.
    gradcam: dotted name of the last layer that still has places.
    own_head: prefixes of the original last layer's keys, whose weights are not taken over.
    imagenet: torchvision's weights (a member of a WeightsEnum), or None when there are none.
    rename: old-style key of a state dict -> key of `net`.
    to_map: output at `gradcam` -> (B, D, h, w), or None where it is such a map already.
    map_width: D, where hidden layers of a classifier make it another than `width`; else 0.
    """

    net: nn.Module
    width: int
    blocks: tuple[tuple[str, ...], ...]
    stem: str
    gradcam: str
    own_head: tuple[str, ...] = ()
    imagenet: Any = None
    rename: Callable[[str], str] = str
    to_map: Callable[[Tensor], Tensor] | None = None
    map_width: int = 0

    def parts(self) -> list[nn.Module]:
        """The blocks as modules that share the parameters of `net`."""
        return [nn.ModuleList(map(self._part, names)) for names in self.blocks]

    def _part(self, name: str) -> nn.Module:
        parent, _, leaf = name.rpartition(".")
        part = getattr(self.net.get_submodule(parent), leaf)
        # Class tokens are bare parameters; as a module they are frozen like any other part.
        return nn.ParameterList([part]) if isinstance(part, nn.Parameter) else part


def with_channels(
    net: nn.Module,
    stem: str,
    channels: int,
    mode: str = "fan_out",
    nonlinearity: str = "relu",
) -> nn.Module:
    """Rebuild the first convolution for `channels`; He initialisation as the network's own."""
    old = net.get_submodule(stem)
    # Weights that were drawn are kept as they are: no further draw shifts those that follow.
    if old.in_channels == channels:
        return net
    parent, _, leaf = stem.rpartition(".")
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,
        old.stride,
        old.padding,
        bias=old.bias is not None,
        device=old.weight.device,
    )
    nn.init.kaiming_normal_(new.weight, mode=mode, nonlinearity=nonlinearity)
    if new.bias is not None:
        nn.init.zeros_(new.bias)
    setattr(net.get_submodule(parent), leaf, new)
    return net
