"""Tiles: they cover all, put together what one pass would give, and train on true crops."""

import numpy as np
import pytest
import torch

from foldwise.settings.training import read_settings
from foldwise.tasks.tiles import blend, starts, tiled
from foldwise.train.feed.augment import Augmentation
from foldwise.train.feed.batches import epoch_steps
from foldwise.train.feed.draws import content_keys
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.pixels import OnDevice, Preparation
from training import Memory, TinyTask, make_params, make_rows

CPU = torch.device("cpu")
ROWS = make_rows(6)


@pytest.mark.parametrize("side", [64, 100, 257, 1000])
@pytest.mark.parametrize("tile", [32, 64, 96])
@pytest.mark.parametrize("overlap", [0, 0.25, 0.5, 0.75])
def test_tiles_cover_the_side_and_overlap_enough(side, tile, overlap):
    found = starts(side, tile, overlap)
    covered = np.zeros(side, int)
    for start in found:
        assert start >= 0
        assert start + tile <= max(side, tile)
        covered[start : start + tile] += 1
    assert covered.min() >= 1
    steps = np.diff(found)
    assert not len(steps) or steps.max() <= tile * (1 - overlap) + 1


def test_weights_are_positive_and_full_in_the_middle():
    weight = blend(32, 0.25)
    assert weight.min() > 0
    assert weight[8:24, 8:24].eq(1).all()
    assert torch.equal(weight, weight.T)
    assert torch.equal(weight, weight.flip(0))


@pytest.mark.parametrize("overlap", [0, 0.3])
def test_an_answer_without_context_is_that_of_the_whole(overlap):
    image = torch.rand(2, 3, 72, 72)

    def apply(part):
        return part.mean(dim=1, keepdim=True) ** 2, part.mean(dim=(2, 3))

    whole, _ = apply(image)
    found, row = tiled(apply, image, 32, overlap)
    np.testing.assert_allclose(found, whole, atol=1e-6)
    assert row.shape == (2, 3)
    for tile in (None, 72, 96):
        assert torch.equal(tiled(apply, image, tile, overlap)[0], whole)


def test_overlap_hides_the_edges_of_tiles_from_a_network_that_looks_around():
    torch.manual_seed(0)
    blur = torch.nn.Conv2d(1, 1, 9, padding=4, bias=False)
    torch.nn.init.constant_(blur.weight, 1 / 81)
    image = torch.rand(1, 1, 96, 96)

    def apply(part):
        return blur(part), part.mean(dim=(2, 3))

    with torch.no_grad():
        whole = apply(image)[0]
        error = {o: (tiled(apply, image, 48, o)[0] - whole)[..., 8:-8, 8:-8] for o in (0, 0.5)}
    assert error[0.5].abs().max() < error[0].abs().max() / 2


