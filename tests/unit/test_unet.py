"""U-Nets: the published parameter counts, shapes, gradients everywhere, norms, bad sizes."""

import pytest
import torch

from foldwise import registry
from foldwise.errors import FoldwiseError

COUNTS = {"unet": 31_389_569, "resunet": 33_139_265, "attention_resunet": 34_186_629}


def build(name, channels=1, outputs=1, **settings):
    torch.manual_seed(0)
    return registry.load("SEGMENTERS", name)({"name": name, **settings}, channels, outputs)


def count(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("name", COUNTS)
def test_trainable_parameters_with_one_grey_channel(name, norm):
    with torch.device("meta"):
        model = build(name, norm=norm)
    assert count(model) == COUNTS[name]
    assert sum(map(count, model.blocks())) + count(model.head) == COUNTS[name]


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("name", COUNTS)
def test_every_parameter_gets_a_gradient(name, norm):
    model = build(name, channels=3, outputs=2, width=8, norm=norm, dropout=0.1)
    logits = model(torch.randn(2, 3, 32, 48))
    assert logits.shape == (2, 2, 32, 48)
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    # Before a batch norm a bias has no effect, so only the weights must move.
    weights = [p.grad.abs().sum() for p in model.parameters() if p.dim() > 1]
    assert min(weights) > 0


def test_group_norm_makes_samples_independent_of_their_batch():
    model = build("resunet", width=8, norm="group").train()
    batch = torch.randn(3, 1, 16, 16)
    assert torch.allclose(model(batch)[:1], model(batch[:1]), atol=1e-5)


def test_the_gate_is_its_formula():
    gate = build("attention_resunet", width=8).decoder[-1].gate
    x, g = torch.randn(1, 8, 4, 4), torch.randn(1, 16, 4, 4)

    def place(conv, vector):
        return conv.weight[:, :, 0, 0] @ vector + conv.bias

    inner = place(gate.theta, x[0, :, 1, 2]) + place(gate.phi, g[0, :, 1, 2])
    expected = place(gate.psi, inner.clamp_min(0)).sigmoid() * x[0, :, 1, 2]
    assert torch.allclose(gate(x, g)[0, :, 1, 2], expected, atol=1e-6)


def test_a_size_that_cannot_be_halved_four_times_is_named():
    with pytest.raises(FoldwiseError, match=r"40 x 32 pixels.*multiple of 16"):
        build("unet", width=4)(torch.zeros(1, 1, 40, 32))


def test_weights_come_from_a_file(tmp_path):
    first = build("unet", width=4)
    with torch.no_grad():
        first.head.bias.fill_(3.0)
    torch.save(first.state_dict(), tmp_path / "w.pt")
    again = build("unet", width=4, weights=str(tmp_path / "w.pt"))
    assert again.head.bias.item() == 3.0
    with pytest.raises(FoldwiseError, match=r"another shape: .*\(4, 1, 3, 3\) for \(8, 1, 3, 3\)"):
        build("unet", width=8, weights=str(tmp_path / "w.pt"))


def test_more_levels_halve_the_picture_more_often():
    with torch.device("meta"):
        model = build("unet", levels=6, width=8)
    assert [len(model.encoder), len(model.decoder), len(model.blocks())] == [6, 6, 13]
    assert model.bridge.body[0].out_channels == 8 * 2**6
    with pytest.raises(FoldwiseError, match=r"6 times, which 96 x 96 .* multiple of 64"):
        model(torch.zeros(1, 1, 96, 96, device="meta"))
    assert model(torch.zeros(1, 1, 128, 64, device="meta")).shape == (1, 1, 128, 64)
