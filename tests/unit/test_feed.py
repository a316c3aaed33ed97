"""Batches against NumPy: values, sizes, number types, and what a flip does to targets."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from foldwise.train.feed import pixels as pixels_of_a_batch
from foldwise.train.feed.augment import Augmentation
from foldwise.train.feed.feed import Feed
from foldwise.train.feed.normalise import normalisation
from foldwise.train.feed.pixels import OnDevice, Preparation, area_weights
from training import Memory, TinyTask, make_images, make_params, make_rows

CPU = torch.device("cpu")
ROWS = make_rows(12)
TASK = TinyTask(make_params()["task"])


def feed_of(images: Memory, channels: int = 1, **named) -> Feed:
    prepare = Preparation(([0.4] * channels, [0.2] * channels), CPU, **named)
    return Feed(TASK, images, ROWS, TASK.targets(ROWS), prepare)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_values_are_those_of_the_store_normalised(bits, channels):
    images = make_images(ROWS, 16, channels, bits)
    rows = np.array([3, 0, 11])
    batch = feed_of(images, channels).batch(rows, 16)
    expected = (images.pixels[rows] / (2.0**bits - 1) - 0.4) / 0.2
    np.testing.assert_allclose(batch["image"].numpy(), expected, atol=1e-5)
    assert batch["image"].is_contiguous(memory_format=torch.channels_last)
    assert batch["label"].tolist() == [0, 0, 2]
    assert batch["sample_index"].tolist() == [3, 0, 11]


def test_a_smaller_size_is_the_area_mean():
    images = make_images(ROWS, 16)
    batch = feed_of(images).batch(np.arange(4), 8)
    mean = images.pixels[:4].reshape(4, 1, 8, 2, 8, 2).mean(axis=(3, 5))
    expected = (mean / 255 - 0.4) / 0.2
    # Half a grey level of rounding, 1 / 510 / 0.2.
    np.testing.assert_allclose(batch["image"].numpy(), expected, atol=0.5 / 255 / 0.2 + 1e-6)


def test_area_weights_keep_the_mean_at_any_ratio():
    weights = area_weights(16, 6)
    np.testing.assert_allclose(weights.sum(dim=1), 1, rtol=1e-6)
    np.testing.assert_allclose(weights.sum(dim=0), 6 / 16, rtol=1e-6)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("size", [16, 8])
def test_the_way_of_a_gpu_agrees_with_that_of_a_cpu(size, kept, bits, monkeypatch):
    monkeypatch.setattr(pixels_of_a_batch, "free_memory", lambda device: 10**6 * kept)
    pixels = np.repeat(make_images(ROWS, 4, bits=bits).pixels, 4, axis=2).repeat(4, axis=3)
    mask = (pixels > pixels.mean()) * pixels.dtype.type(2**bits - 1)
    both = np.concatenate([pixels, mask], axis=1)
    images = Memory(both, [row["content"] for row in ROWS])
    strengths = Augmentation(0.5, 0.5, 0, 0, 0, 0.1, 0.1)
    feed = feed_of(images, augmentation=strengths, seed=4)
    rows = np.arange(12)
    here = {name: value.clone() for name, value in feed.batch(rows, size, 1).items()}
    prepare = Preparation(([0.4], [0.2]), CPU, strengths)
    feed.pixels = OnDevice(images, rows_of(images), prepare)
    assert (feed.pixels.resident is not None) == kept
    there = feed.batch(rows, size, 1)
    np.testing.assert_allclose(here["image"], there["image"], atol=2e-5)
    np.testing.assert_array_equal(here["planes"], there["planes"])
    assert here["planes"].dtype == there["planes"].dtype
    assert here["planes"].max() == 2**bits - 1


class Copies(TorchDispatchMode):
    """Counts copies from main memory to a device that wait for all that the device has to do."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = self.all = 0

    def __torch_dispatch__(self, operator, types, arguments=(), named=None):
        made = operator(*arguments, **(named or {}))
        name, given = operator.overloadpacket.__name__, named or {}
        source = {"_to_copy": arguments[:1], "copy_": arguments[1:2]}.get(name)
        if source and source[0].device.type == "cpu" and made.device.type != "cpu":
            self.all += 1
            self.waiting += not (given.get("non_blocking") or arguments[2:3] == (True,))
        return made


@pytest.mark.parametrize("size", [16, 8])
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_a_batch_never_waits_for_the_device(size, kept, own, monkeypatch):
    """By value on the device without memory, which computes nothing but knows what is copied."""
    monkeypatch.setattr(pixels_of_a_batch, "free_memory", lambda device: 10**6 * kept)
    images = make_images(ROWS, 16)
    strengths = Augmentation(0.5, 0.5, 5, 0.1, 0.1, 0.1, 0.1)
    meta = torch.device("meta")
    prepare = Preparation(([0.4], [0.2]), meta, strengths, 4, by_picture=own)
    feed = Feed(TASK, images, ROWS, TASK.targets(ROWS), prepare)
    with Copies() as copies:
        batch = feed.batch(np.arange(12), size, 1)
    assert batch["image"].device == meta and batch["image"].shape == (12, 1, size, size)
    assert copies.all > 3 and copies.waiting == 0
    with Copies() as copies:
        torch.ones(1).to(meta)
    assert copies.waiting == 1


