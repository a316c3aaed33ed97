"""An image and its mask to one row of the cache: the mask is the plane after the channels."""

import numpy as np

from foldwise.pixels.masks import foreground, is_grey, is_swapped, mask_digest, placed
from foldwise.pixels.nifti import is_nifti, read_nifti
from foldwise.pixels.picture import PASSING, Picture, UnreadableImage
from foldwise.pixels.picture_files import read_mask, read_picture
from foldwise.pixels.prepare import ImageSettings, place_of, prepared
from foldwise.pixels.prepared import Prepared
from foldwise.pixels.source import Source, path_of

# Share of foreground above which a mask is more likely to be drawn in black on white.
NEARLY_ALL = 0.9


class Decoder:
    """One image and one mask of the same size a sample, plain or NIfTI; without, an empty one."""

    def shape(self, settings: ImageSettings) -> tuple[int, int, int]:
        """(channels + 1, size, size)."""
        return settings.channels + 1, settings.size, settings.size

    def read(self, files: list[Source], settings: ImageSettings) -> Prepared:
        """Decoded and prepared, the mask as 0 and 1.

        Facts beside those of the image: column `foreground` (share of the mask, before resizing)
        and notes. Raises UnreadableImage; of the mask: mask_unreadable, mask_size,
        mask_dim, swapped_mask, mask_orientation.
        """
        plain = [not is_nifti(path_of(file)) for file in files]
        if plain == [True, False]:
            # Which of NIfTI's axes runs along the rows of a picture that has no axes?
            raise UnreadableImage("mask_orientation")
        picture = read_picture(files[0]) if plain[0] else read_nifti(files[0])
        if len(files) == 1:  # to predict a mask, none is needed
            image = prepared(picture, settings)
            empty = np.zeros_like(image.pixels[:1])
            return Prepared(np.concatenate([image.pixels, empty]), image.digest, image.facts)
        mask = _read_mask(files[1], settings.mask)
        if mask.full_shape != picture.full_shape:
            raise UnreadableImage("mask_size")
        # Before any resizing: image and mask in each other's folder would train without complaint.
        if is_swapped(picture, mask):
            raise UnreadableImage("swapped_mask")
        image = prepared(picture, settings)
        selected = foreground(mask, settings.mask)
        plane = placed(selected, place_of(picture, settings), settings.size)
        pixels = np.concatenate([image.pixels, plane[None].astype(image.pixels.dtype)])
        facts = {
            "cohort_columns": {"foreground": f"{selected.mean():.6g}"},
            "notes": _notes(mask, selected, settings.mask),
            "answer": mask_digest(selected),
        }
        return Prepared(pixels, image.digest, image.facts | facts)


def _read_mask(source: Source, rule: str) -> Picture:
    try:
        if is_nifti(path_of(source)):
            return _in_units(read_nifti(source))
        return read_mask(source, by_index=rule == "nonzero")
    except UnreadableImage as error:
        if error.reason in PASSING:
            raise
        # Named apart from the image: the file to look at is another one.
        raise UnreadableImage("mask_unreadable") from None


def _in_units(mask: Picture) -> Picture:
    """A mask whose numbers are stored with a slope, as the numbers that are meant."""
    if (mask.slope, mask.intercept) == (1.0, 0.0):
        return mask
    return Picture((mask.stored * mask.slope + mask.intercept).astype(np.float32))


def _notes(mask: Picture, foreground: np.ndarray, rule: str) -> list[str]:
    grey = rule == "half" and is_grey(mask)
    full = bool(foreground.mean() > NEARLY_ALL)
    return ["grey_mask"] * grey + ["empty_mask"] * (not foreground.any()) + ["full_mask"] * full
