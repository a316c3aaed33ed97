"""The made-up bead tiles: masks fit, one threshold does poorly, the same every time."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, label
from skimage.filters import threshold_otsu

from made_segmentation import MASK_FAULTS, segmentation_archive
from phantoms.beads import draw_specimen, micrograph
from phantoms.catalogue import make
from phantoms.segmentation import make_segmentation

SIZE, SEED = 96, 2


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("beads")
    make("segmentation", folder, patients=10, seed=SEED, size=SIZE)
    return folder


def pairs(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    rows = csv.DictReader((folder / "tiles.csv").open())
    return [
        tuple(np.asarray(Image.open(folder / row[k])) for k in ("image", "mask")) for row in rows
    ]


def overlap(found: np.ndarray, mask: np.ndarray) -> float:
    return (found & mask).sum() / max((found | mask).sum(), 1)


def test_tiles_are_colour_pictures_with_masks_of_two_values(archive):
    rows = list(csv.DictReader((archive / "tiles.csv").open()))
    assert len(rows) == 40
    assert len({row["specimen"] for row in rows}) == 10
    for picture, mask in pairs(archive):
        assert picture.shape == (SIZE, SIZE, 3)
        assert mask.shape == (SIZE, SIZE)
        assert set(np.unique(mask)) <= {0, 255}
    shares = [mask.mean() / 255 for _, mask in pairs(archive)]
    assert max(shares) > 10 * max(min(shares), 0.001)


def test_one_threshold_for_the_picture_does_poorly_and_a_flat_field_helps(archive):
    plain, flattened = [], []
    for picture, mask in pairs(archive):
        green = picture[..., 1].astype(float)
        darker = gaussian_filter(green, SIZE / 10) - green
        plain.append(overlap(green < threshold_otsu(green), mask > 0))
        flattened.append(overlap(darker > threshold_otsu(darker), mask > 0))
    assert np.mean(plain) < 0.4 < np.mean(flattened) < 0.75


def test_masks_lie_on_the_beads():
    specimen = draw_specimen(11)
    picture, mask = micrograph(specimen, 256)
    inside, around = mask > 0, gaussian_filter((mask > 0).astype(float), 6) > 0.1
    ring = around & ~inside
    assert picture[inside].mean() < picture[ring].mean() - 0.04
    assert 1 < label(inside)[1] <= specimen.beads


def test_equal_seeds_give_equal_bytes(archive, tmp_path):
    make_segmentation(tmp_path, 10, SEED, SIZE)
    pictures = sorted(archive.rglob("*.png"))
    assert len(pictures) >= 10
    for path in [*pictures, archive / "tiles.csv"]:
        assert (tmp_path / path.relative_to(archive)).read_bytes() == path.read_bytes()


def test_faults_can_be_asked_for(tmp_path):
    folder = segmentation_archive(tmp_path, 2, 64, faults=MASK_FAULTS)
    names = {kind: {p.name for p in (folder / kind).iterdir()} for kind in ("images", "masks")}
    assert len(names["images"] ^ names["masks"]) == 2
