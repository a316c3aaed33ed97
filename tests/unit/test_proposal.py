"""A study file proposed from an archive and a table: it loads, and says why."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import propose_study
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, write_csv
from foldwise.proposal.facts import Facts, look
from foldwise.proposal.study import batch_for, propose, side_for, study_text
from foldwise.settings.study import load_study
from foldwise.settings.zones import CHEST
from made import density_archive

FACTS = Facts(
    "images", "paths", "folder", {"label": "x"}, 1000, 500, {"a": 300, "b": 200}, 640, 480, 3
)


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    rows = ["file,grade,subject"]
    for number in range(40):
        image = Image.fromarray(np.full((120, 200), number, np.uint8))
        image.save(tmp_path / "films" / f"{number}.png")
        rows.append(f"{number}.png,{'low' if number % 3 else 'high'},p{number // 2}")
    rows[1] = "0.png,odd,p0"
    (tmp_path / "grades.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_proposal_is_a_sound_study_with_reasons(pictures, capsys):
    assert propose_study.main(["films", "grades.csv", "--name", "grades"]) == 0
    study = load_study("grades")
    columns = study["data"]["columns"]
    assert (columns["image"], columns["label"], columns["patient"]) == ("file", "grade", "subject")
    assert study["data"]["classes"] == {
        "order": ["high", "low"],
        "drop": ["odd"],
        "mapping": {},
    }
    assert (study["image"]["size"], study["image"]["channels"]) == (96, 1)
    assert study["training"]["stop_after"] == "auto"
    text = Path("config/studies/grades.yaml").read_text()
    assert "stop_after: auto  # keeps the last epoch: below 200 groups" in text
    assert study["training"]["batch_size"] * 8 <= 40 * 4 // 5
    said = capsys.readouterr().out
    assert "200 x 120 pixels" in said and "preflight.py grades" in said
    assert propose_study.main(["films", "grades.csv", "--name", "grades"]) == 1
    assert "is there already" in capsys.readouterr().err


def test_films_by_accession_are_found(tmp_path):
    density_archive(tmp_path / "made", patients=8, size=64)
    facts = look(tmp_path / "made/archive", tmp_path / "made/labels.csv")
    assert (facts.reader, facts.format) == ("dicom", "accession")
    assert facts.columns == {"accession": "AccessionNumber", "label": "Classification"}


def test_what_lies_beside_the_images_is_not_counted(tmp_path, pictures):
    density_archive(tmp_path / "made", patients=8, size=64)
    archive, table = tmp_path / "made/archive", tmp_path / "made/labels.csv"
    films = look(archive, table).images
    assert films == len(list(archive.rglob("*.dcm")))
    # A viewer, a report, an index without an ending: most of an export may be such.
    for number in range(2 * films):
        (archive / f"notes_{number}.txt").write_text("a report")
        (archive / f"INDEX{number}").write_text("no image")
    for number in range(2):
        shutil.copy(pictures / "films/1.png", archive / f"logo_{number}.png")
    assert (look(archive, table).reader, look(archive, table).images) == ("dicom", films)
    # As pydicom needs no ending, the reader takes a film that has none.
    one = next(archive.rglob("*.dcm"))
    one.rename(one.with_suffix(""))
    assert look(archive, table).images == films
    for number in range(60):
        (pictures / "films" / f"{number}.json").write_text("{}")
    assert look(pictures / "films", pictures / "grades.csv").images == 40


def test_an_export_named_by_uid_is_found_by_its_headers_and_lost_zeros_by_their_number(tmp_path):
    """The ways in which hospitals' tables and exports miss each other."""
    density_archive(tmp_path / "made", patients=8, size=64)
    archive, table = tmp_path / "made/archive", tmp_path / "made/labels.csv"
    rows = read_csv(table)
    bare = [row | {"AccessionNumber": row["AccessionNumber"].lstrip("0")} for row in rows]
    write_csv(table, list(rows[0]), bare)
    longer = tmp_path / "zeros"
    for folder in archive.iterdir():
        shutil.copytree(folder, longer / f"00{folder.name}")
    facts = look(longer, table)
    assert (facts.format, facts.match) == ("accession", "folder")
    for number, folder in enumerate(sorted(archive.iterdir())):
        folder.rename(archive / f"1.2.826.0.1.{number}")
    facts = look(archive, table)
    assert (facts.columns["accession"], facts.match) == ("AccessionNumber", "header")
    assert "  match: header" in study_text(facts, propose(facts, 1 << 34), "archive", "labels.csv")


