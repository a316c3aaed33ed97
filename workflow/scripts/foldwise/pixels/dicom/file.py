"""DICOM files: the stored pixels with what prepares them."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from foldwise.pixels.dicom.pixel_element import read_pixels
from foldwise.pixels.dicom.pixel_module import PixelFacts, pixel_facts
from foldwise.pixels.dicom.stream import faults, open_dicom
from foldwise.pixels.dicom.values import number, numbers, text
from foldwise.pixels.picture import Picture, UnreadableImage

GREY = ("MONOCHROME1", "MONOCHROME2")


def read_picture(path: str | Path, reduce_levels: int = 0) -> Picture:
    """The single frame of a DICOM file as stored, (rows, columns[, 3]).

    Grey JPEG 2000 and HTJ2K may leave out `reduce_levels`, which halve both sides each.
    Raises UnreadableImage with any reason of REASONS that a file can have.
    """
    pixels, facts, photometric, dataset = _read(path, True, reduce_levels)
    if photometric not in (*GREY, "RGB") or (pixels.ndim == 3 and pixels.shape[-1] != 3):
        raise UnreadableImage("colour")
    with faults("bad_header"):
        slope, intercept = _rescale(dataset)
        return Picture(
            stored=pixels,
            photometric=photometric,
            bits_stored=min(facts.bits_stored, 8 * pixels.dtype.itemsize),
            slope=slope,
            intercept=intercept,
            grey_module=_grey_module(dataset, facts, slope, intercept),
            full_shape=(facts.rows, facts.columns),
            reduced=reduce_levels if pixels.shape[0] < facts.rows else 0,
        )


def read_frames(path: str | Path) -> np.ndarray:
    """All frames as stored: ([frames,] rows, columns[, samples]); palettes are not looked up."""
    return _read(path, False)[0]


def _read(
    path: str | Path, one_frame: bool, reduce_levels: int = 0
) -> tuple[np.ndarray, PixelFacts, str, Dataset]:
    with open_dicom(path) as (dataset, stream), faults("decode_failed"):
        if not stream.read(1):
            raise UnreadableImage("no_pixels")
        stream.seek(-1, 1)
        facts = pixel_facts(dataset)
        if one_frame and facts.frames > 1:
            raise UnreadableImage("many_frames")
        pixels, photometric = read_pixels(stream, facts, reduce_levels)
        if one_frame and photometric == "PALETTE COLOR":
            pixels, photometric = apply_color_lut(pixels, dataset)[..., :3], "RGB"
        return pixels, facts, photometric, dataset


def _rescale(dataset: Dataset) -> tuple[float, float]:
    """Slope and intercept; both must be given to count (PS3.3 C.11.1)."""
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    for keyword, value in (("RescaleSlope", slope), ("RescaleIntercept", intercept)):
        if value is None and text(dataset, keyword):
            raise UnreadableImage("bad_rescale")
    if slope is None or intercept is None or slope == 0:
        return 1.0, 0.0
    return slope, intercept


def _grey_module(
    dataset: Dataset, facts: PixelFacts, slope: float, intercept: float
) -> Dataset | None:
    """Modality LUT and VOI LUT modules alone, their numbers cleaned; None if there is neither."""
    module = Dataset()
    function = text(dataset, "VOILUTFunction").upper() or "LINEAR"
    least = 1.0 if function == "LINEAR" else 1e-9
    pairs = zip(numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth"), strict=False)
    windows = [pair for pair in pairs if pair[1] >= least]
    if windows and function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        module.WindowCenter, module.WindowWidth = windows[0]
        module.VOILUTFunction = function
    for keyword in ("ModalityLUTSequence", "VOILUTSequence"):
        if dataset.get(keyword):
            setattr(module, keyword, [_lut(dataset[keyword].value[0], keyword)])
    if not len(module):
        return None
    if (slope, intercept) != (1.0, 0.0) and "ModalityLUTSequence" not in module:
        module.RescaleSlope, module.RescaleIntercept = slope, intercept
    module.PhotometricInterpretation = "MONOCHROME2"
    module.BitsStored, module.PixelRepresentation = facts.bits_stored, facts.signed
    module.set_original_encoding(facts.implicit, facts.little_endian)
    return module


def _lut(item: Dataset, keyword: str) -> Dataset:
    """The LUT's two elements. A modality LUT has 8 or 16 bits (PS3.3 C.11.1), whatever it says."""
    lut = Dataset()
    for name in ("LUTDescriptor", "LUTData"):
        lut.add(item[name])
    entries, first, bits = lut.LUTDescriptor
    if keyword == "ModalityLUTSequence" and bits not in (8, 16):
        kind = item["LUTDescriptor"].VR
        lut.add_new("LUTDescriptor", kind, [entries, first, 16])
    return lut
