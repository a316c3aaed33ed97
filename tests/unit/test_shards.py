"""Shards: lists of contents that never change, and where their files are."""

import os
import shutil

import pytest

from cohorts import Study, id_map_of, table_of, write_table
from foldwise.cohort.shards import split_evenly
from foldwise.errors import FoldwiseError


def test_shards_hold_each_image_once_in_the_row_that_is_named(study):
    study.cohort()
    lists = study.folder / "cache" / "lists"
    rows = study.rows("images")
    assert len(rows) > 10
    for row in rows:
        held = (lists / f"{row['shard']}.txt").read_text().split()
        assert held[int(row["row"])] == row["content"]


@pytest.mark.parametrize(
    ("images", "sizes"),
    [
        (1, [1]),
        (31, [31]),
        (32, [16, 16]),
        (64, [16] * 4),
        (1024, [256] * 4),
        (1025, [205] * 5),
        (100, [25] * 4),
    ],
)
def test_sizes_of_shards(images, sizes):
    contents = [f"{number:032x}" for number in range(images)]
    parts = split_evenly(contents)
    assert [len(part) for part in parts] == sizes
    assert [one for part in parts for one in part] == contents


def lists_of(study):
    return {path.stem: path.read_text() for path in (study.folder / "cache/lists").glob("*.txt")}


def test_one_more_patient_is_one_more_small_shard(study):
    patient = {row["accession"]: row["patient"] for row in id_map_of(study)}
    rows = table_of(study)
    shutil.rmtree(study.folder)
    last = patient[rows[-1]["AccessionNumber"]]
    write_table(study, [row for row in rows if patient[row["AccessionNumber"]] != last])
    study.cohort()
    before, known = lists_of(study), {row["content"] for row in study.rows("images")}
    write_table(study, rows)
    study.cohort()
    after, whole = lists_of(study), {row["content"] for row in study.rows("images")}
    (added,) = set(after) - set(before)
    assert before.items() <= after.items()
    assert set(after[added].split()) == whole - known


def test_two_studies_on_one_archive_share_shards_and_reading(study):
    assert study.cohort(views=("CC",))["usable"]
    other = Study(study.folder, study.root, study.table, name="other")
    other.cohort()
    shards = {row["content"]: row["shard"] for row in other.rows("images")}
    for row in study.rows("images"):
        assert shards[row["content"]] == row["shard"]
    # The first study's images are still found after the second wrote its own.
    study.decode()
    other.decode()
    assert study.decoded + other.decoded == len(other.rows("images"))


def test_a_list_that_nothing_can_fill_any_more_is_not_used(study):
    study.cohort()
    lost = study.rows("private/id_map")[0]
    (study.root / lost["file"]).unlink()
    study.cohort()
    study.decode()  # Would stop if a shard had to be made of a file that is gone.
    assert lost["content"] not in {row["content"] for row in study.rows("images")}


def test_a_changed_file_is_another_content(study):
    study.cohort()
    row = study.rows("private/id_map")[0]
    path = study.root / row["file"]
    path.write_bytes(path.read_bytes() + b"\0\0")
    study.cohort()
    contents = {one["file"]: one["content"] for one in study.rows("private/id_map")}
    assert contents[row["file"]] != row["content"]


def test_images_that_are_in_no_archive_any_more_are_counted_not_named(study):
    study.cohort()
    file = study.rows("private/id_map")[0]["file"]
    (study.root / file).unlink()
    with pytest.raises(FoldwiseError, match=r"1 of \d+ images of this cache shard") as raised:
        study.decode()
    assert file not in str(raised.value)


def test_a_file_replaced_after_the_listing_never_takes_its_place(study):
    """Sound pixels of another patient under a content of the archive's list."""
    study.cohort()
    rows = {row["sample"]: row for row in id_map_of(study)}
    names = sorted(row["file"] for row in rows.values())
    first, second = (study.root / name for name in (names[0], names[-1]))
    about = first.stat()
    shutil.copy(second, first)
    os.utime(first, ns=(about.st_atime_ns, about.st_mtime_ns))
    with pytest.raises(FoldwiseError, match="other bytes than when the archive was listed"):
        study.decode()
