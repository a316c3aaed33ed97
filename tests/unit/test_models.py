"""Vision networks against torchvision's own, on shapes, freezing, weights and grey pictures."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.models.any_size import resized
from foldwise.models.weights import load_weights
from networks import USUAL, build, count

# Parameters with the 1000-class layer (torchvision's published table), features, feature blocks.
PUBLISHED = {
    "efficientnet_b0": (5_288_548, 1280, 9),
    "resnet18": (11_689_512, 512, 5),
    "resnet50": (25_557_032, 2048, 5),
    "densenet121": (7_978_856, 1024, 5),
    "vit_b_16": (86_567_656, 768, 13),
    "vit_b_32": (88_224_232, 768, 13),
    "vit_l_16": (304_326_632, 1024, 25),
}
LIGHT = ["small_cnn", "small_resnet", "custom_1", "resnet18"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_size_width_and_blocks_are_the_published_ones(name):
    total, width, blocks = PUBLISHED[name]
    with torch.device("meta"):
        model = build(name, channels=3)
    assert model.width == width
    assert count(model.backbone) + 1000 * width + 1000 == total
    assert len(model.blocks()) == blocks
    assert sum(map(count, model.blocks())) == count(model.backbone)


@pytest.mark.parametrize("name", LIGHT)
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_of_features_and_logits(name, channels):
    model = build(name, channels, outputs=(6, 5)).eval()
    image = torch.randn(2, channels, 64, 96)
    assert model.embed(image).shape == (2, model.width)
    assert model(image).shape == (2, 6, 5)
    assert sum(map(count, model.blocks())) + count(model.head) == count(model)
    assert torch.equal(model.head(model.embed(image)), model(image))


@pytest.mark.parametrize(
    ("name", "size"), [("resnet18", 64), ("densenet121", 64), ("efficientnet_b0", 64)]
)
def test_features_equal_torchvisions_own(name, size):
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)().eval()
    ours = build(name, channels=3).eval()
    head = "fc" if name == "resnet18" else "classifier"
    load_weights(ours.layout, "none", name)
    body = {k: v for k, v in theirs.state_dict().items() if not k.startswith(f"{head}.")}
    ours.backbone.load_state_dict(body)
    setattr(theirs, head, nn.Identity())
    image = torch.randn(1, 3, size, size)
    assert torch.equal(ours.embed(image), theirs(image))


def tiny_vit():
    return torchvision.models.VisionTransformer(
        image_size=224, patch_size=32, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32
    )


def test_vit_equals_torchvisions_own_at_224(monkeypatch):
    monkeypatch.setattr(torchvision.models, "vit_b_32", tiny_vit)
    torch.manual_seed(0)
    theirs = tiny_vit().eval()
    theirs.heads = nn.Identity()
    ours = build("vit_b_32", channels=3).eval()
    ours.backbone.load_state_dict(theirs.state_dict())
    image = torch.randn(2, 3, 224, 224)
    assert torch.allclose(ours.embed(image), theirs(image), atol=1e-6)
    assert ours.embed(torch.randn(2, 3, 96, 160)).shape == (2, 16)
    with pytest.raises(FoldwiseError, match="multiple of 32"):
        ours(torch.randn(1, 3, 100, 100))


def test_position_embeddings_are_interpolated_as_torch_does():
    position = torch.randn(1, 1 + 49, 8)
    grid = position[:, 1:].transpose(1, 2).unflatten(2, (7, 7))
    expected = nn.functional.interpolate(grid, (12, 10), mode="bicubic").flatten(2).transpose(1, 2)
    found = resized(position, 12, 10)
    assert torch.allclose(found[:, 1:], expected, atol=1e-5)
    assert torch.equal(found[:, :1], position[:, :1])


def test_only_the_chosen_blocks_change_and_frozen_statistics_stay():
    model = build("resnet18")
    model.trainable(2)
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model(torch.randn(4, 1, 64, 64)).square().sum().backward()
    optimizer.step()
    after = model.state_dict()
    changed = {key.split(".")[1] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"layer3", "layer4", "1"}
    model.trainable(0)
    assert not any(p.requires_grad for p in model.backbone.parameters())
    with pytest.raises(FoldwiseError, match="5 feature blocks"):
        model.trainable(6)


def test_equal_seeds_give_equal_weights():
    first, second = build("small_cnn").state_dict(), build("small_cnn").state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}])
def test_weights_from_a_file_grey_answers_as_three_equal_channels(tmp_path, wrap):
    torch.manual_seed(3)
    theirs = torchvision.models.resnet18().eval()
    torch.save(wrap(theirs.state_dict()), tmp_path / "w.pt")
    ours = build("resnet18", channels=1, weights=str(tmp_path / "w.pt")).eval()
    theirs.fc = nn.Identity()
    grey = torch.randn(2, 1, 64, 64)
    assert torch.allclose(ours.embed(grey), theirs(grey.expand(-1, 3, -1, -1)), atol=1e-5)


def test_our_own_file_and_old_densenet_keys_are_read(tmp_path):
    model = build("densenet121", outputs=2)
    old = {
        "module.densenet121." + key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value
        for key, value in model.backbone.state_dict().items()
        if "num_batches" not in key
    }
    torch.save(old, tmp_path / "old.pt")
    torch.save(model.state_dict(), tmp_path / "own.pt")
    for name in ("old.pt", "own.pt"):
        again = registry.load("MODELS", "densenet121")(
            USUAL | {"name": "densenet121", "weights": str(tmp_path / name)}, 1, 7
        )
        key = "features.denseblock2.denselayer3.conv2.weight"
        assert torch.equal(again.backbone.state_dict()[key], model.backbone.state_dict()[key])


def test_weights_that_do_not_fit_are_named(tmp_path):
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "w.pt")
    with pytest.raises(FoldwiseError, match=r"missing: features.*unexpected: conv1"):
        build("small_cnn", weights=str(tmp_path / "w.pt"))
    torch.save({"layer": np.ones(3)}, tmp_path / "pickle.pt")
    (tmp_path / "text.pt").write_text("not weights")
    for name, message in {
        "pickle.pt": "tensors alone",
        "text.pt": "tensors",
        "no.pt": "no file",
    }.items():
        with pytest.raises(FoldwiseError, match=message):
            build("small_cnn", weights=str(tmp_path / name))
    with pytest.raises(FoldwiseError, match="no ImageNet weights"):
        build("small_cnn", weights="imagenet")


def test_without_a_network_the_message_says_where_the_file_belongs(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refused)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(FoldwiseError, match=r"resnet18-f37072fd\.pth.*put it at .*checkpoints"):
        build("resnet18", weights="imagenet")


def test_embeddings_are_joined_and_their_absence_is_an_error():
    model = registry.load("MODELS", "small_cnn")(USUAL | {"name": "small_cnn"}, 1, 3, 10).eval()
    image, joined = torch.randn(2, 1, 32, 32), torch.randn(2, 10)
    assert model(image, joined).shape == (2, 3)
    assert not torch.equal(model(image, joined), model(image, joined.roll(1, 1)))
    with pytest.raises(FoldwiseError, match="takes 10 embedding values a sample and got 0"):
        model(image)


@pytest.mark.parametrize("name", ["small_cnn", "custom_1", "resnet18"])
def test_grad_cam_layer_still_has_places(name):
    model, seen = build(name).eval(), []
    model.gradcam_layer.register_forward_hook(lambda _, __, out: seen.append(out.shape))
    model(torch.randn(1, 1, 64, 64))
    assert seen[0][-1] > 1
    assert len(seen[0]) == 4
