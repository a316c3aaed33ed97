"""Maps over thumbnails: on their own sample, in their place, small, and their switch's name."""

import base64

import cv2
import numpy as np
import pytest

from foldwise.files import write_csv, write_json
from foldwise.report.cases import thumbnails
from foldwise.report.explorer import overlays
from made_masks import mask_images, mask_rows
from training import Memory, make_rows


def read(content):
    return cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_predicted_map_is_of_its_own_sample_and_in_its_place(tmp_path):
    rows = [{"sample": f"s{n}", "fold": 1} for n in range(3)]
    maps = np.zeros((3, 400, 400), np.uint8)
    for n in range(3):
        maps[n, :, n * 120 : n * 120 + 100] = 255
    write_csv(tmp_path / "p.csv", ["sample", "fold"], rows)
    np.save(tmp_path / "m.npy", maps)
    found = overlays.predicted_maps([tmp_path / "p.csv"], [tmp_path / "m.npy"], {})
    for n in range(3):
        shown = read(found[f"s{n}"]["prediction"])
        assert shown.shape == (overlays.SIDE, overlays.SIDE, 4)
        columns = np.flatnonzero(shown[50, :, 3] > overlays.OPAQUE / 2) * 400 / overlays.SIDE
        assert abs(columns.min() - n * 120) < 3 and abs(columns.max() - (n * 120 + 100)) < 3
    assert len(found["s0"]["prediction"]) < 700


def test_a_task_without_maps_has_none(tmp_path):
    write_csv(tmp_path / "p.csv", ["sample"], [{"sample": "s"}])
    np.save(tmp_path / "m.npy", np.empty((1, 0), np.uint8))
    assert overlays.predicted_maps([tmp_path / "p.csv"], [tmp_path / "m.npy"], {}) == {}


def test_gradcam_of_each_part_under_its_name(tmp_path):
    films = [{"sample": "a"}, {"sample": "b", "part": "left"}, {"sample": "b", "part": "right"}]
    write_json(tmp_path / "gradcam.json", {"films": films})
    maps = np.full((3, 8, 8), 255, np.uint8)
    np.savez_compressed(tmp_path / "gradcam.npz", films=maps, maps=maps)
    found = overlays.gradcam_maps([tmp_path / "gradcam.json"], {})
    assert {sample: sorted(named) for sample, named in found.items()} == {
        "a": ["Grad-CAM"],
        "b": ["Grad-CAM, left", "Grad-CAM, right"],
    }


def test_the_true_mask_is_an_outline_around_the_object():
    rows = mask_rows(3)
    images = mask_images(rows, 64)
    found = overlays.true_masks(images, rows, channels=1)
    for row in rows:
        truth = images.pixels[images.where[row["content"]], 1] != 0
        edge = read(found[row["sample"]]["truth"])[..., 3] > 0
        assert edge.any() and truth[edge].all()
        # Filled again it is the mask.
        contours, _ = cv2.findContours(edge.astype(np.uint8), cv2.RETR_EXTERNAL, 2)
        filled = cv2.drawContours(np.zeros(truth.shape, np.uint8), contours, -1, 1, -1)
        assert np.mean(filled == truth) > 0.98
    assert overlays.true_masks(images, rows, channels=2) == {}


def test_of_a_picture_smaller_than_its_square_only_the_picture_is_shown(tmp_path):
    pixels = np.zeros((1, 2, 64, 64), np.uint8)
    pixels[0, 0, 16:48, 22:42], pixels[0, 1, 16:48, 22:42] = 200, 1
    parts = np.array([[16, 48, 22, 42]])
    row = make_rows(1)[0]
    images = Memory(pixels, [row["content"]], parts)
    shares = overlays.shares_of(images, [row])
    assert shares == {row["sample"]: 0.5}
    for side in (64, 32):
        # A map of another side than the stored picture, as of a network kept at a smaller one.
        values = cv2.resize(pixels[0, 1] * 255, (side, side), interpolation=cv2.INTER_AREA)
        np.save(tmp_path / "m.npy", values[None])
        write_csv(tmp_path / "p.csv", ["sample"], [{"sample": row["sample"]}])
        found = overlays.predicted_maps([tmp_path / "p.csv"], [tmp_path / "m.npy"], shares)
        shown = read(found[row["sample"]]["prediction"])[..., 3] > overlays.OPAQUE / 2
        assert shown.shape == (side // 2, side // 2)
        assert shown.mean() == pytest.approx(20 / 32, abs=0.1)
    (thumbnail,) = thumbnails(images, [row], 1)
    assert (read(thumbnail).reshape(32, 32, -1)[..., 0] > 100).mean() == pytest.approx(
        20 / 32, abs=0.1
    )
    edge = read(overlays.true_masks(images, [row], 1)[row["sample"]]["truth"])[..., 3] > 0
    assert edge.shape == (32, 32)
    assert edge[:, 6].all() and edge[:, 25].all() and not edge[:, :6].any()


@pytest.mark.parametrize("side", [100, 112, 200, 224, 448])
def test_each_width_of_a_picture_is_shown_whole_and_without_its_margin(side):
    """As floats some shares of whole pixels come out a little above them."""
    pixels = np.zeros((side, 1, side, side), np.uint8)
    widths = np.arange(1, side + 1)
    first = (side - widths) // 2
    parts = np.stack([first, first + widths, first, first + widths], axis=1)
    rows = [{"sample": str(n), "content": str(n)} for n in range(side)]
    images = Memory(pixels, [row["content"] for row in rows], parts)
    shares = overlays.shares_of(images, rows)
    shown = [overlays.middle(pixels[0, 0], shares.get(row["sample"], 1)) for row in rows]
    assert [one.shape for one in shown] == [(width, width) for width in widths]


def test_a_small_object_of_a_large_picture_stays():
    mask = np.zeros((1024, 1024), np.uint8)
    mask[500:512, 300:312] = 1
    assert (read(overlays.outline(mask))[..., 3] > 0).any()
