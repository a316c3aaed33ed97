"""Writers killed at random points: files stay whole, leftovers are no files and are swept."""

import os
import random
import signal
import time
from pathlib import Path

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
    write_json,
)

KILLS = 25


def write_for_ever(folder: Path) -> None:
    """Locations and a list, over and over, until killed."""
    number = 0
    while True:
        number += 1
        files = {f"{n:032x}": (f"{number}/{n}.dcm",) for n in range(3000)}
        write_locations(folder, "a" * 16, str(folder), files)
        write_json(folder / "list.json", {"number": number, "files": list(files)})


def killed_writer(folder: Path, seconds: float) -> None:
    """A process that writes, and is killed after these seconds."""
    pid = os.fork()
    if not pid:
        write_for_ever(folder)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_files_stay_whole_and_leftovers_are_no_archives_of_their_own(tmp_path):
    draw, left = random.Random(7), 0
    for _ in range(KILLS):
        killed_writer(tmp_path, draw.uniform(0.02, 0.06))
        assert set(read_locations(tmp_path)) <= {"a" * 16}
        if (tmp_path / "list.json").exists():
            assert len(read_json(tmp_path / "list.json")["files"]) == 3000
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
