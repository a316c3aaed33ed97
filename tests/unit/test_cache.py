"""Shards: what is written is what is read, faults leave zeros, a kill leaves nothing broken."""

import os
from pathlib import Path

import numpy as np
import pytest

from foldwise.data.cache import Images, write_shard
from foldwise.data.picture import UnreadableImage
from foldwise.data.prepared import Prepared
from foldwise.errors import FoldwiseError
from foldwise.files import read_json

SHAPE = (1, 6, 5)


def made(content: str) -> Prepared:
    """Pixels that follow from the name; names with x cannot be read, with k end the process."""
    if "x" in content:
        raise UnreadableImage("truncated")
    if "k" in content:
        os._exit(1)
    pixels = np.full(SHAPE, int(content[1:]), np.uint8)
    return Prepared(pixels, content, {"rows": 6})


def write(folder: Path, shard: str, contents: list[str], workers: int = 1) -> list[dict]:
    paths = folder / f"{shard}.npy", folder / f"{shard}.json"
    return write_shard(made, contents, SHAPE, np.uint8, *paths, workers=workers)


@pytest.mark.parametrize("workers", [1, 3])
def test_rows_hold_pixels_or_reason(tmp_path, workers):
    rows = write(tmp_path, "a", ["c3", "cx", "c7"], workers)
    assert [row["status"] for row in rows] == ["ok", "truncated", "ok"]
    assert read_json(tmp_path / "a.json")["rows"] == rows
    assert np.load(tmp_path / "a.npy")[:, 0, 0, 0].tolist() == [3, 0, 7]


def test_a_decoder_that_crashes_costs_one_row(tmp_path):
    rows = write(tmp_path, "a", ["c1", "ck", "c2", "c3"], workers=2)
    assert [row["status"] for row in rows] == ["ok", "decoder_crashed", "ok", "ok"]
    assert np.load(tmp_path / "a.npy")[:, 0, 0, 0].tolist() == [1, 0, 2, 3]


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
