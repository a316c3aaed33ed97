"""What a decoder is: it turns the files of one sample into one row of the cache.

Decoders stand apart from readers, since their code is part of the cache's key: a change in how
tables are joined must not decode an archive anew.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from foldwise.hashing import content_of, file_digest
from foldwise.pixels.picture import PASSING, UnreadableImage
from foldwise.pixels.prepare import ImageSettings
from foldwise.pixels.prepared import Prepared


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

    def read(self, files: list[Path], settings: ImageSettings) -> Prepared:
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

    Raises UnreadableImage, `changed` where the files hold that content no longer: a verdict is
    remembered by content, so it may only be passed on its bytes.
    """
    try:
        found = decoder.read(files[content], settings)
    except UnreadableImage as error:
        if error.reason not in PASSING and _content(files[content], names) != content:
            raise UnreadableImage("changed") from None
        raise
    # The cache is outside `private/`: a plain digest there could be tried against guesses.
    answer = {"answer": names.pixels(found.facts["answer"])} if "answer" in found.facts else {}
    return replace(found, digest=names.pixels(found.digest), facts=found.facts | answer)


def _content(files: list[Path], names: KeyedNames) -> str:
    """Content of the files as they are now, empty where one cannot be read."""
    try:
        return names.content(content_of([file_digest(path) for path in files]))
    except OSError:
        return ""
