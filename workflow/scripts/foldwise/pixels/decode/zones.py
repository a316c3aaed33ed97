"""Plain image files and two-dimensional NIfTI, told apart by their ending, to rows of the cache."""

from foldwise.pixels.nifti import is_nifti, read_nifti
from foldwise.pixels.picture_files import read_picture
from foldwise.pixels.prepare import ImageSettings, prepared
from foldwise.pixels.prepared import Prepared
from foldwise.pixels.source import Source, path_of


class Decoder:
    """One image file a sample."""

    def shape(self, settings: ImageSettings) -> tuple[int, int, int]:
        """(channels, size, size)."""
        return settings.channels, settings.size, settings.size

    def read(self, files: list[Source], settings: ImageSettings) -> Prepared:
        """Decoded and prepared. Raises UnreadableImage."""
        read = read_nifti if is_nifti(path_of(files[0])) else read_picture
        return prepared(read(files[0]), settings)
