"""DICOM files: the stored pixels with what prepares them."""

from dataclasses import replace
from itertools import chain

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from foldwise.pixels.dicom.bits import Coded, padding_of, stored_values
from foldwise.pixels.dicom.groups import GROUPS, holders
from foldwise.pixels.dicom.luts import read_luts, read_windows
from foldwise.pixels.dicom.pixel_element import read_pixels
from foldwise.pixels.dicom.pixel_module import MODULE, PixelFacts, pixel_facts
from foldwise.pixels.dicom.stream import faults, open_dicom
from foldwise.pixels.dicom.values import number, text, whole
from foldwise.pixels.display import Lut, Window
from foldwise.pixels.picture import Picture, UnreadableImage
from foldwise.pixels.source import Source

GREY = ("MONOCHROME1", "MONOCHROME2")
# All that decoding and display use; private elements and the rest of a header are passed over.
PALETTES = [
    f"{kind}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for kind, part in ((colour, "Descriptor"), (colour, "Data"), (f"Segmented{colour}", "Data"))
]
PADDING = ("PixelPaddingValue", "PixelPaddingRangeLimit")

KEYWORDS = [
    *MODULE,
    *PADDING,
    *PALETTES,
    *GROUPS,
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("ModalityLUTSequence", "VOILUTSequence", "SpecificCharacterSet"),
]


def read_picture(source: Source, reduce_levels: int = 0) -> Picture:
    """The single frame of a DICOM file as stored, (rows, columns[, 3]).

    Grey JPEG 2000 and HTJ2K may leave out `reduce_levels`, which halve both sides each.
    Raises UnreadableImage with any reason of REASONS that a file can have.
    """
    coded, facts, dataset = _read(source, True, reduce_levels)
    with faults("bad_header"):
        pixels = stored_values(coded, facts)
        padding = padding_of(coded, pixels, facts, _padding_ends(dataset))
        photometric, bits = coded.photometric, facts.bits_stored
        if photometric == "PALETTE COLOR":
            pixels, photometric = _looked_up(pixels, dataset), "RGB"
            # The header's bits are those of the index, not of the colours that it stands for.
            bits = 8 * pixels.dtype.itemsize
        _check_colour(pixels, photometric)
        slope, intercept = _rescale(dataset)
        picture = Picture(
            stored=pixels,
            photometric=photometric,
            # A header may claim more bits than a word has, and tables of 2^bits are made of them.
            bits_stored=min(bits, 8 * pixels.dtype.itemsize),
            slope=slope,
            intercept=intercept,
            modality_lut=_modality_lut(dataset, pixels, facts),
            padding=padding,
            full_shape=(facts.rows, facts.columns),
            reduced=reduce_levels if pixels.shape[0] < facts.rows else 0,
        )
        return replace(picture, voi=_voi(dataset, picture, facts))


def read_frames(source: Source) -> np.ndarray:
    """All frames as stored: ([frames,] rows, columns[, samples]); palettes are not looked up."""
    coded, facts, _ = _read(source, False)
    return stored_values(coded, facts)


def _read(
    source: Source, one_frame: bool, reduce_levels: int = 0
) -> tuple[Coded, PixelFacts, Dataset]:
    with (
        open_dicom(source, KEYWORDS, header_only=False) as (dataset, stream),
        faults("decode_failed"),
    ):
        if not stream.read(1):
            raise UnreadableImage("no_pixels")
        stream.seek(-1, 1)
        facts = pixel_facts(dataset)
        if one_frame and facts.frames > 1:
            raise UnreadableImage("many_frames")
        # Samples of a lower level are none of the pixels that padding is told by.
        reduce_levels = 0 if PADDING[0] in dataset else reduce_levels
        return read_pixels(stream, facts, reduce_levels), facts, dataset


def _check_colour(pixels: np.ndarray, photometric: str) -> None:
    colours = pixels.ndim == 3
    if photometric not in (*GREY, "RGB") or (colours and pixels.shape[-1] != 3):
        raise UnreadableImage("colour")
    if colours and photometric == "MONOCHROME1":
        raise UnreadableImage("colour")


def _looked_up(pixels: np.ndarray, dataset: Dataset) -> np.ndarray:
    """RGB of palette indices, of as many bits as the palette's values need."""
    colours = apply_color_lut(pixels, dataset)[..., :3]
    # Some palettes write 8-bit colours into words of 16: taken as 16 bits they would be black.
    narrow = colours.dtype.itemsize > 1 and colours.max() < 256
    return np.ascontiguousarray(colours, np.uint8 if narrow else None)


def _padding_ends(dataset: Dataset) -> tuple[int | None, int | None]:
    value, limit = (whole(dataset, keyword) for keyword in PADDING)
    return value, limit


def _rescale(dataset: Dataset) -> tuple[float, float]:
    """Slope and intercept; both must be given to count (PS3.3 C.11.1)."""
    for holder in holders(dataset, "PixelValueTransformationSequence"):
        slope, intercept = number(holder, "RescaleSlope"), number(holder, "RescaleIntercept")
        for keyword, value in (("RescaleSlope", slope), ("RescaleIntercept", intercept)):
            if value is None and text(holder, keyword):
                raise UnreadableImage("bad_rescale")
        if slope and intercept is not None:
            return slope, intercept
    return 1.0, 0.0


def _modality_lut(dataset: Dataset, pixels: np.ndarray, facts: PixelFacts) -> Lut | None:
    below_zero = pixels.dtype.kind == "i"
    luts = read_luts(dataset, "ModalityLUTSequence", below_zero, facts.order)
    return luts[0] if luts else None


def _voi(dataset: Dataset, picture: Picture, facts: PixelFacts) -> tuple[Lut | Window, ...]:
    """VOI LUTs before windows, as pydicom and most viewers choose."""
    low, high = picture.stored_range if picture.is_integer else (0, 0)
    ends = (end * picture.slope + picture.intercept for end in (low, high))
    # Whether a VOI LUT's first input is signed hangs on the values that reach it.
    below_zero = not picture.modality_lut and min(ends) < 0
    places = holders(dataset, "FrameVOILUTSequence")
    luts = [read_luts(place, "VOILUTSequence", below_zero, facts.order) for place in places]
    windows = [read_windows(place) for place in places]
    return tuple(chain(*luts, *windows))
