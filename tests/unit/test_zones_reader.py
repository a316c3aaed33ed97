"""Tables of zone scores: what a cell means, which file a row is, what is wrong and in which row."""

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt
from PIL import Image

from cohorts import ALL, Study
from foldwise.cohort.readers.base import Columns
from foldwise.errors import FoldwiseError
from foldwise.files import write_csv
from foldwise.pixels.decode.zones import Decoder
from foldwise.pixels.nifti import read_nifti
from foldwise.pixels.picture import UnreadableImage
from foldwise.settings.zones import CHEST
from made_zones import zones_archive
from usual import image_settings


@pytest.fixture
def films(tmp_path):
    zones_archive(tmp_path / "made", patients=12)
    return study_of(tmp_path)


def study_of(folder, **data):
    made = folder / "made"
    data = {"columns": {"zones": list(CHEST)}, "classes": {}} | data
    return Study(folder / "r", made, made / "zones.csv", "zones", "paths", data=data)


def lines_of(study):
    return [line.split(";") for line in study.table.read_text().splitlines()[1:]]


def test_scores_as_the_table_has_them_and_empty_is_unknown(films):
    flow = films.cohort()
    assert flow["usable"] == flow["table_rows"] == len(lines_of(films))
    of_sample = {row["sample"]: row for row in films.rows("labels")}
    wanted = {line[0]: line for line in lines_of(films)}
    seen = set()
    for row in films.rows("private/id_map"):
        line = wanted[row["accession"]]
        assert row["patient"] == line[-1]
        one = of_sample[row["sample"]]
        assert [one[zone] for zone in CHEST] == [cell or "4" for cell in line[1:7]]
        lost = [zone for zone, cell in zip(CHEST, line[1:7], strict=True) if not cell]
        assert one["unknown_zones"] == ("+".join(lost) or "none")
        assert int(one["total_score"]) == sum(int(cell) for cell in line[1:7] if cell)
        seen |= set(lost)
    assert seen


def test_png_and_nifti_of_one_picture_are_prepared_alike(tmp_path):
    grey = np.random.default_rng(1).integers(0, 256, (40, 30), np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])  # as ITK writes a plain picture
    nibabel.save(nibabel.Nifti1Image(grey.T, affine), tmp_path / "b.nii.gz")
    settings = image_settings(size=32)
    first, second = (Decoder().read([tmp_path / n], settings) for n in ("a.png", "b.nii.gz"))
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert first.digest == second.digest


@pytest.mark.parametrize("plane", ["LIP", "LPI", "PIL"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("flips", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_nifti_is_turned_as_it_is_looked_at(tmp_path, plane, swapped, flips):
    """However it is stored: columns to the patient's left (or back), rows to the feet (or back)."""
    picture = np.arange(12, dtype=np.int16).reshape(3, 4)
    affine = np.diag([0.0, 0.0, 0.0, 1.0])
    for axis, (world, sign) in enumerate(axcodes2ornt(plane)):
        affine[int(world), axis] = sign
    image = nibabel.Nifti1Image(picture.T[..., None], affine)
    first, second = (1, 0) if swapped else (0, 1)
    turn = [[first, flips[0]], [second, flips[1]], [2, 1]]
    stored = image.as_reoriented(np.array(turn))
    flat = nibabel.Nifti1Image(stored.get_fdata().astype(np.int16)[..., 0], stored.affine)
    nibabel.save(flat, tmp_path / "x.nii")
    np.testing.assert_array_equal(read_nifti(tmp_path / "x.nii").stored, picture)


def test_nifti_without_orientation_and_with_a_slope(tmp_path):
    image = nibabel.Nifti1Image(np.arange(12, dtype=np.int16).reshape(4, 3), None)
    image.header.set_slope_inter(2.0, -5.0)
    image.header["sform_code"] = image.header["qform_code"] = 0
    nibabel.save(image, tmp_path / "x.nii")
    found = read_nifti(tmp_path / "x.nii")
    values = found.stored * found.slope + found.intercept
    np.testing.assert_allclose(values, np.asarray(nibabel.load(tmp_path / "x.nii").dataobj).T)


def test_nifti_that_cannot_be_read_says_why(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 2), np.int16), np.eye(4)), tmp_path / "v.nii")
    colour = np.zeros((4, 4, 1), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(colour, np.eye(4)), tmp_path / "c.nii")
    flat = nibabel.Nifti1Image(np.random.default_rng(1).random((64, 64)), np.eye(4))
    nibabel.save(flat, tmp_path / "f.nii")
    (tmp_path / "t.nii").write_bytes((tmp_path / "f.nii").read_bytes()[:2000])
    nibabel.save(flat, tmp_path / "f.nii.gz")
    (tmp_path / "t.nii.gz").write_bytes((tmp_path / "f.nii.gz").read_bytes()[:4000])
    (tmp_path / "e.nii").write_bytes(b"")
    (tmp_path / "n.nii").write_text("no NIfTI at all")
    wanted = {
        "v.nii": "many_frames",
        "c.nii": "colour",
        "t.nii": "truncated",
        "t.nii.gz": "truncated",
        "e.nii": "empty",
        "n.nii": "not_a_picture",
        "gone.nii": "missing",
    }
    for name, reason in wanted.items():
        with pytest.raises(UnreadableImage) as error:
            read_nifti(tmp_path / name)
        assert (name, error.value.reason) == (name, reason)