def test_what_cannot_be_told_is_asked_for(pictures):
    (pictures / "other.csv").write_text("file,one,two\nx.png,1,2\ny.png,1,3\nz.png,2,2\n")
    with pytest.raises(FoldwiseError, match="no column whose cells are files"):
        look(pictures / "films", pictures / "other.csv")
    (pictures / "other.csv").write_text("file,one,two\n1.png,1,2\n2.png,1,3\n3.png,2,2\n")
    with pytest.raises(FoldwiseError, match=r"2 columns could be the label: one, two\..*--label"):
        look(pictures / "films", pictures / "other.csv")
    assert look(pictures / "films", pictures / "other.csv", "two").classes == {"2": 2, "3": 1}
    dated = "file,one,day\n1.png,1,17.02.1994\n2.png,1,17.02.1994\n3.png,2,1.3.1994\n"
    (pictures / "other.csv").write_text(dated)
    assert look(pictures / "films", pictures / "other.csv").columns["label"] == "one"
    (pictures / "other.csv").write_text("file,one\nfilms/1.png,1\nfilms/2.png,2\n")
    with pytest.raises(FoldwiseError, match=r"begin with films/: name the folder above, \."):
        look(Path("films"), pictures / "other.csv")
    (pictures / "empty").mkdir()
    with pytest.raises(FoldwiseError, match="none that is a DICOM file or a picture"):
        look(pictures / "empty", pictures / "grades.csv")


@pytest.fixture
def masked(tmp_path):
    """Pictures and masks of the same names in two folders, and pictures of no row."""
    for folder in ("pictures", "masks", "other"):
        (tmp_path / folder).mkdir()
        for number in range(12):
            plane = np.full((300, 320), number, np.uint8)
            picture = Image.fromarray(plane if folder == "masks" else np.dstack([plane] * 3))
            picture.save(tmp_path / folder / f"{number}.png")
    rows = [f"masks/{n}.png,pictures/{n}.png,s{n // 3},{n % 2}" for n in range(12)]
    (tmp_path / "tiles.csv").write_text("\n".join(["mask,picture,Specimen,lens", *rows]) + "\n")
    return tmp_path


def test_a_table_of_masks_is_proposed_as_segmentation(masked, monkeypatch):
    monkeypatch.chdir(masked)
    assert propose_study.main([".", "tiles.csv"]) == 0
    study = load_study("mine")
    assert (study["kind"], study["data"]["reader"]) == ("segmentation", "pairs")
    columns = study["data"]["columns"]
    assert (columns["image"], columns["mask"]) == ("picture", "mask")
    assert (columns["patient"], study["folds"]["n"]) == ("Specimen", 4)
    assert study["image"]["size"] == 256 and study["image"]["channels"] == 3
    assert study["training"]["tiles"] | {"size": 128, "per_image": 6} == study["training"]["tiles"]
    assert Path("config/studies/mine.yaml").read_text().splitlines()[1] == "# 12 images, 4 groups"
    # Who names a label wants classes of the same pictures.
    facts = look(masked, masked / "tiles.csv", "lens")
    assert (facts.kind, facts.classes) == ("classification", {"0": 4, "1": 4})
    by_lens = look(masked, masked / "tiles.csv", patient="lens")
    assert by_lens.groups == 2 and propose(by_lens, 1 << 34).folds[0] == 2
    one = Facts(**vars(by_lens) | {"groups": 1})
    with pytest.raises(FoldwiseError, match=r"'lens': two folds need two.*--patient"):
        propose(one, 1 << 34)


def test_scores_of_the_lung_zones_are_proposed_as_zones(pictures):
    scores = ",".join(CHEST)
    rows = [f"{n},1,2,0,3,4,,p{n // 2}" for n in range(40)]
    (pictures / "zones.csv").write_text("\n".join([f"FileID,{scores},PatientID", *rows]) + "\n")
    assert propose_study.main(["films", "zones.csv", "--name", "films"]) == 0
    study = load_study("films")
    assert (study["kind"], study["data"]["reader"]) == ("zones", "zones")
    columns = study["data"]["columns"]
    assert (columns["image"], columns["patient"]) == ("FileID", "PatientID")
    assert look(pictures / "films", pictures / "zones.csv").images == 40


def test_only_pictures_that_the_reader_takes_are_proposed(pictures):
    for path in sorted((pictures / "films").iterdir()):
        path.rename(path.with_suffix(".bmp"))
    with pytest.raises(FoldwiseError, match=r"a picture that is read \(\.jpeg, .*convert them"):
        look(pictures / "films", pictures / "grades.csv")


def test_sizes_follow_the_data_and_the_machine():
    small, large = propose(FACTS, 1 << 34), propose(FACTS, 1 << 28)
    assert large.batch[0] < small.batch[0] <= 32
    assert side_for(FACTS) == 256
    assert propose(FACTS, 1 << 34).stop_after[1].startswith("keeps the best epoch")
    assert batch_for(256, 3, 20, 1 << 40) == 2
    with pytest.raises(FoldwiseError, match="1 classes have two patients"):
        propose(Facts(**vars(FACTS) | {"classes": {"a": 5, "b": 1}}), 1 << 34)