def test_nothing_is_drawn_where_nothing_would_change():
    images, rows = make_images(ROWS, 16), np.arange(4)
    plain, drawn = (feed_of(images, augmentation=strengths) for strengths in (None, Augmentation()))
    assert drawn.augmentation is None
    assert torch.equal(plain.batch(rows, 16)["image"], drawn.batch(rows, 16, 1)["image"])
    assert feed_of(images, augmentation=Augmentation(contrast=0.1)).augmentation is not None
    assert feed_of(images, augmentation=Augmentation(), tile=8).augmentation is not None


def rows_of(images: Memory) -> np.ndarray:
    return images.places(ROWS)


def test_a_sample_is_the_same_in_any_batch():
    images = make_images(ROWS, 16)
    strengths = Augmentation(**make_params()["augment"])
    feed = feed_of(images, augmentation=strengths, seed=4)
    alone = feed.batch(np.array([5]), 16, 2)["image"].clone()
    among = feed.batch(np.array([1, 5, 7]), 16, 2)["image"]
    assert torch.equal(alone[0], among[1])
    assert not torch.equal(alone[0], feed.batch(np.array([5]), 16, 3)["image"][0])


def test_a_flip_reaches_the_targets():
    class Sided(TinyTask):
        def flip_targets(self, batch, mirrored):
            return batch | {"label": torch.where(mirrored, 10 + batch["label"], batch["label"])}

    images = make_images(ROWS, 16)
    task = Sided(make_params()["task"])
    strengths = Augmentation(flip_horizontal=0.5)
    prepare = Preparation(([0], [1]), CPU, strengths, 3)
    feed = Feed(task, images, ROWS, task.targets(ROWS), prepare)
    batch = feed.batch(np.arange(12), 16, 1)
    flipped = [
        np.array_equal(image[0].numpy(), np.fliplr(source[0]) / np.float32(255))
        for image, source in zip(batch["image"], images.pixels[rows_of(images)], strict=True)
    ]
    assert [label >= 10 for label in batch["label"].tolist()] == flipped
    assert 0 < sum(flipped) < 12


@pytest.mark.parametrize("bits", [8, 16])
def test_normalisation_is_measured_on_the_rows_alone(bits):
    images = make_images(ROWS, 16, 3, bits)
    chosen = np.array([1, 4, 5])
    mean, std = normalisation("train", images, chosen, 3)
    values = images.pixels[chosen] / (2.0**bits - 1)
    np.testing.assert_allclose(mean, values.mean(axis=(0, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(std, values.std(axis=(0, 2, 3)), rtol=1e-9)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("make", [None, OnDevice])
def test_each_picture_may_be_normalised_by_its_own_levels(bits, make):
    images = make_images(ROWS, 16, 3, bits)
    feed = feed_of(images, 3, by_picture=True)
    if make:
        prepare = Preparation(([0] * 3, [1] * 3), CPU, by_picture=True)
        feed.pixels = make(images, rows_of(images), prepare)
    rows = np.array([7, 2])
    values = images.pixels[rows].astype(np.float64)
    mean, std = (getattr(values, name)(axis=(2, 3), keepdims=True) for name in ("mean", "std"))
    found = feed.batch(rows, 16)["image"].numpy()
    np.testing.assert_allclose(found, (values - mean) / std, atol=2e-5)
    mean_7, std_7 = (np.array(part)[:, None, None] for part in feed.normalisation(7))
    back = (found[0] * std_7 + mean_7) * (2.0**bits - 1)
    np.testing.assert_allclose(back, images.pixels[7], atol=2e-3 * 2 ** (bits - 8))


@pytest.mark.parametrize("make", [None, OnDevice])
def test_a_picture_turned_round_has_the_same_levels_with_the_other_sign(make):
    images = make_images(ROWS, 16)
    strengths = Augmentation(invert=1.0)
    feed = feed_of(images, augmentation=strengths, by_picture=True)
    if make:
        prepare = Preparation(([0], [1]), CPU, strengths, by_picture=True)
        feed.pixels = make(images, rows_of(images), prepare)
    rows = np.arange(12)
    plain = feed.batch(rows, 16)["image"].clone()
    np.testing.assert_allclose(feed.batch(rows, 16, 1)["image"], -plain, atol=1e-4)


def test_crops_are_normalised_by_the_levels_of_the_whole_picture():
    images = make_images(ROWS, 16)
    feed = feed_of(images, augmentation=Augmentation(), tile=8, by_picture=True)
    whole = feed.batch(np.arange(12), 16)["image"].clone()
    crops = feed.batch(np.arange(12), 16, 1)["image"]
    for picture, crop in zip(whole, crops, strict=True):
        assert set(crop.unique().tolist()) <= set(picture.unique().tolist())
        assert len(crop.unique()) > 8


def test_named_normalisations():
    assert normalisation("half", None, None, 3) == ([0.5] * 3, [0.5] * 3)
    assert normalisation("unit", None, None, 1) == ([0.0], [1.0])
    assert normalisation("imagenet", None, None, 3)[0] == [0.485, 0.456, 0.406]
    assert normalisation("imagenet", None, None, 1)[0] == [pytest.approx(0.449)]
    assert normalisation([[0.1, 0.2, 0.3], 0.5], None, None, 3) == ([0.1, 0.2, 0.3], [0.5] * 3)
