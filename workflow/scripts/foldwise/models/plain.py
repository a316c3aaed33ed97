"""A plain convolutional network, five steps deep."""

from torch import Tensor, nn

from foldwise.models.backbone import Backbone
from foldwise.models.vision import with_head


class PlainCNN(nn.Module):
    """Convolution, batch norm, ReLU and 2x2 maximum per step; mean over all places at the end."""

    def __init__(self, channels: int, widths: tuple[int, ...]):
        super().__init__()
        inputs = (channels, *widths[:-1])
        self.features = nn.Sequential(*map(self._step, inputs, widths))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @staticmethod
    def _step(inputs: int, width: int) -> nn.Sequential:
        # No bias: the batch norm that follows takes the mean out and has a bias of its own.
        conv = nn.Conv2d(inputs, width, kernel_size=3, padding=1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2))

    def forward(self, image_bchw: Tensor) -> Tensor:
        """(B, C, H, W), H and W at least 32 -> (B, widths[-1])."""
        return self.features(image_bchw).mean(dim=(2, 3))


@with_head
def custom_1(channels: int) -> Backbone:
    """Five blocks of 64, 128, 256, 512 and 1024 maps; 1024 features."""
    return Backbone(
        net=PlainCNN(channels, (64, 128, 256, 512, 1024)),
        width=1024,
        blocks=tuple((f"features.{index}",) for index in range(5)),
        stem="features.0.0",
        # Before the last maximum, which halves the map once more.
        gradcam="features.4.1",
    )
