"""DenseNet-121 by torchvision, the network of CheXNet.

Huang et al. 2017, Densely connected convolutional networks, CVPR; Rajpurkar et al. 2017, CheXNet,
arXiv:1711.05225.
"""

import re

from torch import nn
from torchvision import models

from foldwise.models.backbone import Backbone, with_channels
from foldwise.models.vision import with_head

# State dicts from before torch 0.4 (torchvision's own file, most of CheXNet) write `norm.1`.
OLD_KEY = re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)$")


@with_head
def densenet121(channels: int) -> Backbone:
    """Five blocks (stem, then each dense block with what follows it), 1024 features."""
    net = with_channels(models.densenet121(), "features.conv0", channels, "fan_in")
    net.classifier = nn.Identity()
    middle = [(f"features.denseblock{k}", f"features.transition{k}") for k in (1, 2, 3)]
    return Backbone(
        net=net,
        width=1024,
        blocks=(
            ("features.conv0", "features.norm0"),
            *middle,
            ("features.denseblock4", "features.norm5"),
        ),
        stem="features.conv0",
        gradcam="features.norm5",
        own_head="classifier",
        imagenet=models.DenseNet121_Weights.IMAGENET1K_V1,
        rename=lambda key: OLD_KEY.sub(r"\1\2", key),
    )
