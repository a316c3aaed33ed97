"""Pictures of several sizes at their own scale: stored, fed, cut into tiles, measured."""

import numpy as np
import pytest
import torch

from foldwise.pixels.cache import Images, write_shard
from foldwise.pixels.picture import Picture
from foldwise.pixels.prepare import prepared
from foldwise.tasks.segmentation import Segmentation
from foldwise.tasks.tiles import mirrored, tiled
from foldwise.train.feed.augment import Augmentation
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.normalise import normalisation
from foldwise.train.feed.pixels import OnDevice, Preparation
from training import Memory, TinyTask, make_params, make_rows
from usual import image_settings

CPU = torch.device("cpu")
ROWS = make_rows(3)
SIDE = 64
# Top, bottom, left, right: wide, high, the whole square.
PARTS = np.array([[12, 52, 4, 60], [0, 64, 20, 45], [0, 64, 0, 64]])


def picture(rows: int, columns: int) -> Picture:
    random = np.random.default_rng(rows)
    return Picture(random.integers(0, 256, (rows, columns)).astype(np.uint8))


@pytest.mark.parametrize(("rows", "columns"), [(20, 31), (64, 64), (1, 64), (40, 12)])
def test_what_fits_is_stored_as_it_is_in_the_middle(rows, columns):
    shown = picture(rows, columns)
    made = prepared(shown, image_settings(size=SIDE, fit="native", window="none"))
    top, bottom, left, right = made.facts["inside"]
    assert (bottom - top, right - left) == (rows, columns)
    assert abs((SIDE - bottom) - top) <= 1 and abs((SIDE - right) - left) <= 1
    np.testing.assert_array_equal(made.pixels[0, top:bottom, left:right], shown.stored)
    assert made.pixels.sum() == shown.stored.sum(dtype=int)


def test_what_does_not_fit_is_scaled_as_a_letterbox_scales_it():
    shown = picture(128, 96)
    native, letterbox = (
        prepared(shown, image_settings(size=SIDE, fit=fit)) for fit in ("native", "letterbox")
    )
    np.testing.assert_array_equal(native.pixels, letterbox.pixels)
    assert native.facts["inside"] == [0, 64, 8, 56]
    assert "inside" not in letterbox.facts


def test_the_cache_knows_which_part_a_picture_fills(tmp_path):
    sizes = {"a": (20, 31), "b": (64, 64)}
    for fit, parts in (
        ("native", [[22, 42, 16, 47], [0, 64, 0, 64]]),
        ("letterbox", [[0, 64] * 2] * 2),
    ):
        settings = image_settings(size=SIDE, fit=fit)

        def read(name, settings=settings):
            return prepared(picture(*sizes[name]), settings)

        out = tmp_path / f"{fit}.npy", tmp_path / f"{fit}.json"
        write_shard(read, list(sizes), (1, SIDE, SIDE), np.dtype(np.uint8), out)
        images = Images(tmp_path, [fit])
        assert images.inside(np.array([0, 1])).tolist() == parts


def stored(seed: int = 0) -> Memory:
    """Noise in each part, 0 beyond it; the plane of the mask is where the noise is bright."""
    pixels = np.zeros((3, 2, SIDE, SIDE), np.uint8)
    random = np.random.default_rng(seed)
    for planes, (a, b, c, d) in zip(pixels, PARTS, strict=True):
        planes[0, a:b, c:d] = random.integers(90, 256, (b - a, d - c))
        planes[1, a:b, c:d] = planes[0, a:b, c:d] > 200
    return Memory(pixels, [row["content"] for row in ROWS], PARTS)


def feed_of(images: Memory, make=None, **named) -> Feed:
    task = TinyTask(make_params()["task"])
    prepare = Preparation(([0], [1]), CPU, **named)
    feed = Feed(task, images, ROWS, task.targets(ROWS), prepare)
    if make:
        feed.pixels = make(images, images.places(ROWS), prepare)
    return feed


@pytest.mark.parametrize("make", [None, OnDevice])
@pytest.mark.parametrize("tile", [16, 32])
def test_crops_lie_in_the_picture_and_reach_all_of_it(make, tile):
    images = stored()
    feed = feed_of(images, make, augmentation=Augmentation(border="reflect"), tile=tile)
    seen = [set(), set(), set()]
    for epoch in range(1, 60):
        batch = feed.batch(np.arange(3), SIDE, epoch)
        assert "inside" not in batch
        grey = (batch["image"][:, 0] * 255).round().int()
        # Nothing of what lies beyond: there it is 0, in the pictures at least 90.
        assert grey.min() >= 90
        for values, found in zip(grey, seen, strict=True):
            found |= set(map(tuple, values[:, :3].tolist()))
        assert torch.equal(batch["planes"][:, 0] != 0, grey > 200)
    for number, (a, b, c, d) in enumerate(PARTS):
        rows = {tuple(row) for row in images.pixels[number, 0, a:b, c : c + 3].tolist()}
        assert tile > d - c or seen[number] & rows


def test_a_crop_larger_than_its_picture_is_mirrored_at_the_pictures_edge():
    images = stored()
    for make in (None, OnDevice):
        feed = feed_of(images, make, augmentation=Augmentation(border="reflect"), tile=48)
        grey = (feed.batch(np.arange(3), SIDE, 1)["image"][1, 0] * 255).round().int()
        a, b, c, d = PARTS[1]
        part = torch.from_numpy(images.pixels[1, 0, a:b, c:d].astype(int))
        expected = part[:, mirrored(0, d - c, 48)]
        assert any(torch.equal(grey.long(), expected[n : n + 48]) for n in range(17)), make


