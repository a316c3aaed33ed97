"""ResNet-18 and ResNet-50 by torchvision. He et al. 2016, Deep residual learning, CVPR."""

from collections.abc import Callable
from typing import Any

from torch import nn
from torchvision import models

from foldwise.models.backbone import Backbone, with_channels
from foldwise.models.vision import with_head


@with_head
def resnet18(channels: int) -> Backbone:
    """Five blocks, 512 features."""
    return _resnet(models.resnet18, 512, channels, models.ResNet18_Weights.IMAGENET1K_V1)


@with_head
def resnet50(channels: int) -> Backbone:
    """Five blocks, 2048 features."""
    return _resnet(models.resnet50, 2048, channels, models.ResNet50_Weights.IMAGENET1K_V2)


def _resnet(make: Callable[[], nn.Module], width: int, channels: int, weights: Any) -> Backbone:
    net = with_channels(make(), "conv1", channels)
    net.fc = nn.Identity()
    return Backbone(
        net=net,
        width=width,
        blocks=(("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",)),
        stem="conv1",
        gradcam="layer4",
        own_head="fc",
        imagenet=weights,
    )
