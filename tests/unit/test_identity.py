"""Keyed names: the key's file, its race, and what names tell."""

import hashlib
import hmac
import multiprocessing
import stat

import pytest

from foldwise.cohort.identity import Names, check_distinct, load_key, write_private_csv
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_key_is_made_once_and_is_private(tmp_path):
    folder = tmp_path / "private"
    key = load_key(folder)
    assert len(key) == 32
    assert load_key(folder) == key
    assert load_key(tmp_path / "other") != key
    assert (mode(folder), mode(folder / "key")) == (0o700, 0o600)
    assert [path.name for path in folder.iterdir()] == ["key"]


def test_a_key_that_others_may_read_is_tightened(tmp_path):
    load_key(tmp_path / "private")
    (tmp_path / "private" / "key").chmod(0o644)
    load_key(tmp_path / "private")
    assert mode(tmp_path / "private" / "key") == 0o600


def _load(folder, start, queue):
    start.wait()
    queue.put(load_key(folder))


def test_processes_that_start_together_get_one_key(tmp_path):
    context = multiprocessing.get_context("fork")
    start, queue = context.Barrier(8), context.Queue()
    jobs = [
        context.Process(target=_load, args=(tmp_path / "private", start, queue)) for _ in range(8)
    ]
    for job in jobs:
        job.start()
    keys = {queue.get(timeout=20) for _ in jobs}
    for job in jobs:
        job.join()
    assert len(keys) == 1


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "00" * 31])
def test_a_spoilt_key_is_named(tmp_path, text):
    load_key(tmp_path)
    (tmp_path / "key").write_text(text)
    with pytest.raises(FoldwiseError, match="key is not a key of 32 bytes"):
        load_key(tmp_path)


def test_names_are_hmac_sha256():
    key = bytes(range(32))
    expected = hmac.new(key, b"group\x00MIAS040", hashlib.sha256).hexdigest()[:12]
    assert Names(key).group("MIAS040") == f"g{expected}"


def test_kinds_and_keys_give_names_of_their_own():
    names, others = Names(b"a" * 32), Names(b"b" * 32)
    found = {names.sample("1"), names.group("1"), names.exam("1"), others.sample("1")}
    assert len({name[1:] for name in found}) == 4
    assert {name[0] for name in found} == {"s", "g", "e"}


def test_equal_names_are_refused():
    check_distinct({"a": "s1", "b": "s2"})
    with pytest.raises(FoldwiseError, match="private/key"):
        check_distinct({"a": "s1", "b": "s1"})


def test_private_files_are_private_and_take_any_name(tmp_path):
    path = tmp_path / "private" / "id_map.csv"
    write_private_csv(path, ["file"], [{"file": "a\udcff, b.dcm"}])
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)
    assert read_csv(path) == [{"file": "a\\udcff, b.dcm"}]