def test_a_picture_that_fills_its_square_is_tiled_like_one_of_which_nothing_is_said():
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(3, 4, 5, padding=2), torch.nn.ReLU(), torch.nn.Conv2d(4, 2, 3)]
    network = torch.nn.Sequential(*layers).to(memory_format=torch.channels_last)
    image = torch.rand(3, 3, 72, 72)

    def apply(part):
        answer = torch.nn.functional.pad(network(part), (1, 1, 1, 1))
        return answer, answer.mean(dim=(2, 3))

    filled = torch.tensor([[0, 72, 0, 72]] * 3)
    with torch.no_grad():
        found, expected = tiled(apply, image, 32, 0.3, filled), tiled(apply, image, 32, 0.3)
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def images_with_places(side: int) -> Memory:
    """A channel that counts across, a plane (the mask) that is its half."""
    across = np.broadcast_to(np.arange(side, dtype=np.uint8), (side, side))
    pixels = np.stack([across, (across >= side // 2).astype(np.uint8)])
    return Memory(np.stack([pixels] * len(ROWS)), [row["content"] for row in ROWS])


def feed_of(images, tile, **strengths):
    task = TinyTask(make_params()["task"])
    strengths = Augmentation(**strengths)
    prepare = Preparation(([0], [1]), CPU, strengths, 5, tile)
    return Feed(task, images, ROWS, task.targets(ROWS), prepare)


def test_crops_are_parts_of_the_picture_with_the_mask_on_them():
    feed = feed_of(images_with_places(64), 16)
    corners = set()
    for epoch in range(1, 9):
        batch = feed.batch(np.arange(6), 64, epoch)
        assert batch["image"].shape == (6, 1, 16, 16)
        across = (batch["image"][:, 0, 0] * 255).round().int()
        assert torch.equal(across - across[:, :1], torch.arange(16).expand(6, 16).int())
        assert torch.equal(batch["planes"][:, 0, 0], (across >= 32).byte())
        corners |= set(across[:, 0].tolist())
    assert min(corners) < 8
    assert max(corners) > 40
    # What predicts sees whole pictures: the task cuts them.
    assert feed.batch(np.arange(6), 64)["image"].shape == (6, 1, 64, 64)


def test_crops_of_a_gpu_agree_with_those_of_a_cpu():
    rng = np.random.default_rng(1)
    smooth = np.cumsum(rng.integers(0, 3, (6, 1, 48, 48)), axis=3).astype(np.uint8)
    both = np.concatenate([smooth, (smooth > 40).astype(np.uint8)], axis=1)
    images = Memory(both, [row["content"] for row in ROWS])
    strengths = {"flip_horizontal": 0.5, "rotate_deg": 20, "zoom": 0.2, "border": "reflect"}
    feed = feed_of(images, 32, **strengths)
    rows = np.arange(6)
    here = {name: value.clone() for name, value in feed.batch(rows, 48, 3).items()}
    places = images.places(ROWS)
    prepare = Preparation(([0], [1]), CPU, Augmentation(**strengths), tile=32)
    feed.pixels = OnDevice(images, places, prepare)
    there = feed.batch(rows, 48, 3)
    # OpenCV places samples in steps of 1/32 pixel and rounds to whole grey levels.
    np.testing.assert_allclose(here["image"], there["image"], atol=4 / 255)
    assert (here["planes"] == there["planes"]).float().mean() > 0.97


def test_an_epoch_has_as_many_crops_as_are_asked_for():
    tiles = {"size": 16, "overlap": 0.25, "per_image": 3}
    params = make_params(size=64, training__tiles=tiles, training__batch_size=4)
    keys = content_keys([row["content"] for row in ROWS])
    steps = epoch_steps(read_settings(params), 1, keys, None)
    rows = np.concatenate([rows for batches in steps for rows, _ in batches])
    repeats = np.concatenate([repeats for batches in steps for _, repeats in batches])
    assert sorted(rows.tolist()) == sorted(list(range(6)) * 3)
    assert len({*zip(rows.tolist(), repeats.tolist(), strict=True)}) == 18


def test_what_one_tile_sees_with_its_surroundings_is_that_of_the_whole():
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(4, 1, 5, padding=2)
    )
    image, tile, reach = torch.rand(1, 1, 112, 112), 48, 3

    def apply(part):
        return network(part), part.mean(dim=(2, 3))

    with torch.no_grad():
        whole, found = apply(image)[0][0, 0], tiled(apply, image, tile, 0.25)[0][0, 0]
    exact = np.ones(112, bool)
    for start in starts(112, tile, 0.25):
        for edge in (start, start + tile):
            # At the picture's own edge a tile sees as little as the whole does.
            if 0 < edge < 112:
                exact[edge - reach : edge + reach] = False
    inside = np.ix_(exact, exact)
    assert exact.mean() > 0.7
    np.testing.assert_allclose(found[inside], whole[inside], atol=1e-6)
    assert (found - whole).abs().max() > 1e-4
