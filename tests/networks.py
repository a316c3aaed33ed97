"""Networks for tests, with the settings of a study that says nothing of them."""

import torch

from foldwise import registry

# As a study has them that says nothing of these.
USUAL = {"weights": "none", "dropout": 0.2}


def build(name, channels=1, outputs=4, **settings):
    torch.manual_seed(0)
    return registry.load("MODELS", name)(USUAL | {"name": name} | settings, channels, outputs)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())
