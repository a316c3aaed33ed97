"""The archive as it lies on the disk: which files, and what is known of each.

Standard library only, since the rule files ask for `listing_digest`. A file is hashed and its
header read once; later only if its size or time of change differ from the stored inventory.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foldwise.cohort.identity import write_private
from foldwise.errors import FoldwiseError
from foldwise.files import private_folder
from foldwise.hashing import digest, file_digest

# What Windows leaves in folders, and DICOM's index of a disk: no pictures.
IGNORED = {"thumbs.db", "desktop.ini", "dicomdir"}
SAVE_SECONDS = 60
PASSING = ("not_readable", "missing", "out_of_memory")
# Raise it when other facts are read of a header: inventories of before are then read anew.
VERSION = 1


@dataclass
class Listing:
    """Files below a root: relative path -> (bytes, time of change in ns); and what was passed over.

    `folders` are the top-level ones, also empty ones; `unreadable` those that cannot be listed.
    """

    root: Path
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    dangling: list[str] = field(default_factory=list)
    ignored: int = 0
    loops: int = 0
    by_header: dict[str, list[str]] | None = None

    def within(self) -> dict[str, list[str]]:
        """Files by what the table's ids name: an id of their headers where that is asked for,
        else their top-level folder; a folder without files has an empty list.
        """
        if self.by_header is not None:
            return self.by_header
        of_folder: dict[str, list[str]] = {name: [] for name in sorted(self.folders)}
        for path in sorted(self.files):
            top, slash, _ = path.partition("/")
            if slash:
                of_folder[top].append(path)
        return of_folder


def list_archive(root: str | Path) -> Listing:
    """List all files below `root`, following links but no loop of them.

    Hidden files, DICOMDIR and the like are counted in `ignored`. Raises FoldwiseError when there is
    no such folder.
    """
    if not os.path.isdir(root):
        raise FoldwiseError(
            f"No archive at {root} (data.root, relative to the folder in which snakemake is run). "
            "Correct the path, mount the disk, or put the archive there."
        )
    listing = Listing(Path(root))
    _walk(str(root), "", (), listing)
    return listing


def _walk(folder: str, prefix: str, above: tuple[tuple[int, int], ...], listing: Listing) -> None:
    try:
        about = os.stat(folder)
        with os.scandir(folder) as entries:
            # File systems list in any order; what follows must not depend on it.
            children = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        listing.unreadable.append(prefix.rstrip("/"))
        return
    # Not the path: a loop of links has a new path at each turn, and always the same inode.
    identity = (about.st_dev, about.st_ino)
    if identity in above:
        listing.loops += 1
        return
    for entry in children:
        _enter(entry, prefix, (*above, identity), listing)


def _enter(entry: os.DirEntry, prefix: str, above: tuple, listing: Listing) -> None:
    path = prefix + entry.name
    if entry.name.startswith(".") or entry.name.lower() in IGNORED:
        listing.ignored += 1
        return
    try:
        about = entry.stat()
    except OSError:
        listing.dangling.append(path)
        return
    if stat.S_ISDIR(about.st_mode):
        if not prefix:
            listing.folders.add(entry.name)
        _walk(entry.path, path + "/", above, listing)
    elif stat.S_ISREG(about.st_mode):
        listing.files[path] = (about.st_size, about.st_mtime_ns)
    else:
        listing.ignored += 1


def listing_digest(root: str | Path) -> str:
    """Digest of names, sizes and times below `root`, `absent` where there is no such folder."""
    if not os.path.isdir(root):
        return "absent"
    listing = list_archive(root)
    lines = [f"{path}\0{size}\0{time_ns}" for path, (size, time_ns) in listing.files.items()]
    lines += [f"{path}\0" for path in (*listing.folders, *listing.unreadable, *listing.dangling)]
    # Names on a disk are bytes and need not be UTF-8.
    text = "\n".join(sorted(lines)).encode(errors="surrogateescape")
    return hashlib.sha256(text).hexdigest()[:16]


@dataclass(frozen=True)
class HeaderFacts:
    """What a study may use of a file's header, as it stands there; empty where it says nothing.

    Private: patients, and whatever else somebody has typed.
    """

    patient: str = ""
    accession: str = ""
    study_uid: str = ""
    view: str = ""
    side: str = ""
    burned_in: str = ""
    modality: str = ""
    photometric: str = ""
    syntax: str = ""


@dataclass(frozen=True)
class Entry:
    """What is known of a file: SHA-256 of its bytes, facts of its header, or why there are none."""

    sha256: str
    facts: HeaderFacts
    fault: str = ""


# An entry as the inventory's file keeps it: SHA-256, what the header says, fault.
Stored = tuple[str, dict[str, str], str]
Read = Callable[[Path], HeaderFacts]  # a reader's `facts`


def _entry_of(stored: Sequence[Any]) -> Entry:
    sha256, facts, fault = stored
    return Entry(sha256, HeaderFacts(**facts), fault)


def inventory_key(root: str | Path, kind: str) -> str:
    """Name of an archive's inventory, by where it lies and what is read of its headers."""
    return digest([VERSION, os.path.abspath(root), kind])


