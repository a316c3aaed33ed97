"""What a decoder is: it turns the files of one sample into one row of the cache.

Decoders stand apart from readers, since their code is part of the cache's key: a change in how
tables are joined must not decode an archive anew.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from foldwise.hashing import content_of
from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.prepare import ImageSettings
from foldwise.pixels.prepared import Prepared
from foldwise.pixels.source import Listed, Source, bytes_of

# 4 GiB: no single picture is larger, and a file of any size must not fill the memory.
MAX_BYTES = 4 << 30


class KeyedNames(Protocol):
    """What names contents and pixels outside `private/` (`foldwise.cohort.identity.Names`)."""

    def content(self, plain: str) -> str:
        """Name of a content."""
        ...

    def pixels(self, plain: str) -> str:
        """Name of what a picture shows."""
        ...


class Decoder(Protocol):
    """The interface of a decoder; one a reader, of the same name in the registry."""

    def shape(self, settings: ImageSettings) -> tuple[int, int, int]:
        """(C, H, W) of a row; planes after the image's channels are masks."""
        ...

    def read(self, files: list[Source], settings: ImageSettings) -> Prepared:
        """Prepared pixels of one sample. Raises UnreadableImage with its reason."""
        ...


def of_content(
    decoder: Decoder,
    settings: ImageSettings,
    files: dict[str, list[Path]],
    names: KeyedNames,
    content: str,
) -> Prepared:
    """The prepared pixels of one content, by where its files are; its digests are keyed.

    Pixels come from the very bytes whose digest was compared: a file that was replaced since the
    archive was listed never puts its pixels, or its faults, under the content of another.
    Raises UnreadableImage, `changed` where the files hold that content no longer.
    """
    listed = [Listed(path, bytes_of(path, MAX_BYTES)) for path in files[content]]
    plain = content_of([hashlib.sha256(file.content).hexdigest() for file in listed])
    if names.content(plain) != content:
        raise UnreadableImage("changed")
    prepared = decoder.read(listed, settings)
    # The cache is outside `private/`: a plain digest there could be tried against guesses.
    answer = (
        {"answer": names.pixels(prepared.facts["answer"])} if "answer" in prepared.facts else {}
    )
    digest = names.pixels(prepared.digest) if prepared.digest else ""
    return replace(prepared, digest=digest, facts=prepared.facts | answer)
