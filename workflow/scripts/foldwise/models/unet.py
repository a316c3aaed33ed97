"""U-Net, ResU-Net and Attention ResU-Net, with logits as output."""

from typing import Any

import torch
from torch import Tensor, nn

from foldwise.errors import FoldwiseError
from foldwise.models.network import Network
from foldwise.models.weights import fill, read_weights

DEFAULTS = {"width": 64, "levels": 4, "norm": "batch", "groups": 8, "dropout": 0.0}


def norm(kind: str, channels: int, groups: int) -> nn.Module:
    """Batch norm, or group norm with at most `groups` groups (of equal size)."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    # Groups must divide the channels, and a narrow first level has fewer of these.
    fitting = max(n for n in range(1, min(groups, channels) + 1) if channels % n == 0)
    return nn.GroupNorm(fitting, channels)


class Block(nn.Module):
    """Convolution, norm, ReLU, twice, then dropout; with `residual` a 1x1 shortcut around it.

    The shortcut has a norm of its own and is added after dropout.
    """

    def __init__(self, inputs: int, width: int, residual: bool, settings: dict[str, Any]):
        super().__init__()
        kind, groups = settings["norm"], settings["groups"]
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, kernel_size=3, padding=1),
            norm(kind, width, groups),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, kernel_size=3, padding=1),
            norm(kind, width, groups),
            nn.ReLU(inplace=True),
            nn.Dropout(settings["dropout"]),
        )
        self.shortcut = None
        if residual:
            conv = nn.Conv2d(inputs, width, kernel_size=1)
            self.shortcut = nn.Sequential(conv, norm(kind, width, groups))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H, W)."""
        return self.body(x) if self.shortcut is None else self.body(x) + self.shortcut(x)


class Gate(nn.Module):
    """sigmoid(psi(relu(theta x + phi g))) * x: what the decoder takes over from the encoder.

    Oktay et al. 2018, Attention U-Net, MIDL; all three are 1x1 convolutions, g is the decoder's
    map at the size of x.
    """

    def __init__(self, width: int, below: int):
        super().__init__()
        self.theta = nn.Conv2d(width, width, kernel_size=1)
        self.phi = nn.Conv2d(below, width, kernel_size=1)
        self.psi = nn.Conv2d(width, 1, kernel_size=1)

    def forward(self, x: Tensor, g: Tensor) -> Tensor:
        """x (B, width, H, W), g (B, below, H, W) -> (B, width, H, W)."""
        return self.psi((self.theta(x) + self.phi(g)).relu()).sigmoid() * x


class UpBlock(nn.Module):
    """Enlarge the map from below, join the encoder's map of this level, and a block."""

    def __init__(self, width: int, residual: bool, attention: bool, settings: dict[str, Any]):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.gate = Gate(width, 2 * width) if attention else None
        # Two widths come from below, one from the encoder.
        self.block = Block(3 * width, width, residual, settings)

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        """(B, 2 width, H / 2, W / 2), (B, width, H, W) -> (B, width, H, W)."""
        below = self.up(below)
        skip = skip if self.gate is None else self.gate(skip, below)
        return self.block(torch.cat([below, skip], dim=1))


class UNet(Network):
    """Levels down (4 by default), a bridge, as many up, and a 1x1 convolution as head.

    Ronneberger et al. 2015, U-Net, MICCAI; `residual`: Zhang et al. 2018, Deep residual U-Net,
    IEEE Geosci Remote Sens Lett 15:749; `attention`: gates as in Oktay et al. 2018.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        settings: dict[str, Any],
        residual: bool = False,
        attention: bool = False,
    ):
        super().__init__()
        widths = [settings["width"] * 2**level for level in range(settings["levels"] + 1)]
        inputs = [channels, *widths[:-1]]
        blocks = [Block(n, w, residual, settings) for n, w in zip(inputs, widths, strict=True)]
        self.encoder, self.bridge = nn.ModuleList(blocks[:-1]), blocks[-1]
        self.decoder = nn.ModuleList(
            UpBlock(width, residual, attention, settings) for width in reversed(widths[:-1])
        )
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(widths[0], outputs, kernel_size=1)
        for module in self.modules():
            # Not the head: no ReLU follows it, and large logits would start the sigmoid saturated.
            if isinstance(module, nn.Conv2d) and module is not self.head:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def blocks(self) -> list[nn.Module]:
        """Encoder levels, bridge, decoder levels."""
        return [*self.encoder, self.bridge, *self.decoder]

    def forward(self, image_bchw: Tensor) -> Tensor:
        """(B, C, H, W), H and W multiples of 2**levels -> logits (B, outputs, H, W)."""
        return self.answer(image_bchw)[0]

    def answer(self, image_bchw: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, outputs, H, W), and the mean features of the bridge (B, 2**levels width)."""
        height, width = image_bchw.shape[2:]
        step = 2 ** len(self.encoder)
        if height % step or width % step:
            raise FoldwiseError(
                f"image.size: this U-Net halves the picture {len(self.encoder)} times, which "
                f"{height} x {width} pixels do not allow. Set image.size to a multiple of {step}."
            )
        x, skips = image_bchw, []
        for block in self.encoder:
            skips.append(block(x))
            x = self.pool(skips[-1])
        x = self.bridge(x)
        # Of the bridge: decoder maps hold places, and means of them say little of the whole.
        embedding = x.mean(dim=(2, 3))
        for block, skip in zip(self.decoder, reversed(skips), strict=True):
            x = block(x, skip)
        return self.head(x), embedding


def unet(settings: dict[str, Any], channels: int, outputs: int = 1) -> UNet:
    """Of settings width, levels, norm, groups and dropout; by default 31,389,569 parameters."""
    return _build(settings, channels, outputs)


def resunet(settings: dict[str, Any], channels: int, outputs: int = 1) -> UNet:
    """The same with shortcuts: 33,139,265 parameters."""
    return _build(settings, channels, outputs, residual=True)


def attention_resunet(settings: dict[str, Any], channels: int, outputs: int = 1) -> UNet:
    """The same with shortcuts and gates: 34,186,629 parameters."""
    return _build(settings, channels, outputs, residual=True, attention=True)


def _build(settings: dict[str, Any], channels: int, outputs: int, **kind: bool) -> UNet:
    complete = DEFAULTS | {key: settings[key] for key in DEFAULTS if key in settings}
    model, source = UNet(channels, outputs, complete, **kind), settings.get("weights")
    if source == "imagenet":
        raise FoldwiseError(
            f"model.weights: there are no ImageNet weights for model.name {settings['name']}. "
            "Use `none` or the path of a state dict."
        )
    if source not in (None, "none"):
        fill(model, read_weights(source), source, settings["name"])
    return model
