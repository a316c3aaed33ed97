"""Texts of new images: read as a study reads its table, and never guessed."""

from pathlib import Path

import pytest

from foldwise.bundle.intake.texts import texts_of
from foldwise.bundle.sources import Image
from foldwise.errors import FoldwiseError


def image(name, folder="a"):
    return Image(folder, f"k{folder}{name}", f"s{folder}{name}", (Path(folder, name),))


def written(folder, text, encoding="utf-8"):
    path = folder / "texts.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(("folders", "rows"), [(("a", "b"), 1), (("a",), 2)])
def test_texts_of_files_of_one_name_are_never_guessed(tmp_path, folders, rows):
    images = [image("1.png", folder) for folder in folders]
    table = written(tmp_path, "file,caption\n" + "1.png,a mass\n" * rows)
    with pytest.raises(FoldwiseError, match=r"more than once.*one folder at a time"):
        texts_of(images, table)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("file;caption;history\nx/1.png; a  m\u00e4ss ;N/A\n2.png;none;-\n", "windows-1252"),
        ("file,caption,history\r\n1.png,a m\u00e4ss,\r\n2.png,,\r\n", "utf-8-sig"),
    ],
)
def test_cells_are_read_as_a_study_reads_them(tmp_path, text, encoding):
    images = [image("1.png"), image("2.png"), image("3.png")]
    found = texts_of(images, written(tmp_path, text, encoding))
    # The second has no text in any column, and the third no row: both are left out.
    assert found == {"sa1.png": {"caption": "a m\u00e4ss", "history": ""}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"is empty \(--texts\)"),
        ("file,caption\n", r"a header and no row \(--texts\)"),
        ("image,caption\n1.png,a mass\n", r"\(--texts\): no column `file`.*image, caption"),
        ("file\n1.png\n", "no column beside `file`"),
        ("file,caption\n9.png,a mass\n", "none of 1 image has a text there"),
        ("file,caption\n1.png,a mass, large\n", "1 row of another number .* in line 2.*quotes"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, message):
    with pytest.raises(FoldwiseError, match=message):
        texts_of([image("1.png")], written(tmp_path, text))


def test_no_table_and_one_that_is_not_there_are_named(tmp_path):
    with pytest.raises(FoldwiseError, match=r"Give --texts table\.csv"):
        texts_of([image("1.png")], None)
    with pytest.raises(FoldwiseError, match=r"No table at .*texts\.csv \(--texts"):
        texts_of([image("1.png")], tmp_path / "texts.csv")
