"""Writers killed at random points: files stay whole, leftovers are no files and are swept."""

import os
import random
import time

import pytest

from foldwise.cohort.shards import read_lists, read_locations, write_locations
from foldwise.files import (
    is_temporary,
    listed,
    read_json,
    replacing,
    sweep,
    temporaries,
    temporary_of,
)
from killed_writer import is_whole, kill_writer

KILLS = 25


def test_files_stay_whole_and_leftovers_are_no_archives_of_their_own(tmp_path):
    draw, left = random.Random(7), 0
    for _ in range(KILLS):
        kill_writer(tmp_path, draw.uniform(0.02, 0.06))
        assert is_whole(tmp_path)
        left += len(list(temporaries(tmp_path)))
        sweep(tmp_path)
        assert list(temporaries(tmp_path)) == []
    assert left, "no writer was killed while it wrote: the test shows nothing"


@pytest.mark.parametrize("name", [".1.tmp.x.json", ".other.1.abcdef.tmp.x.json"])
def test_what_another_machine_or_version_left_is_no_file_and_goes_after_a_day(tmp_path, name):
    write_locations(tmp_path, "b" * 16, "archive", {"c" * 32: ("1.dcm",)})
    path = tmp_path / "locations" / name
    path.write_text("{")
    (tmp_path / name.replace("json", "txt")).write_text("c" * 32)
    assert set(read_locations(tmp_path)) == {"b" * 16} and read_lists(tmp_path) == {}
    assert listed(tmp_path / "locations", "*.json") == [tmp_path / f"locations/{'b' * 16}.json"]
    assert sweep(tmp_path) == 0  # its writer may be alive, elsewhere
    os.utime(path, (time.time() - 90_000,) * 2)
    assert sweep(tmp_path) == 1 and not path.exists()


def test_a_living_writer_keeps_its_temporary(tmp_path):
    with replacing(tmp_path / "a.json") as temporary:
        temporary.write_text("{}")
        assert is_temporary(temporary) and sweep(tmp_path) == 0
    assert read_json(tmp_path / "a.json") == {}
    assert temporary_of(tmp_path / "a") != temporary_of(tmp_path / "a")
