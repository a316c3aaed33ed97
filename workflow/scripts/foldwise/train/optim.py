"""Parameters in two groups, head and backbone, and the optimiser over them."""

import functools
import inspect
from collections.abc import Iterator

import torch
from torch import nn

from foldwise.settings.training import Settings


def groups(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters of the head and all others; a model without `head` counts as head."""
    head = list(getattr(model, "head", model).parameters())
    of_head = {id(parameter) for parameter in head}
    return head, [parameter for parameter in model.parameters() if id(parameter) not in of_head]


def make_optimizer(model: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """Adam, AdamW or SGD over two groups, head first. What is frozen has no gradient: skipped."""
    chosen = [
        {"params": parameters, "name": name}
        for name, parameters in zip(("head", "backbone"), groups(model), strict=True)
        if parameters
    ]
    common = {"lr": settings.lr, "weight_decay": settings.weight_decay, "fused": True}
    if settings.optimizer == "sgd":
        return eager(torch.optim.SGD)(chosen, momentum=settings.momentum, **common)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return eager(kind)(chosen, **common)


# Methods that torch wraps so that its compiler leaves them out, and imports it for that.
WRAPPED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


@functools.cache
def eager(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """`kind` without the wrappers that import torch's compiler: 3 s of each job that trains.

    A training that is not compiled has no use for them; the arithmetic below them is the same.
    """
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    # The wrapper also turned gradients off, without which weights cannot be changed in place.
    methods["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), methods)


def trainable(model: nn.Module) -> Iterator[nn.Parameter]:
    """Parameters that gradients reach at present."""
    return (parameter for parameter in model.parameters() if parameter.requires_grad)
