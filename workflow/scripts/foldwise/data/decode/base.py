"""What a decoder is: it turns the files of one sample into one row of the cache.

Decoders stand apart from readers, since their code is part of the cache's key: a change in how
tables are joined must not decode an archive anew.
"""

from pathlib import Path
from typing import Protocol

from foldwise.data.prepare import ImageSettings
from foldwise.data.prepared import Prepared


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
    """The prepared pixels of one content, by where its files are."""
    return decoder.read(files[content], settings)
