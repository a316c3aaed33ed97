"""Shards: what is written is what is read, faults leave zeros, a kill leaves nothing broken."""

import faulthandler
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from foldwise.errors import FoldwiseError
from foldwise.files import read_json
from foldwise.integrity import read_sealed
from foldwise.pixels.cache import Crew, Images, write_shard
from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.prepared import Prepared

SHAPE = (1, 6, 5)


def made(content: str) -> Prepared:
    """Pixels that follow from the name; names with x or p cannot be read, with k end it."""
    if "p" in content:
        raise UnreadableImage(content[2:])
    if "x" in content:
        raise UnreadableImage("truncated")
    if "k" in content:
        faulthandler.disable()  # pytest's, which would print the crash as one of the tests
        os.kill(os.getpid(), getattr(signal, content[2:]))
    if "e" in content:
        raise ValueError("CANARY")
    if "s" in content:
        time.sleep(0.01)
    pixels = np.full(SHAPE, int(content[-1]), np.uint8)
    return Prepared(pixels, content, {"rows": 6})


def write(folder: Path, shard: str, contents: list[str], workers: int = 1) -> list[dict]:
    paths = folder / f"{shard}.npy", folder / f"{shard}.json"
    return write_shard(made, contents, SHAPE, np.uint8, paths, Crew(workers))


@pytest.mark.parametrize("workers", [1, 3])
def test_rows_hold_pixels_or_reason(tmp_path, workers):
    rows = write(tmp_path, "a", ["c3", "cx", "c7"], workers)
    assert [row["status"] for row in rows] == ["ok", "truncated", "ok"]
    assert read_sealed(tmp_path / "a.json")["rows"] == rows
    assert np.load(tmp_path / "a.npy")[:, 0, 0, 0].tolist() == [3, 0, 7]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_decoder_that_crashes_costs_one_row(tmp_path, workers):
    rows = write(tmp_path, "a", ["c1", "ckSIGSEGV", "c2", "c3"], workers)
    assert [row["status"] for row in rows] == ["ok", "decoder_crashed", "ok", "ok"]
    assert np.load(tmp_path / "a.npy")[:, 0, 0, 0].tolist() == [1, 0, 2, 3]


def test_a_decoder_that_never_ends_is_ended(tmp_path):
    rows = write(tmp_path, "a", ["c1", "ckSIGPROF"])  # the signal of the CPU timer
    assert rows[1]["status"] == "too_slow"


def test_lack_of_memory_is_no_fault_of_a_picture(tmp_path):
    with pytest.raises(FoldwiseError, match="mem_mb"):
        write(tmp_path, "a", ["c1", "ckSIGKILL"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reason", ["missing_decoder", "out_of_memory", "missing", "changed"])
def test_what_passes_is_no_verdict_on_a_picture(tmp_path, reason):
    with pytest.raises(FoldwiseError, match=r"1 of 3 images .* Then run the same command again"):
        write(tmp_path, "a", ["c1", f"cp{reason}", "cx"])
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_ours_is_told_by_place_not_by_text(tmp_path):
    with pytest.raises(RuntimeError, match="ValueError in made") as info:
        write(tmp_path, "a", ["c1", "ce"])
    assert "CANARY" not in str(info.value)


def test_several_writers_killed_at_any_moment_leave_whole_files(tmp_path):
    contents = [f"cs{number % 10}" for number in range(20)]
    context = multiprocessing.get_context("fork")
    luck = random.Random(0)
    for _ in range(12):
        writers = [
            context.Process(target=write, args=(tmp_path, "a", contents, 2)) for _ in range(2)
        ]
        for writer in writers:
            writer.start()
        time.sleep(luck.random() * 0.4)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
        if (tmp_path / "a.npy").exists():
            assert np.load(tmp_path / "a.npy")[:, 0, 0, 0].tolist() == [*range(10), *range(10)]
        if (tmp_path / "a.json").exists():
            assert len(read_json(tmp_path / "a.json")["rows"]) == 20
            assert (tmp_path / "a.npy").exists()
    rows = write(tmp_path, "a", contents)
    assert {row["status"] for row in rows} == {"ok"}
    assert Images(tmp_path, ["a"]).shape == SHAPE


def test_take_follows_cohort_rows_across_shards(tmp_path):
    write(tmp_path, "a", ["c1", "c2"])
    write(tmp_path, "b", ["c3", "c4", "c5"])
    rows = [{"shard": shard, "row": row} for shard, row in ("b2", "a0", "b0", "a1", "b2")]
    images = Images.of(rows, tmp_path)
    out = np.empty((5, *images.shape), images.dtype)
    images.take(images.places(rows), out)
    assert out[:, 0, 0, 0].tolist() == [5, 1, 3, 2, 5]
    assert (len(images), images.shape, images.dtype) == (5, SHAPE, np.uint8)


def test_missing_and_broken_shards_say_what_to_run(tmp_path):
    with pytest.raises(FoldwiseError, match="snakemake"):
        Images(tmp_path, ["a"])
    (tmp_path / "a.npy").write_bytes(b"no array")
    with pytest.raises(FoldwiseError, match="Delete it"):
        Images(tmp_path, ["a"])


def inverted_on_disk(folder: Path, shard: str, row: int) -> None:
    pixels = np.load(folder / f"{shard}.npy", mmap_mode="r+")
    pixels[row] = 255 - pixels[row]
    pixels.flush()


def taken(folder: Path, rows: list[int]) -> list[int]:
    images = Images(folder, ["a"])
    out = np.empty((len(rows), *images.shape), images.dtype)
    return images.take(np.array(rows), out)[:, 0, 0, 0].tolist()


def test_an_image_that_was_changed_on_the_disk_is_never_taken(tmp_path):
    write(tmp_path, "a", ["c1", "cx", "c3"])
    inverted_on_disk(tmp_path, "a", 2)
    assert Images(tmp_path, ["a"]).damaged() == [("a", 2)]
    assert taken(tmp_path, [0, 1]) == [1, 0]
    with pytest.raises(
        FoldwiseError, match=r"a\.npy is not what was decoded: row 2 .*same command"
    ):
        taken(tmp_path, [0, 2])
    # Put aside: the next run finds it missing and makes it anew.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.npy.damaged"]
    write(tmp_path, "a", ["c1", "cx", "c3"])
    assert taken(tmp_path, [0, 2]) == [1, 3]


def test_one_flipped_bit_in_any_row_is_noticed(tmp_path):
    write(tmp_path, "a", [f"c{number}" for number in range(8)])
    whole = (tmp_path / "a.npy").read_bytes()
    luck = random.Random(0)
    for _ in range(30):
        content = bytearray(whole)
        place = luck.randrange(len(whole) - 8 * 30, len(whole))
        content[place] ^= 1 << luck.randrange(8)
        (tmp_path / "a.npy").write_bytes(bytes(content))
        row = (place - (len(whole) - 8 * 30)) // 30
        assert Images(tmp_path, ["a"]).damaged() == [("a", row)]


def test_a_list_of_rows_that_was_edited_or_cut_is_named(tmp_path):
    write(tmp_path, "a", ["c1", "cx"])
    text = (tmp_path / "a.json").read_text()
    for spoilt in (text.replace("truncated", "ok"), text.replace('"seal"', '"sea"'), text[:-20]):
        (tmp_path / "a.json").write_text(spoilt)
        with pytest.raises(FoldwiseError, match=r"a\.json is not .* it|same command"):
            Images(tmp_path, ["a"])
