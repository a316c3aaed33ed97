"""Networks of torchvision and timm by their names: sizes, blocks, maps, what they import."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
import torchvision
from torch import nn

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.models import timm_networks
from networks import USUAL, build, count
from tools import list_networks

# One of each family of torchvision, the lightest, and its blocks.
FAMILIES = {
    "alexnet": 7,
    "convnext_tiny": 8,
    "densenet121": 5,
    "efficientnet_v2_s": 8,
    "googlenet": 12,
    "inception_v3": 16,
    "mnasnet0_5": 10,
    "mobilenet_v2": 19,
    "mobilenet_v3_small": 14,
    "regnet_x_400mf": 5,
    "regnet_y_400mf": 5,
    "resnext50_32x4d": 5,
    "shufflenet_v2_x0_5": 5,
    "squeezenet1_1": 9,
    "swin_t": 8,
    "swin_v2_t": 8,
    "vgg11_bn": 10,
    "vit_b_32": 13,
}


@pytest.mark.parametrize("name", FAMILIES)
def test_any_network_of_torchvision_has_the_published_size_and_ordered_blocks(name):
    with list_networks.without_weights():
        model = build(name, channels=3)
    published = torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]
    # The second head that it has for training; GoogLeNet's are in no published count.
    second = 3_326_696 if name == "inception_v3" else 0
    head = 1000 * (512 if name == "squeezenet1_1" else model.width) + 1000
    assert count(model.backbone) + head == published - second
    blocks = model.blocks()
    assert len(blocks) == FAMILIES[name]
    assert sum(map(count, blocks)) == count(model.backbone)
    first = next(iter(blocks[0].parameters()))
    assert first is model.backbone.get_submodule(model.layout.stem).weight


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2_x0_5", "swin_t"])
def test_weights_of_a_file_give_torchvisions_features_and_a_map(name, tmp_path):
    torch.manual_seed(3)
    theirs = getattr(torchvision.models, name)().eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pt")
    ours = build(name, channels=1, weights=str(tmp_path / "w.pt")).eval()
    last = [part for part in theirs.modules() if isinstance(part, nn.Linear)][-1]
    given, maps = [], []
    last.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    ours.gradcam_layer.register_forward_hook(lambda _, __, out: maps.append(out))
    grey = torch.randn(2, 1, 64, 64)
    theirs(grey.expand(-1, 3, -1, -1))
    assert torch.allclose(ours.embed(grey), given[0], atol=1e-5)
    to_map = ours.layout.to_map or (lambda out: out)
    assert to_map(maps[0]).shape[1:] == (ours.layout.map_width or ours.width, 2, 2)


def test_the_list_of_networks_is_torchvisions():
    assert list(registry.TORCHVISION) == list_networks.names(), (
        "torchvision has other networks: run `.venv/bin/python tools/list_networks.py`"
    )
    assert registry.TORCHVISION["resnet18"] == list_networks.row("resnet18")
    for name, row in registry.TORCHVISION.items():
        weights = torchvision.models.get_model_weights(name).DEFAULT
        assert weights.url.endswith(f"/{row['file']}")


@pytest.mark.parametrize("name", ["alexnet", "inception_v3", "densenet121", "vgg11", "resnet18"])
def test_the_least_side_is_that_of_the_network(name):
    least = registry.NETWORKS[name]["least"]
    with list_networks.without_weights():
        net = build(name, channels=3).backbone.eval()
    assert list_networks.takes(net, least)
    assert least == 8 or not list_networks.takes(net, least - 8)


@pytest.mark.parametrize("name", ["small_cnn", "small_resnet", "custom_1"])
def test_the_least_side_of_a_network_of_our_own(name):
    model = build(name).eval()
    least = registry.NETWORKS.get(name, {}).get("least", 16)
    assert torch.isfinite(model.embed(torch.zeros(1, 1, least, least))).all()
    if name in registry.NETWORKS:
        with pytest.raises(RuntimeError):
            model.embed(torch.zeros(1, 1, 24, 24))


def in_a_process_of_its_own(name):
    code = (
        "import sys; from foldwise import registry; "
        f"settings = {USUAL | {'name': name}}; "
        f"net = registry.load('VISION', '{name}')(settings, 1, 4); import torch; "
        "net.eval()(torch.zeros(1, 1, 64, 64)); "
        "print(*sorted({'torchvision', 'torch._dynamo', 'torch._inductor', 'sympy'} "
        "& {*sys.modules}))"
    )
    source = str(list_networks.ROOT / "workflow" / "scripts")
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env={"PYTHONPATH": source}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(("name", "imported"), [("small_cnn", []), ("resnet18", ["torchvision"])])
def test_a_network_imports_no_compiler_and_its_own_library_alone(name, imported):
    assert in_a_process_of_its_own(name) == imported


class OfTimm(nn.Module):
    """A network in timm's form: tokens of two places a side behind a class token."""

    num_prefix_tokens = 1

    def __init__(self, channels):
        super().__init__()
        self.pretrained_cfg = {"classifier": "head", "input_size": (3, 32, 32)}
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 8))
        self.patch_embed = nn.Conv2d(channels, 8, 16, 16)
        self.blocks = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Identity()

    def forward(self, image):
        tokens = self.patch_embed(image).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], dim=1)
        return self.norm(self.blocks(tokens))[:, 0]


def test_a_network_of_timm_has_blocks_and_a_map(monkeypatch, tmp_path):
    def create_model(name, pretrained, in_chans, num_classes):
        if name != "mine":
            raise RuntimeError(f"Unknown model ({name})")
        assert (pretrained, num_classes) == (False, 0)
        return OfTimm(in_chans)

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))
    model = build("timm/mine")
    assert model(torch.randn(2, 1, 32, 32)).shape == (2, 4)
    names = (("patch_embed", "cls_token"), ("blocks.0",), ("blocks.1", "norm"))
    assert model.layout.blocks == names
    assert model.layout.to_map(torch.randn(2, 5, 8)).shape == (2, 8, 2, 2)
    torch.save(OfTimm(1).state_dict() | {"head.weight": torch.zeros(9, 8)}, tmp_path / "w.pt")
    build("timm/mine", weights=str(tmp_path / "w.pt"))
    with pytest.raises(FoldwiseError, match=r"timm gave no network timm/other.*list_models"):
        build("timm/other")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(FoldwiseError, match="timm, which is not installed"):
        build("timm/mine")
    assert registry.entry("VISION", "timm/mine")[0] == timm_networks.__name__
