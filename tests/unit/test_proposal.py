"""A study file proposed from an archive and a table: it loads, and says why."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import propose_study
from foldwise.errors import FoldwiseError
from foldwise.proposal.facts import Facts, look
from foldwise.proposal.study import batch_for, propose, side_for
from foldwise.settings.study import load_study
from made import density_archive

FACTS = Facts("images", "paths", {"label": "x"}, 1000, 500, {"a": 300, "b": 200}, 640, 480, 3)


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
    assert study["training"]["stop_after"] == study["training"]["epochs"]
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


def test_what_cannot_be_told_is_asked_for(pictures):
    (pictures / "other.csv").write_text("file,one,two\nx.png,1,2\ny.png,1,3\nz.png,2,2\n")
    with pytest.raises(FoldwiseError, match="no column whose cells are files"):
        look(pictures / "films", pictures / "other.csv")
    (pictures / "other.csv").write_text("file,one,two\n1.png,1,2\n2.png,1,3\n3.png,2,2\n")
    with pytest.raises(FoldwiseError, match=r"2 columns could be the label.*--label"):
        look(pictures / "films", pictures / "other.csv")
    assert look(pictures / "films", pictures / "other.csv", "two").classes == {"2": 2, "3": 1}
    (pictures / "other.csv").write_text("file,one\nfilms/1.png,1\nfilms/2.png,2\n")
    with pytest.raises(FoldwiseError, match=r"begin with films/: name the folder above, \."):
        look(Path("films"), pictures / "other.csv")
    (pictures / "empty").mkdir()
    with pytest.raises(FoldwiseError, match="none that is a DICOM file or a picture"):
        look(pictures / "empty", pictures / "grades.csv")


def test_sizes_follow_the_data_and_the_machine():
    small, large = propose(FACTS, 1 << 34), propose(FACTS, 1 << 28)
    assert large.batch[0] < small.batch[0] <= 32
    assert side_for(FACTS) == 256
    assert propose(FACTS, 1 << 34).stop_after[0] is None
    assert batch_for(256, 3, 20, 1 << 40) == 2
    with pytest.raises(FoldwiseError, match="1 classes have two patients"):
        propose(Facts(**vars(FACTS) | {"classes": {"a": 5, "b": 1}}), 1 << 34)
