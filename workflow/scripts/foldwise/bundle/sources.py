"""New images for a bundle: found, named by keyed hashes, decoded and prepared as in any study.

All that is kept meanwhile stands in a folder `private` beside the output, since it holds file names
and pixels; a run that was stopped finds there what it had done.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.cohort.codes import Wanted, misfit
from foldwise.cohort.findings import describe
from foldwise.cohort.identity import Names, load_key, write_private_csv
from foldwise.cohort.readers.base import ReadFault
from foldwise.cohort.shards import split_evenly
from foldwise.errors import FoldwiseError, plural
from foldwise.files import is_temporary, private_folder
from foldwise.hashing import content_of, digest, file_digest
from foldwise.integrity import read_sealed
from foldwise.pixels.cache import Crew, write_shard
from foldwise.pixels.decode.base import Decoder, of_content
from foldwise.pixels.picture import REASONS, UnreadableImage
from foldwise.pixels.prepare import ImageSettings
from foldwise.pixels.prepared import IN_COLOUR, Prepared
from foldwise.pixels.source import Source
from foldwise.registry import load

log = logging.getLogger("foldwise")


@dataclass(frozen=True)
class Image:
    """A content, by its names, and the files that hold it."""

    content: str  # plain; decides the order of all
    keyed: str
    sample: str
    files: tuple[Path, ...]


def find(sources: Iterable[str | Path], reader: str, without: Path | None = None) -> list[Path]:
    """Files of a reader's kind, of folders and all below them, sorted; files as they are named.

    `without`: a folder that is passed over, of objects that an earlier run made of these files.
    Raises FoldwiseError for a source that is not there and where nothing is found.
    """
    accepts, images, passed = load("READERS", reader)().accepts, [], 0
    for source in map(Path, sources):
        if source.is_dir():
            files = [p for p in sorted(source.rglob("*")) if p.is_file() and not is_temporary(p)]
            if without is not None:
                files = [p for p in files if without.resolve() not in p.resolve().parents]
            own = [path for path in files if accepts(path)]
            images, passed = images + own, passed + len(files) - len(own)
        elif source.exists():
            images.append(source)
        else:
            raise FoldwiseError(f"{source}: no such file or folder. Correct the path.")
    if not images:
        others = f": {plural(passed, 'file')} there, none of which it takes" if passed else ""
        raise FoldwiseError(
            f"No image to predict{others}. The bundle's models were trained on files of reader "
            f"'{reader}'; name others by --reader (dicom, images), or another folder."
        )
    if passed:
        log.info("%s of another kind passed over.", plural(passed, "file"))
    # A file may be named itself and lie in a folder that is named too.
    return list(dict.fromkeys(images))


def named(files: Sequence[Path], private: Path, workers: int = 1) -> list[Image]:
    """Contents of the files in their order of content; a list of their names goes to `private`."""
    # A key of this place alone: nobody elsewhere can compute a sample's name from its image.
    names = Names(load_key(private))
    of_content_: dict[str, list[Path]] = {}
    # Threads: hashing lets others run. They end before processes are forked to decode.
    with ThreadPoolExecutor(workers) as pool:
        for path, plain in zip(files, pool.map(_content, files), strict=True):
            of_content_.setdefault(plain, []).append(path)
    images = [
        Image(plain, names.content(plain), names.sample(plain), tuple(paths))
        for plain, paths in sorted(of_content_.items())
    ]
    rows = [{"sample": one.sample, "file": str(path)} for one in images for path in one.files]
    write_private_csv(private / "files.csv", ["sample", "file"], rows)
    return images


def _content(path: Path) -> str:
    try:
        return content_of([file_digest(path)])
    except OSError:
        # Decoding says why, under a name of its own.
        return hashlib.sha256(str(path).encode()).hexdigest()[:32]


def unlike(images: Sequence[Image], reader: str, wanted: Wanted) -> dict[str, dict[str, str]]:
    """Sample -> its line of the quarantine, of images that are none for the models by their header.

    Before anything is decoded: pixels with text burned in do not even reach the private cache.
    """
    facts, left_out = load("READERS", reader)().facts, {}
    for one in images:
        try:
            reason = misfit(facts(one.files[0]), wanted)
        # Decoding says what is wrong with such a file.
        except (UnreadableImage, ReadFault, OSError):
            continue
        if reason:
            left_out[one.sample] = kept_out(one.sample, reason, wanted)
    warn_kept_out(left_out.values())
    return left_out


@dataclass(frozen=True)
class Shard:
    """Of images decoded together: rows (sample, content, shard, row, facts), lines of the rest."""

    rows: list[dict[str, Any]]
    quarantine: list[dict[str, str]]


class Decoding:
    """Images on their way into `folder`; shards that were made are not made again."""

    def __init__(
        self,
        images: Sequence[Image],
        reader: str,
        settings: Mapping[str, Any],
        private: Path,
        masked: bool = False,
    ) -> None:
        """`masked`: whether rows have a mask's plane; images are in order of content."""
        # Without digests: predictions are compared with no archive's pictures.
        self.settings, self.decoder = (
            ImageSettings(**settings, digested=False),
            load("DECODERS", reader)(),
        )
        key = digest([reader, dict(settings)])
        if masked and self.decoder.shape(self.settings)[0] == self.settings.channels:
            self.decoder = WithEmptyMask(self.decoder)
            key = digest([reader, dict(settings), "mask"])
        self.images, self.private = {one.content: one for one in images}, private
        self.folder = private_folder(private / "images" / key)

    def shards(self, crew: Crew) -> Iterator[Shard]:
        """One after the other, all rows of one before those of the next in order of content."""
        done = 0
        for contents in split_evenly(list(self.images)):
            yield self._shard([self.images[content] for content in contents], crew)
            done += len(contents)
            log.info("Decoded %d of %d images.", done, len(self.images))

    def _shard(self, images: list[Image], crew: Crew) -> Shard:
        keyed = [one.keyed for one in images]
        name, shard = digest(keyed), Shard([], [])
        out = self.folder / f"{name}.npy", self.folder / f"{name}.json"
        # A shard is named by what it holds: one that is there is right.
        if not all(path.exists() for path in out):
            # Of equal files one is decoded.
            files = {one.keyed: [one.files[0]] for one in images}
            names = Names(load_key(self.private))
            read = partial(of_content, self.decoder, self.settings, files, names)
            shape = self.decoder.shape(self.settings)
            write_shard(read, keyed, shape, self.settings.dtype, out, crew)
        for place, (one, record) in enumerate(
            zip(images, read_sealed(out[1])["rows"], strict=True)
        ):
            own = {"sample": one.sample, "content": one.content}
            if record["status"] == "ok":
                shard.rows.append(own | {"shard": name, "row": place, "facts": record["facts"]})
            else:
                reason = record["status"]
                meaning = REASONS.get(reason, reason.replace("_", " "))
                line = {"sample": one.sample, "reason": reason, "meaning": meaning}
                shard.quarantine.append(line)
        return shard


