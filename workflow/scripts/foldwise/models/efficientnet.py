"""EfficientNet-B0 by torchvision. Tan & Le 2019, EfficientNet, ICML."""

from torch import nn
from torchvision import models

from foldwise.models.backbone import Backbone, with_channels
from foldwise.models.vision import with_head


@with_head
def efficientnet_b0(channels: int) -> Backbone:
    """Nine blocks (stem, seven stages, last convolution), 1280 features."""
    net = with_channels(models.efficientnet_b0(), "features.0.0", channels)
    net.classifier = nn.Identity()
    return Backbone(
        net=net,
        width=1280,
        blocks=tuple((f"features.{index}",) for index in range(9)),
        stem="features.0.0",
        gradcam="features.8",
        own_head="classifier",
        imagenet=models.EfficientNet_B0_Weights.IMAGENET1K_V1,
    )
