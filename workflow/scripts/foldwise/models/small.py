"""Small networks for a few hundred images, random weights and a CPU.

The stem halves the picture at once, so that most of the work is done on few pixels; group norm
makes no use of the batch, so that small batches and small folds train steadily.
"""

from torch import Tensor, nn

from foldwise.models.backbone import Backbone
from foldwise.models.vision import with_head

WIDTHS = (16, 32, 64, 128)


def _conv(inputs: int, width: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, width, kernel_size=3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.GroupNorm(8, width), nn.ReLU())


class PlainStep(nn.Sequential):
    """Two convolutions, the first of which halves the picture."""

    def __init__(self, inputs: int, width: int):
        super().__init__(_conv(inputs, width, stride=2), _conv(width, width))


class ResidualStep(nn.Module):
    """The same two convolutions, with a 1x1 shortcut around them (He et al. 2016)."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.first = _conv(inputs, width, stride=2)
        self.second = _conv(width, width)[:2]
        conv = nn.Conv2d(inputs, width, kernel_size=1, bias=False)
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), conv)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / 2, W / 2)."""
        return (self.second(self.first(x)) + self.shortcut(x)).relu()


class SmallNet(nn.Module):
    """Stem and four steps; the mean over all places are the features."""

    def __init__(self, channels: int, step: type[nn.Module]):
        super().__init__()
        steps = map(step, WIDTHS, (*WIDTHS[1:], WIDTHS[-1]))
        self.features = nn.Sequential(_conv(channels, WIDTHS[0], stride=2), *steps)

    def forward(self, image_bchw: Tensor) -> Tensor:
        """(B, C, H, W), H and W at least 32 -> (B, WIDTHS[-1])."""
        return self.features(image_bchw).mean(dim=(2, 3))


@with_head
def small_cnn(channels: int) -> Backbone:
    """Five blocks, 128 features, .58 million parameters."""
    return _small(channels, PlainStep)


@with_head
def small_resnet(channels: int) -> Backbone:
    """Five blocks, 128 features, .61 million parameters."""
    return _small(channels, ResidualStep)


def _small(channels: int, step: type[nn.Module]) -> Backbone:
    return Backbone(
        net=SmallNet(channels, step),
        width=WIDTHS[-1],
        blocks=tuple((f"features.{index}",) for index in range(5)),
        stem="features.0.0",
        gradcam="features.4",
    )