def _load(path: Path) -> dict[str, list]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return dict(json.loads(path.read_text(encoding="utf-8"))["files"])
    return {}  # No inventory yet, or a damaged one: all files are read anew.


def remembered(root: str | Path, kind: str, folder: str | Path) -> dict[str, Entry]:
    """What an earlier run read of an archive's files; nothing is read or written now."""
    stored = _load(Path(folder) / f"archive_{inventory_key(root, kind)}.json")
    return {path: _entry_of(about[1:]) for path, about in stored.items()}


class Inventory:
    """Digests and header facts of the archive's files, remembered in a private file.

    `facts(path)` reads a header; an exception with an attribute `reason` is kept as the fault.
    """

    def __init__(self, root: str | Path, kind: str, folder: str | Path) -> None:
        self.root = os.path.abspath(root)
        self.listing = list_archive(root)
        self.key = inventory_key(root, kind)
        self.path = private_folder(folder) / f"archive_{self.key}.json"
        self.stored: dict[str, list] = _load(self.path)
        self.read_now = 0

    def _save(self) -> None:
        files = {
            # Files that are gone are forgotten: their digests are private and of no more use.
            path: self.stored[path]
            for path in sorted(self.stored)
            if path in self.listing.files
        }
        write_private(self.path, json.dumps({"root": self.root, "files": files}) + "\n")

    def stale(self, paths: Iterable[str]) -> list[str]:
        """Those of `paths` whose size or time differ from what was read last."""
        return sorted(
            path
            for path in set(paths)
            if self.stored.get(path, [None])[0] != list(self.listing.files[path])
        )

    def entry(self, path: str) -> Entry | None:
        """What is known of a file, None if it is gone or has changed since it was read."""
        if path not in self.listing.files or path not in self.stored or self.stale([path]):
            return None
        return _entry_of(self.stored[path][1:])

    def read(
        self,
        paths: Iterable[str],
        facts: Read,
        threads: int = 2,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, Entry]:
        """Entries of `paths` (relative), reading what changed.

        Once a minute `on_progress(done, all)` is called and what was read is saved, so that a
        killed first run goes on where it was.
        """
        wanted = sorted(set(paths))
        changed, saved = self.stale(wanted), time.monotonic()
        self.read_now = len(changed)
        # What failed today may work tomorrow: it is asked again, so it is never written down.
        passing: dict[str, Entry] = {}
        # Threads, not processes: reading and hashing release the interpreter's lock.
        with ThreadPoolExecutor(threads) as pool:
            entries = pool.map(lambda path: _read(Path(self.root, path), facts), changed)
            for done, (path, entry) in enumerate(zip(changed, entries, strict=True), 1):
                if entry[2] in PASSING:
                    passing[path] = _entry_of(entry)
                    self.stored.pop(path, None)
                else:
                    self.stored[path] = [list(self.listing.files[path]), *entry]
                if time.monotonic() - saved > SAVE_SECONDS:
                    self._save()
                    saved = time.monotonic()
                    if on_progress:
                        on_progress(done, len(changed))
        if changed:
            self._save()
        return {path: passing.get(path) or _entry_of(self.stored[path][1:]) for path in wanted}


def _read(path: Path, facts: Read) -> Stored:
    try:
        sha256 = file_digest(path)
        stated = vars(facts(path))
        # Of plain images, which say nothing, the list would be nine empty texts a file.
        return sha256, {name: value for name, value in stated.items() if value}, ""
    except OSError:
        return "", {}, "not_readable"
    except Exception as error:
        reason = getattr(error, "reason", None)
        if not reason:
            raise
        # With its digest: a file that cannot be read is recognised, and not read again, next time.
        return sha256, {}, str(reason)


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold a lock file, so that studies which start together read an archive once.

    Where the file system has no locks this does nothing: work may be done twice, files stay whole.
    """
    private_folder(Path(path).parent)
    with open(path, "a", encoding="ascii") as stream:
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
