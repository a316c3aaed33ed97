"""DICOM files to rows of the cache."""

from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.prepare import ImageSettings, prepared
from foldwise.pixels.prepared import Prepared
from foldwise.pixels.source import Source


class Decoder:
    """One DICOM file a sample."""

    def shape(self, settings: ImageSettings) -> tuple[int, int, int]:
        """(channels, size, size)."""
        return settings.channels, settings.size, settings.size

    def read(self, files: list[Source], settings: ImageSettings) -> Prepared:
        """Decoded and prepared. Raises UnreadableImage."""
        return prepared(read_picture(files[0], settings.reduce_levels), settings)
