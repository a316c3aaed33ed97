"""Parameters in two groups, head and backbone, and the optimiser over them."""

from collections.abc import Iterator

import torch
from torch import nn

from foldwise.settings.training import Settings


def groups(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters of the head and all others; a model without `head` counts as head."""
    head = list(getattr(model, "head", model).parameters())
    known = {id(parameter) for parameter in head}
    return head, [parameter for parameter in model.parameters() if id(parameter) not in known]


def make_optimizer(model: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """Adam, AdamW or SGD over two groups, head first. What is frozen has no gradient: skipped."""
    chosen = [
        {"params": parameters, "name": name}
        for name, parameters in zip(("head", "backbone"), groups(model), strict=True)
        if parameters
    ]
    common = {"lr": settings.lr, "weight_decay": settings.weight_decay, "fused": True}
    if settings.optimizer == "sgd":
        return torch.optim.SGD(chosen, momentum=settings.momentum, **common)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(chosen, **common)


def trainable(model: nn.Module) -> Iterator[nn.Parameter]:
    """Parameters that gradients reach at present."""
    return (parameter for parameter in model.parameters() if parameter.requires_grad)
