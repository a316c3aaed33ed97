"""What a decoder is: it turns the files of one sample into one row of the cache.

Decoders stand apart from readers, since their code is part of the cache's key: a change in how
tables are joined must not decode an archive anew.
"""

from pathlib import Path
from typing import Protocol

from foldwise.hashing import content_of, file_digest
from foldwise.pixels.picture import PASSING, UnreadableImage
from foldwise.pixels.prepare import ImageSettings
from foldwise.pixels.prepared import Prepared


class Decoder(Protocol):
    """The interface of a decoder; one a reader, of the same name in the registry."""

    def shape(self, settings: ImageSettings) -> tuple[int, int, int]:
        """(C, H, W) of a row; planes after the image's channels are masks."""
        ...

    def read(self, files: list[Path], settings: ImageSettings) -> Prepared:
        """Prepared pixels of one sample. Raises UnreadableImage with its reason."""
        ...


def of_content(
    decoder: Decoder, settings: ImageSettings, files: dict[str, list[Path]], content: str
) -> Prepared:
    """The prepared pixels of one content, by where its files are.

    Raises UnreadableImage, `changed` where the files hold that content no longer: a verdict is
    remembered by content, so it may only be passed on its bytes.
    """
    try:
        return decoder.read(files[content], settings)
    except UnreadableImage as error:
        if error.reason not in PASSING and _content(files[content]) != content:
            raise UnreadableImage("changed") from None
        raise


def _content(files: list[Path]) -> str:
    """Content of the files as they are now, empty where one cannot be read."""
    try:
        return content_of([file_digest(path) for path in files])
    except OSError:
        return ""
