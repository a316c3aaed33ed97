"""No digest that could be tried against guesses stands outside private/, and none is missed."""

import hashlib

import pytest

from folding import fold_settings
from foldwise.cohort.identity import Names, load_key
from foldwise.contents import public_content, read_cohort
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv
from foldwise.folds.assign import make_folds
from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.digest import pixel_digest


def outside(folder):
    """Names and bytes of all files that stand in no folder named private."""
    paths = [path for path in sorted(folder.rglob("*")) if "private" not in path.parts]
    bodies = (path.read_bytes() for path in paths if path.is_file())
    return b"\n".join([*(str(path).encode() for path in paths), *bodies])


def test_no_plain_digest_of_a_file_or_its_pixels_leaves_private(study):
    study.cohort()
    study.audit()
    make_folds(fold_settings(n=2), study.results / "cohort.csv", study.results / "folds")
    text = outside(study.folder)
    for path in study.root.rglob("*.dcm"):
        file = hashlib.sha256(path.read_bytes()).hexdigest()
        shown = pixel_digest(read_picture(path))
        assert file[:16].encode() not in text and shown[:16].encode() not in text
    assert b"k" in text and len(read_csv(study.results / "private/contents.csv")) > 10


def test_a_cohort_is_read_with_plain_contents_in_their_order(study):
    study.cohort()
    study.audit()
    rows = read_cohort(study.results / "cohort.csv")
    files = {row["sample"]: row["file"] for row in study.rows("private/id_map")}
    names = Names(load_key(study.folder / "private"))
    for row in rows:
        plain = hashlib.sha256((study.root / files[row["sample"]]).read_bytes()).hexdigest()[:32]
        assert (row["content"], public_content(row)) == (plain, names.content(plain))
    assert rows == sorted(rows, key=lambda row: row["content"])
    assert [row["content"] for row in study.rows("cohort")] == [row["keyed"] for row in rows]


def test_folds_are_equal_under_another_key(study):
    found = []
    for turn in range(2):
        study.name = f"study{turn}"
        (study.folder / "private" / "key").unlink(missing_ok=True)
        study.cohort()
        study.audit()
        folder = study.results / "folds"
        make_folds(fold_settings(n=3), study.results / "cohort.csv", folder)
        fold = {row["sample"]: row["fold"] for row in read_csv(folder / "folds.csv")}
        rows = read_cohort(study.results / "cohort.csv")
        found.append({row["content"]: fold[row["sample"]] for row in rows})
    assert found[0] == found[1] and len(set(found[0].values())) == 3


@pytest.mark.parametrize("spoil", ["lost", "cut"])
def test_a_private_list_that_is_lost_or_cut_is_named(study, spoil):
    study.cohort()
    study.audit()
    path = study.results / "private" / "contents.csv"
    whole = path.read_text()
    path.unlink() if spoil == "lost" else path.write_text(whole[: len(whole) // 2])
    with pytest.raises(FoldwiseError, match=r"contents.csv lacks \d+ of \d+ samples.*--forcerun"):
        read_cohort(study.results / "cohort.csv")
