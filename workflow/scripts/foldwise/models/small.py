"""Small networks for a few hundred images, random weights and a CPU.

Two ways that were tried against each other on films of breasts: full resolution at first, batch
norm and max-pooling, which learns most from few images; and residual steps with group norm, which
makes no use of the batch and suits very small ones.
"""

from torch import Tensor, nn

from foldwise.models.backbone import Backbone
from foldwise.models.vision import with_head

WIDTHS = (16, 32, 64, 128)


def _conv(inputs: int, width: int, norm: nn.Module, stride: int = 1) -> nn.Sequential:
    # No bias: the norm that follows takes the mean out and has a bias of its own.
    conv = nn.Conv2d(inputs, width, kernel_size=3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, norm, nn.ReLU())


class PlainStep(nn.Sequential):
    """A convolution; its strongest answers halve the picture."""

    def __init__(self, inputs: int, width: int):
        super().__init__(*_conv(inputs, width, nn.BatchNorm2d(width)), nn.MaxPool2d(2))


class ResidualStep(nn.Module):
    """Two convolutions that halve the picture, with a 1x1 shortcut around them (He et al. 2016)."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.first = _conv(inputs, width, nn.GroupNorm(8, width), stride=2)
        self.second = _conv(width, width, nn.GroupNorm(8, width))[:2]
        conv = nn.Conv2d(inputs, width, kernel_size=1, bias=False)
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        # Averaged: a 1x1 convolution of stride 2 would skip three of four pixels. Odd sides are
        # rounded up, as those of the convolutions are.
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), conv)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / 2, W / 2)."""
        return (self.second(self.first(x)) + self.shortcut(x)).relu()


class SmallNet(nn.Module):
    """A stem that halves the picture and four steps; the mean over all places are the features."""

    def __init__(self, stem: nn.Module, step: type[nn.Module]):
        super().__init__()
        steps = map(step, WIDTHS, (*WIDTHS[1:], WIDTHS[-1]))
        self.features = nn.Sequential(stem, *steps)

    def forward(self, image_bchw: Tensor) -> Tensor:
        """(B, C, H, W), H and W at least 32 -> (B, WIDTHS[-1])."""
        return self.features(image_bchw).mean(dim=(2, 3))


@with_head
def small_cnn(channels: int) -> Backbone:
    """Five blocks, 128 features, .25 million parameters."""
    return _small(PlainStep(channels, WIDTHS[0]), PlainStep)


@with_head
def small_resnet(channels: int) -> Backbone:
    """Five blocks, 128 features, .61 million parameters."""
    norm = nn.GroupNorm(8, WIDTHS[0])
    return _small(_conv(channels, WIDTHS[0], norm, stride=2), ResidualStep)


def _small(stem: nn.Module, step: type[nn.Module]) -> Backbone:
    return Backbone(
        net=SmallNet(stem, step),
        width=WIDTHS[-1],
        blocks=tuple((f"features.{index}",) for index in range(5)),
        stem="features.0.0",
        gradcam="features.4",
    )