def test_what_is_wrong_is_named_with_its_row(tmp_path):
    faults = ["out_of_range", "not_a_number", "no_score", "missing_file", "constant"]
    zones_archive(tmp_path / "made", patients=12, faults=faults)
    study = study_of(tmp_path, **ALL)
    flow = study.cohort()
    assert flow["table_rows"] - flow["usable"] == 4
    found = {(row["reason"], row["row"], row["detail"]) for row in study.rows("private/findings")}
    assert {
        ("score_out_of_range", "2", "right_sup: 5"),
        ("score_out_of_range", "5", "right_sup: two"),
        ("no_label", "8", ""),
        ("no_file", "11", ""),
    } <= found
    assert study.audit()["quarantine"]["constant"] == 1
    assert "cxr_" not in study.public_text()


def test_too_many_bad_rows_stop_with_the_advice(tmp_path):
    zones_archive(tmp_path / "made", patients=8, faults=["out_of_range"])
    with pytest.raises(FoldwiseError, match=r"score that is none of the scale: 1 \(correct it"):
        study_of(tmp_path).cohort()


def test_one_score_everywhere_is_nothing_to_learn(films):
    rows = [
        dict(zip(["FileID", *CHEST, "PatientID"], line, strict=True)) for line in lines_of(films)
    ]
    same = [row | dict.fromkeys(CHEST, "2") for row in rows]
    write_csv(films.table, list(rows[0]), same)
    with pytest.raises(FoldwiseError, match=rf"All labels of {len(rows)} images are 2"):
        films.cohort()


def test_a_name_that_two_files_bear_is_not_chosen_between(films):
    name = lines_of(films)[0][0]
    other = films.root / "more" / f"{name}.png"
    other.parent.mkdir()
    Image.fromarray(np.eye(9, dtype=np.uint8)).save(other)
    study = study_of(films.folder.parent, **ALL)
    study.cohort()
    rows = [row for row in study.rows("private/findings") if row["reason"] == "several_files"]
    assert [row["row"] for row in rows] == ["2"]


def test_other_zones_under_names_of_their_own(tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    rows = []
    for n in range(6):
        Image.fromarray(np.full((8, 8), n, np.uint8) + np.eye(8, dtype=np.uint8)).save(
            folder / f"{n}.png"
        )
        rows.append({"film": f"{n}.png", "who": n // 2, "zone_A": n % 4, "zone_B": ""})
    write_csv(folder / "zones.csv", list(rows[0]), rows)
    study = study_of(tmp_path)
    columns = Columns(image="film", patient="who", zones=("zone_A", "zone_B"))
    assert study.cohort(columns=columns)["usable"] == 6
    assert {row["zone_B"] for row in study.rows("labels")} == {"4"}
    with pytest.raises(FoldwiseError, match=r"no column 'zone_C'.*zone_B.*Columns there"):
        study.cohort(columns=Columns(image="film", zones=("zone_A", "zone_C")))
    with pytest.raises(FoldwiseError, match=r"no image column.*data\.columns\.image"):
        study.cohort(columns=Columns(zones=("zone_A",)))
