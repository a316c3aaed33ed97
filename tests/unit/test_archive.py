"""The archive's inventory: what is listed, what is read again, what stays private."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from foldwise.cohort.archive import HeaderFacts, Inventory, list_archive, listing_digest
from foldwise.errors import FoldwiseError


class Fault(Exception):
    def __init__(self, reason):
        super().__init__("a text that may hold a name")
        self.reason = reason


@pytest.fixture
def root(tmp_path):
    for path in ("100/a.dcm", "100/deep/b.dcm", "200/c.dcm"):
        (tmp_path / "archive" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "archive" / path).write_text(path)
    (tmp_path / "archive" / "300").mkdir()
    return tmp_path / "archive"


def inventory(root, folder="private"):
    return Inventory(root, "test", root.parent / folder)


def read(archive, paths=None):
    calls = []

    def facts(path):
        calls.append(path.name)
        return HeaderFacts(accession=path.name)

    return archive.read(archive.listing.files if paths is None else paths, facts), calls


def test_files_folders_and_what_is_passed_over(root):
    for name in (".hidden", "100/.DS_Store", "DICOMDIR", "200/Thumbs.db"):
        (root / name).write_text("x")
    (root / ".cache").mkdir()
    (root / ".cache" / "d.dcm").write_text("x")
    listing = list_archive(root)
    assert sorted(listing.files) == ["100/a.dcm", "100/deep/b.dcm", "200/c.dcm"]
    assert listing.folders == {"100", "200", "300"}
    assert listing.ignored == 5
    assert listing.within() == {
        "100": ["100/a.dcm", "100/deep/b.dcm"], "200": ["200/c.dcm"], "300": []
    }  # fmt: skip


def test_links_are_followed_and_loops_are_not(root):
    (root / "100" / "up").symlink_to(root)
    (root / "400").symlink_to(root / "200")
    (root / "200" / "gone.dcm").symlink_to(root / "nowhere")
    listing = list_archive(root)
    assert "400/c.dcm" in listing.files
    assert listing.loops == 1
    assert "200/gone.dcm" in listing.dangling


def test_a_folder_that_cannot_be_listed_is_kept_in_mind(root, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("200"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_archive(root)
    assert listing.unreadable == ["200"]
    assert sorted(listing.files) == ["100/a.dcm", "100/deep/b.dcm"]


@pytest.mark.parametrize("kind", ["nothing", "file"])
def test_a_missing_root_is_named(tmp_path, kind):
    if kind == "file":
        (tmp_path / "archive").write_text("x")
    with pytest.raises(FoldwiseError, match=r"No archive at .*archive \(data\.root"):
        list_archive(tmp_path / "archive")


def test_the_digest_of_the_listing_follows_sizes_times_and_names(root):
    seen = [listing_digest(root)]
    assert listing_digest(root) == seen[0]
    os.utime(root / "100/a.dcm", ns=(1, 1))
    seen.append(listing_digest(root))
    (root / "100/a.dcm").write_text("longer than before")
    os.utime(root / "100/a.dcm", ns=(1, 1))
    seen.append(listing_digest(root))
    (root / "200/c.dcm").rename(root / "200/d.dcm")
    seen.append(listing_digest(root))
    (root / "500").mkdir()
    seen.append(listing_digest(root))
    assert len(set(seen)) == 5
    assert listing_digest(root / "nowhere") == "absent"


def test_entries_hold_digest_and_facts(root):
    entries, _ = read(inventory(root))
    assert entries["200/c.dcm"].sha256 == hashlib.sha256(b"200/c.dcm").hexdigest()
    assert entries["200/c.dcm"].facts == HeaderFacts(accession="c.dcm")


def test_only_what_changed_is_read_again(root):
    assert len(read(inventory(root))[1]) == 3
    assert read(inventory(root))[1] == []
    (root / "200/c.dcm").write_text("other")
    (root / "100/new.dcm").write_text("new")
    entries, calls = read(inventory(root))
    assert sorted(calls) == ["c.dcm", "new.dcm"]
    assert entries["200/c.dcm"].sha256 == hashlib.sha256(b"other").hexdigest()
    os.utime(root / "100/a.dcm")
    assert read(inventory(root))[1] == ["a.dcm"]


def test_only_what_is_asked_for_is_read(root):
    archive = inventory(root)
    assert read(archive, ["200/c.dcm"])[1] == ["c.dcm"]
    assert archive.entry("200/c.dcm").facts == HeaderFacts(accession="c.dcm")
    assert archive.entry("100/a.dcm") is None


def test_the_inventory_is_private_and_its_own_for_each_root_and_reader(root):
    archive = inventory(root)
    read(archive)
    assert stat.S_IMODE(archive.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(archive.path.parent.stat().st_mode) == 0o700
    assert Inventory(root, "other", archive.path.parent).path != archive.path


@pytest.mark.parametrize("damage", ["", "{", '{"files": 3}'])
def test_a_damaged_inventory_is_made_anew(root, damage):
    archive = inventory(root)
    read(archive)
    archive.path.write_text(damage)
    assert len(read(inventory(root))[1]) == 3


def test_a_fault_is_kept_by_its_reason_alone(root):
    archive = inventory(root)

    def facts(path):
        raise Fault("truncated")

    entry = archive.read(["100/a.dcm"], facts)["100/a.dcm"]
    assert (entry.fault, entry.facts) == ("truncated", HeaderFacts())
    assert "may hold" not in archive.path.read_text()
    assert inventory(root).stale(["100/a.dcm"]) == []


def test_what_cannot_be_opened_today_is_asked_again_tomorrow(root):
    archive = inventory(root)

    def facts(path):
        raise PermissionError

    assert archive.read(["100/a.dcm"], facts)["100/a.dcm"].fault == "not_readable"
    assert inventory(root).stale(["100/a.dcm"]) == ["100/a.dcm"]


def test_an_error_of_our_own_is_not_taken_for_a_bad_file(root):
    def facts(path):
        raise KeyError("a mistake in the code")

    with pytest.raises(KeyError):
        inventory(root).read(["100/a.dcm"], facts)


def test_a_killed_first_run_goes_on_where_it_was(root, monkeypatch):
    monkeypatch.setattr("foldwise.cohort.archive.SAVE_SECONDS", 0)

    def facts(path):
        if path.name == "c.dcm":
            raise KeyboardInterrupt
        return HeaderFacts()

    with pytest.raises(KeyboardInterrupt):
        inventory(root).read(["100/a.dcm", "100/deep/b.dcm", "200/c.dcm"], facts, threads=1)
    assert read(inventory(root))[1] == ["c.dcm"]


def test_what_could_not_be_opened_before_a_kill_is_asked_again(root, monkeypatch):
    monkeypatch.setattr("foldwise.cohort.archive.SAVE_SECONDS", 0)

    def facts(path):
        raise {"a.dcm": PermissionError(), "c.dcm": KeyboardInterrupt()}.get(
            path.name, Fault("empty")
        )

    with pytest.raises(KeyboardInterrupt):
        inventory(root).read(["100/a.dcm", "100/deep/b.dcm", "200/c.dcm"], facts, threads=1)
    entries, calls = read(inventory(root))
    assert sorted(calls) == ["a.dcm", "c.dcm"]
    assert entries["100/a.dcm"].fault == ""


def test_names_that_are_no_text_do_no_harm(root):
    odd = Path(os.fsdecode(os.fsencode(root / "100") + b"/\xff.dcm"))
    odd.write_text("x")
    archive = inventory(root)
    read(archive)
    assert len(json.loads(archive.path.read_text())["files"]) == 4
    assert read(inventory(root))[1] == []
    assert listing_digest(root) != "absent"
