"""DICOM files to rows of the cache."""

from pathlib import Path

from foldwise.data.dicom import read_picture
from foldwise.data.prepare import ImageSettings, prepared
from foldwise.data.prepared import Prepared


class Decoder:
    """One DICOM file a sample."""

    def shape(self, settings: ImageSettings) -> tuple[int, int, int]:
        """(channels, size, size)."""
        return settings.channels, settings.size, settings.size

    def read(self, files: list[Path], settings: ImageSettings) -> Prepared:
        """Decoded and prepared. Raises UnreadableImage."""
        return prepared(read_picture(files[0], settings.reduce_levels), settings)
