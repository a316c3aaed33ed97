"""The made-up chest films: readable by others, scores in the pictures, the same every time."""

import csv
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from made_zones import ZONE_FAULTS, zones_archive
from phantoms.catalogue import make
from phantoms.chest import ZONES, draw_chest, film, zone_limits
from phantoms.fields import levels
from phantoms.zones import draw_scored, make_zones, plan_zones

SIZE, SEED = 64, 4


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zones")
    make("zones", folder, patients=12, seed=SEED, size=SIZE)
    return folder


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "zones.csv").open(), delimiter=";"))


def test_every_row_has_a_film_that_others_read_as_it_was_drawn(archive):
    films = {scored.name: scored for scored in plan_zones(12, SEED)}
    kinds = Counter()
    for row in rows_of(archive):
        picture = draw_scored(films[row["FileID"]], SIZE)
        (path,) = (archive / "images").glob(row["FileID"] + ".*")
        kinds[path.suffix] += 1
        if path.suffix == ".png":
            np.testing.assert_array_equal(np.asarray(Image.open(path)), levels(picture, 8))
        else:
            image = nibabel.load(path)
            assert image.shape == (SIZE, SIZE)
            assert nibabel.aff2axcodes(image.affine)[:2] == ("L", "I")
            np.testing.assert_array_equal(np.asarray(image.dataobj).T, levels(picture, 12))
    assert kinds[".gz"] >= 4 <= kinds[".png"]


def test_table_has_all_scores_unknown_zones_and_patients_with_several_films():
    films = plan_zones(60, SEED)
    scores = Counter(score for scored in films for score in scored.scores.values())
    assert set(scores) == {0, 1, 2, 3, None}
    assert min(scores.values()) > 0.05 * scores.total()
    assert len({scored.patient for scored in films}) == 60 < len(films)
    patterns = {tuple(v is None for v in scored.scores.values()) for scored in films}
    assert len(patterns) >= 5


def test_each_score_is_worse_to_look_through_in_its_own_zone():
    chest, lungs = draw_chest(7), {"right": slice(16, 44), "left": slice(84, 112)}
    limits = (zone_limits(chest) * 128).astype(int)
    for zone in ZONES:
        side, height = zone.split("_")
        at = {"sup": 0, "mid": 1, "inf": 2}[height]
        place = (slice(limits[at] + 4, limits[at + 1] - 4), lungs[side])
        clear = dict.fromkeys(ZONES, 0.0)
        greys = [film(chest, clear | {zone: value}, 128)[place].mean() for value in (0, 1, 2, 3)]
        assert np.all(np.diff(greys) > 0.01), zone


def test_equal_seeds_give_equal_bytes(archive, tmp_path):
    make_zones(tmp_path, 12, SEED, SIZE)
    for path in (archive / "images").iterdir():
        assert (tmp_path / "images" / path.name).read_bytes() == path.read_bytes()
    assert (tmp_path / "zones.csv").read_bytes() == (archive / "zones.csv").read_bytes()


def test_faults_can_be_asked_for(tmp_path):
    folder = zones_archive(tmp_path, 12, SIZE, faults=ZONE_FAULTS)
    assert {"5", "two"} <= {row["right_sup"] for row in rows_of(folder)}
    assert len(list((folder / "images").iterdir())) == len(rows_of(folder)) - 1
