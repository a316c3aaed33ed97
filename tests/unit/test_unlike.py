"""Images unlike those that a bundle was trained on, by their headers: kept out, with the reason."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from cohorts import first_file, table_of
from dicoms import write
from foldwise.bundle.predict import Request, predict
from foldwise.cohort.archive import HeaderFacts
from foldwise.cohort.codes import Wanted, colour_of, looks_of, modality_of
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv
from foldwise.settings.bundle_file import read_manifest
from foldwise.settings.validation import images_wanted, with_bundle
from made_bundles import make

LOOKS = {"modality": {"": 2, "MG": 22}, "colour": {"grey": 24}}
COLOUR = {"PhotometricInterpretation": "RGB"}


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """A bundle of mammograms, as if its pictures had been DICOM."""
    return make(tmp_path_factory.mktemp("bundle"), looks=LOOKS)


def film(path: Path, colour: bool = False, **named: str) -> Path:
    """A DICOM file of noise; each of its own, so that none is taken for a copy."""
    random = np.random.default_rng(sum(map(ord, path.name)))
    size = (44, 40, 3) if colour else (44, 40)
    write(path, random.integers(0, 256, size, dtype=np.uint8), "raw", 8, **named)
    return path


@pytest.fixture
def films(tmp_path):
    """One film that fits and four that do not, or say nothing."""
    folder = tmp_path / "in"
    folder.mkdir()
    film(folder / "fits.dcm", Modality="MG")
    film(folder / "silent.dcm", Modality="OT")
    film(folder / "ultrasound.dcm", Modality="US")
    film(folder / "named.dcm", Modality="MG", BurnedInAnnotation="YES")
    film(folder / "screenshot.dcm", colour=True, Modality="MG")
    return folder


def predicted(bundled, films, out, **more):
    predict(Request(str(bundled.bundle), (str(films),), out, reader="dicom", **more))
    private = read_csv(out.parent / "private" / out.stem / "files.csv")
    name_of = {row["sample"]: Path(row["file"]).stem for row in private}
    quarantine = read_csv(out.with_name(f"{out.stem}_quarantine.csv"))
    return (
        {name_of[row["sample"]] for row in read_csv(out)},
        {name_of[row["sample"]]: (row["reason"], row["meaning"]) for row in quarantine},
    )


def test_what_is_unlike_the_training_goes_to_quarantine(bundled, films, tmp_path, caplog):
    there, quarantine = predicted(bundled, films, tmp_path / "p.csv")
    assert there == {"fits", "silent"}
    reasons = {name: reason for name, (reason, _) in quarantine.items()}
    assert reasons == {
        "ultrasound": "other_modality",
        "named": "burned_in",
        "screenshot": "other_photometric",
    }
    assert "(MG)" in quarantine["ultrasound"][1]
    assert "--allow burned_in" in caplog.text


def test_each_may_be_allowed(bundled, films, tmp_path):
    there, quarantine = predicted(
        bundled,
        films,
        tmp_path / "p.csv",
        allow=("burned_in", "other_modality", "other_photometric"),
    )
    assert len(there) == 5 and not quarantine


def test_none_that_fits_is_said_with_the_reason(bundled, films, tmp_path):
    for name in ("fits", "silent", "named", "screenshot"):
        (films / f"{name}.dcm").unlink()
    with pytest.raises(
        FoldwiseError, match=r"None of 1 image can be predicted: .*modality.*\(MG\)"
    ):
        predicted(bundled, films, tmp_path / "p.csv")


def test_pixels_with_text_burned_in_reach_no_cache(bundled, films, tmp_path):
    for path in films.iterdir():
        if path.stem not in ("named", "fits"):
            path.unlink()
    predicted(bundled, films, tmp_path / "p.csv")
    shards = list((tmp_path / "private/p/images").rglob("*.npy"))
    assert sum(len(np.load(path)) for path in shards) == 1


def test_a_site_takes_what_the_bundle_was_trained_on(bundled):
    data = {"reader": "dicom", "root": "x", "table": {"path": "t.csv"}}
    raw = {"validate": {"bundle": str(bundled.bundle)}, "data": data}
    found = with_bundle(raw, "site.yaml")["data"]
    assert (found["modalities"], found["colour"]) == (["MG"], "quarantine")
    own = with_bundle(raw | {"data": data | {"modalities": ["CR"]}}, "site.yaml")["data"]
    assert own["modalities"] == ["CR"]


def test_a_bundle_that_tells_nothing_keeps_nothing_out(bundled):
    manifest = read_manifest(bundled.bundle) | {"looks": {"modality": {"": 9}, "colour": {}}}
    assert images_wanted(manifest) == {"modalities": [], "colour": "allow"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Modality": "US"}, "other_modality"),
        (COLOUR, "other_photometric"),
        ({"BurnedInAnnotation": "YES"}, "burned_in"),
    ],
)
def test_a_cohort_keeps_them_in_quarantine(study, change, reason):
    path = first_file(study, table_of(study)[0]["AccessionNumber"])
    dataset = pydicom.dcmread(path)
    for name, value in change.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    before = study.cohort(max_quarantine=1.0, wanted=Wanted(burned_in=True))
    assert before["quarantine"] == {}
    flow = study.cohort(max_quarantine=1.0, wanted=Wanted(("MG",), grey=True))
    assert flow["quarantine"] == {reason: 1}
    assert flow["looks"]["modality"] == {"MG": flow["usable"]}


def test_only_dicoms_own_terms_leave_a_header():
    assert modality_of(" mg ") == "MG"
    assert modality_of("OT") == modality_of("Smith^John") == ""
    assert [colour_of(one) for one in ("MONOCHROME1", "YBR_FULL_422", "PALETTE COLOR", "?")] == [
        "grey",
        "colour",
        "colour",
        "",
    ]
    facts = [
        HeaderFacts(modality="MG", photometric="MONOCHROME2"),
        HeaderFacts(modality="Smith^John"),
    ]
    assert looks_of(facts) == {"modality": {"": 1, "MG": 1}, "colour": {"": 1, "grey": 1}}