@dataclass(frozen=True)
class WithEmptyMask:
    """A decoder of images without masks, for models that are fed one with each image."""

    of: Decoder

    def shape(self, settings: ImageSettings) -> tuple[int, int, int]:
        """(C + 1, H, W)."""
        channels, rows, columns = self.of.shape(settings)
        return channels + 1, rows, columns

    def read(self, files: list[Source], settings: ImageSettings) -> Prepared:
        """As the decoder does, and an empty plane behind it. Raises UnreadableImage."""
        prepared = self.of.read(files, settings)
        empty = np.zeros_like(prepared.pixels[:1])
        return replace(prepared, pixels=np.concatenate([prepared.pixels, empty]))


def without_colour(
    rows: list[dict[str, Any]], wanted: Wanted
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Rows that are grey where grey is wanted, and lines of the quarantine of the others.

    After decoding: plain files have no header that says it, and grey stored as colour is grey.
    """
    if not wanted.grey:
        return rows, []
    coloured = {row["sample"] for row in rows if row["facts"].get(IN_COLOUR)}
    left_out = [kept_out(sample, "other_photometric", wanted) for sample in sorted(coloured)]
    return [row for row in rows if row["sample"] not in coloured], left_out


def kept_out(sample: str, reason: str, wanted: Wanted) -> dict[str, str]:
    """A line of the quarantine, of an image that is none for the models."""
    trained = f" ({', '.join(wanted.modalities)})" if reason == "other_modality" else ""
    return {"sample": sample, "reason": reason, "meaning": f"{describe(reason)}{trained}"}


def warn_kept_out(left_out: Iterable[Mapping[str, str]]) -> None:
    """Log how many images are kept out for which reason, and what lets them through."""
    for (reason, meaning), number in Counter(
        (row["reason"], row["meaning"]) for row in left_out
    ).items():
        log.warning(
            "%s in quarantine: %s. --allow %s predicts them all the same.",
            plural(number, "image"),
            meaning,
            reason,
        )


def state_of(value: Any) -> str:
    """Digest of what a part of the predictions hangs on."""
    return digest(json.loads(json.dumps(value)))
