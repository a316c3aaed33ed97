"""The second made-up hospital: other patients, another scanner's look, and a study that fits it."""

import copy

import numpy as np
import pydicom
import pytest

from flow import ROOT
from foldwise.cohort.tables.table import read_table
from foldwise.settings.study import load_study
from phantoms.catalogue import make
from phantoms.density import draw_film, plan_exams
from phantoms.fields import generator
from phantoms.site_b import UNITS, scanned
from usual import table_settings

SIZE, SEED = 64, 3


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """Both hospitals, as `make_demo.py` writes them."""
    folder = tmp_path_factory.mktemp("sites")
    for study in ("density", "density_site_b"):
        make(study, folder / study, patients=12, seed=SEED, size=SIZE)
    return folder


def headers(folder):
    return [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]


def test_its_patients_exams_and_pixels_are_others(sites):
    first, second = (headers(sites / name) for name in ("density", "density_site_b"))
    for name in (
        "PatientID",
        "AccessionNumber",
        "SOPInstanceUID",
        "InstitutionName",
        "Manufacturer",
    ):
        assert not {one[name].value for one in first} & {one[name].value for one in second}, name
    assert {one.Modality for one in second} == {"MG"}
    pixels = [{one.PixelData for one in side} for side in (first, second)]
    assert not pixels[0] & pixels[1]


def test_equal_seeds_give_equal_bytes(sites, tmp_path):
    make("density_site_b", tmp_path / "again", patients=12, seed=SEED, size=SIZE)
    made = sites / "density_site_b"
    paths = [path for path in sorted(made.rglob("*")) if path.suffix in (".dcm", ".csv")]
    assert {path.suffix for path in paths} == {".dcm", ".csv"}
    for path in paths:
        again = tmp_path / "again" / path.relative_to(made)
        assert again.read_bytes() == path.read_bytes()


def test_its_scanners_look_otherwise_and_one_is_noisier():
    exam = plan_exams(4, SEED)[0]
    film = draw_film(exam, "CC", "L", 128)
    north, south = (scanned(film, unit, generator(1, unit)) for unit in UNITS)
    tissue = film > 0.2
    assert north[tissue].mean() < film[tissue].mean() - 0.05
    assert north[film == 0].mean() < 0.02
    rough = [np.abs(np.diff(one, axis=0))[tissue[1:]].mean() for one in (north, south)]
    assert rough[1] > 2 * rough[0]


def test_its_table_names_the_units(sites):
    table = read_table(table_settings(str(sites / "density_site_b/labels.csv"), "accession"))
    assert {row.get("Unit") for row in table.rows} == set(UNITS)


def test_its_study_fits_the_demos_bundle(monkeypatch):
    """The bundle is made by `make demo`; what it says of the demo's study is enough here."""
    monkeypatch.chdir(ROOT)
    demo = load_study("demo_density", ROOT / "config/studies")
    params = {name: copy.deepcopy(demo[name]) for name in ("image", "model", "loss", "training")}
    manifest = {
        "params": params | {"kind": demo["kind"], "seed": demo["seed"], "task": {}},
        "classes": {"": demo["data"]["classes"]["order"]},
        "looks": {"modality": {"MG": 288}, "colour": {"grey": 288}},
        "overlap": None,
    }
    monkeypatch.setattr("foldwise.settings.validation.read_manifest", lambda path: manifest)
    study = load_study("demo_site_b", ROOT / "config/sites")
    assert study["validate"]["bundle"].startswith("results/demo_density/bundle/")
    assert study["image"] == demo["image"]
    assert study["data"]["classes"]["order"] == list("ABCD")
    assert study["data"]["modalities"] == ["MG"]
