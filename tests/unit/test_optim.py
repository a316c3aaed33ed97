"""Which parameters train at which rate, against torch's own schedulers."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from torch.optim import lr_scheduler

from foldwise.settings.schema import check
from foldwise.settings.training import Stage, read_settings
from foldwise.train.fit import Fit
from foldwise.train.optim import groups, make_optimizer, trainable
from foldwise.train.rates import judged, rate, set_rates
from training import Tiny, make_params

SETTINGS = read_settings(make_params())


def of(name: str, **keys) -> dict:
    return check("training", {"schedule": {"name": name, **keys}}, "test")["schedule"]


def model() -> Tiny:
    torch.manual_seed(0)
    return Tiny(1, 3, 0.2)


def torch_rates(make, epochs: int, scores: list[float] | None = None) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler, rates = make(optimizer), []
    for epoch in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([scores[epoch]] if scores else []))
    return rates


def test_cosine_is_that_of_torch():
    expected = torch_rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 12, eta_min=1e-3), 12)
    ours = [rate(0.1, of("cosine", min_lr=1e-3), epoch, 12, []) for epoch in range(12)]
    assert ours == pytest.approx(expected)


def test_step_is_that_of_torch():
    expected = torch_rates(lambda o: lr_scheduler.StepLR(o, 3, gamma=0.5), 12)
    ours = [rate(0.1, of("step", step_epochs=3), epoch, 12, []) for epoch in range(12)]
    assert ours == pytest.approx(expected)


def test_plateau_is_that_of_torch():
    scores = [0.1, 0.3, 0.3, 0.2, 0.29, 0.31, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.4, 0.1]
    expected = torch_rates(
        lambda o: lr_scheduler.ReduceLROnPlateau(o, "max", 0.5, 2, threshold=0, min_lr=0.02),
        len(scores),
        scores,
    )
    schedule = of("plateau", patience=2, min_lr=0.02)
    ours = [rate(0.1, schedule, epoch, 15, scores[:epoch]) for epoch in range(15)]
    assert ours == pytest.approx(expected)


def test_a_plateau_is_the_training_losss_where_the_validation_part_only_judges():
    rows = [{"train_loss": loss} for loss in (0.9, 0.5, 0.6, 0.5, 0.4)]
    fit = SimpleNamespace(scores=[1.0, 2.0, 3.0], history=rows, first=2)
    assert judged(fit, SimpleNamespace(stop_after=None)) == [1.0, 2.0, 3.0]
    assert judged(fit, SimpleNamespace(stop_after=9)) == [-0.6, -0.5, -0.4]


def test_a_rate_below_the_floor_is_not_raised():
    for name in ("cosine", "step", "plateau"):
        assert rate(1e-9, of(name, min_lr=1e-7), 0, 10, []) == pytest.approx(1e-9)


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_frozen_blocks_neither_learn_nor_normalise_by_the_batch(blocks):
    net = model()
    net.trainable(blocks)
    net.train()
    net(torch.randn(4, 1, 16, 16)).sum().backward()
    assert len(list(trainable(net))) == 2 + 4 * blocks
    for parameter in net.parameters():
        assert (parameter.grad is not None) == parameter.requires_grad
    modes = [net.one[1].training, net.two[1].training, net.head[0].training]
    assert modes == [blocks == 2, blocks >= 1, True]
    assert net.one[1].num_batches_tracked == int(blocks == 2)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_optimizers_and_their_rates(name):
    rates = {"lr": 0.1, "backbone_lr": 0.01, "momentum": 0.9}
    stages = (Stage((16,), 12),)
    settings = dataclasses.replace(SETTINGS, optimizer=name, stages=stages, **rates)
    net = model()
    optimizer = make_optimizer(net, settings)
    assert type(optimizer).__name__.lower() == name
    assert [len(group["params"]) for group in optimizer.param_groups] == [2, 8]
    assert sum(map(len, groups(net))) == len(list(net.parameters()))
    set_rates(Fit(net, optimizer, epoch=6), settings)
    rates = {group["name"]: group["lr"] for group in optimizer.param_groups}
    assert rates == pytest.approx({"head": 0.05, "backbone": 0.005}, rel=1e-4)


def test_warming_rates_are_those_of_torch():
    """Linear, then the cosine over what is left, as torch chains the two."""
    settings = dataclasses.replace(
        SETTINGS,
        lr=0.1,
        lr_warmup_epochs=3,
        schedule=of("cosine", min_lr=0.0),
        stages=(Stage((16,), 12),),
    )

    def chained(optimizer):
        parts = [
            lr_scheduler.LinearLR(optimizer, 1 / 4, total_iters=3),
            lr_scheduler.CosineAnnealingLR(optimizer, 9),
        ]
        return lr_scheduler.SequentialLR(optimizer, parts, [3])

    assert rates_of(settings) == pytest.approx(torch_rates(chained, 12))


def test_rates_rise_after_the_head_only_epochs():
    settings = dataclasses.replace(
        SETTINGS, lr=0.1, head_only_epochs=2, lr_warmup_epochs=1, stages=(Stage((16,), 5),)
    )
    expected = [0.1, 0.1, 0.05, 0.1]
    assert rates_of(settings)[:4] == pytest.approx(expected)


def rates_of(settings) -> list[float]:
    net = model()
    fit, rates = Fit(net, make_optimizer(net, settings)), []
    for epoch in range(settings.stages[0].epochs):
        fit.epoch = epoch
        set_rates(fit, settings)
        rates.append(fit.optimizer.param_groups[0]["lr"])
    return rates