def test_both_ways_agree_on_moved_crops():
    random = np.random.default_rng(3)
    images = stored()
    smooth = np.cumsum(random.integers(0, 3, (3, SIDE, SIDE)), axis=2) + 40
    for planes, values, (a, b, c, d) in zip(images.pixels, smooth, PARTS, strict=True):
        planes[0, a:b, c:d] = values[a:b, c:d]
        planes[1, a:b, c:d] = values[a:b, c:d] > 90
    for border in ("reflect", "black"):
        strengths = Augmentation(0.5, 0.5, 20, 0.2, 0.1, border=border, quarter_turn=0.5)
        named = {"augmentation": strengths, "tile": 32, "seed": 2}
        here, there = (feed_of(images, make, **named) for make in (None, OnDevice))
        for size in (SIDE, 48):
            one, two = (feed.batch(np.arange(3), size, 2) for feed in (here, there))
            difference = (one["image"] - two["image"]).abs()
            assert difference.median() < 2 / 255
            # Black meets the picture's edge: there a 32nd of a pixel is many grey levels.
            assert (difference < 6 / 255).float().mean() > (0.99 if border == "reflect" else 0.93)
            assert (one["planes"] == two["planes"]).float().mean() > 0.95


def test_levels_are_those_of_the_picture_and_not_of_the_black_beside_it():
    images = stored()
    inside = [images.pixels[n, 0, a:b, c:d] / 255 for n, (a, b, c, d) in enumerate(PARTS)]
    for make in (None, OnDevice):
        feed = feed_of(images, make, by_picture=True)
        for n, values in enumerate(inside):
            expected = [values.mean()], [values.std()]
            np.testing.assert_allclose(feed.normalisation(n), expected, rtol=1e-5)
    together = np.concatenate([values.ravel() for values in inside])
    measured = normalisation("train", images, np.arange(3), 1)
    np.testing.assert_allclose(measured, ([together.mean()], [together.std()]), rtol=1e-9)


def test_a_batch_says_where_its_pictures_are_at_any_side():
    feed = feed_of(stored())
    assert feed.batch(np.array([1, 0]), SIDE)["inside"].tolist() == PARTS[[1, 0]].tolist()
    assert feed.batch(np.array([0]), 32)["inside"].tolist() == [[6, 26, 2, 30]]
    assert feed.batch(np.array([1]), 32)["inside"].tolist() == [[0, 32, 10, 23]]
    images = stored()
    images.parts = np.tile([0, SIDE, 0, SIDE], (3, 1))
    assert "inside" not in feed_of(images).batch(np.arange(3), SIDE)


def squared(part):
    return part.mean(dim=1, keepdim=True) ** 2, part.mean(dim=(2, 3))


@pytest.mark.parametrize("tile", [16, 48])
@pytest.mark.parametrize("overlap", [0, 0.3])
def test_tiles_answer_for_the_pictures_and_say_nothing_beyond(tile, overlap):
    image, inside = torch.rand(3, 2, SIDE, SIDE), torch.from_numpy(PARTS)
    found, rows = tiled(squared, image, tile, overlap, inside)
    whole, _ = squared(image)
    for n, (a, b, c, d) in enumerate(PARTS):
        np.testing.assert_allclose(found[n, :, a:b, c:d], whole[n, :, a:b, c:d], atol=1e-6)
        found[n, :, a:b, c:d] = 0
    assert found.abs().max() == 0
    assert rows.shape == (3, 2)
    assert ((rows > 0.3) & (rows < 0.7)).all()


def test_each_tile_is_asked_about_once_and_batches_are_no_larger_than_the_images():
    asked = []

    def apply(part):
        asked.append(len(part))
        return squared(part)

    tiled(apply, torch.rand(3, 1, SIDE, SIDE), 32, 0, torch.from_numpy(PARTS))
    # 2 x 2, 2 x 1 and 2 x 2 tiles of 32 cover 40 x 56, 64 x 25 and 64 x 64 pixels.
    assert sum(asked) == 10
    assert max(asked) == 3


def test_places_are_mirrored_as_numpy_mirrors_them():
    expected = np.pad(np.arange(5), (0, 18), mode="symmetric")
    np.testing.assert_array_equal(mirrored(0, 5, 23), expected)
    np.testing.assert_array_equal(mirrored(2, 5, 3), [2, 3, 4])


class Bright(torch.nn.Module):
    """Everything is foreground, the black beside the pictures too."""

    def answer(self, image):
        return torch.full_like(image[:, :1], 3.0), image.mean(dim=(2, 3))


@pytest.mark.parametrize("tile", [None, 32])
def test_nothing_is_predicted_beyond_a_picture(tile):
    task = Segmentation({"threshold": 0.5, "tiles": {"size": tile, "overlap": 0.25}})
    batch = feed_of(stored()).batch(np.arange(3), SIDE)
    found = task.predict(Bright(), batch)
    rows = task.table(ROWS, {name: found[name].numpy() for name in ("measured",)})
    areas = [(b - a) * (d - c) for a, b, c, d in PARTS.tolist()]
    assert [int(row["predicted"]) for row in rows] == areas
    assert (found["map"] > 0.5).sum(dim=(1, 2)).tolist() == areas

    def criterion(logits, planes):
        assert ((logits > 0).sum(dim=(1, 2, 3)) == torch.tensor(areas)).all()
        return logits.mean()

    task.validate(Bright(), criterion, batch)
