"""DICOM files for tests and benchmarks: given pixels in every encoding that is read."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate

MAMMOGRAPHY = "1.2.840.10008.5.1.4.1.1.1.2"
ENCODINGS = {
    "raw": uid.ExplicitVRLittleEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
    "rle": uid.RLELossless,
    "jpeg_sv1": uid.JPEGLosslessSV1,
    "jpeg_ls": uid.JPEGLSLossless,
    "jpeg_2000": uid.JPEG2000Lossless,
    "htj2k": uid.HTJ2KLossless,
}
OTHERS = {
    "implicit": uid.ImplicitVRLittleEndian,
    "big_endian": uid.ExplicitVRBigEndian,
    "jpeg": uid.JPEGBaseline8Bit,
    "jpeg_extended": uid.JPEGExtended12Bit,
    "jpeg_lossless": uid.JPEGLossless,
    "htj2k_lossy": uid.HTJ2K,
}
NATIVE = ("raw", "deflated", "implicit", "big_endian")


def rle(pixels: np.ndarray) -> bytes:
    """DICOM RLE (PS3.5 annex G): byte planes from high to low, each row packed."""
    samples = np.atleast_3d(pixels)
    width = pixels.dtype.itemsize
    planes = [
        (samples[..., sample] >> (8 * byte)).astype(np.uint8)
        for sample in range(samples.shape[2])
        for byte in reversed(range(width))
    ]
    segments = [b"".join(imagecodecs.packbits_encode(row) for row in plane) for plane in planes]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    header = np.zeros(16, "<u4")
    header[0] = len(segments)
    header[1 : len(segments) + 1] = 64 + np.cumsum([0, *(len(part) for part in segments[:-1])])
    return header.tobytes() + b"".join(segments)


def codestream(pixels: np.ndarray, encoding: str, bits: int) -> bytes:
    """The pixels' encoded bytes without DICOM around them."""
    encoders = {
        "rle": lambda: rle(pixels),
        "jpeg": lambda: imagecodecs.jpeg8_encode(pixels, level=95),
        "jpeg_extended": lambda: imagecodecs.jpeg8_encode(pixels, level=95, bitspersample=bits),
        "jpeg_lossless": lambda: imagecodecs.jpeg8_encode(
            pixels, lossless=True, predictor=6, bitspersample=bits
        ),
        "jpeg_sv1": lambda: imagecodecs.jpeg8_encode(
            pixels, lossless=True, predictor=1, bitspersample=bits
        ),
        "jpeg_ls": lambda: imagecodecs.jpegls_encode(pixels),
        "jpeg_2000": lambda: imagecodecs.jpeg2k_encode(
            pixels, codecformat="j2k", reversible=True, bitspersample=bits, level=0
        ),
        "htj2k": lambda: imagecodecs.htj2k_encode(pixels, reversible=True),
        "htj2k_lossy": lambda: imagecodecs.htj2k_encode(pixels, reversible=False),
    }
    if encoding == "deflated":
        return imagecodecs.deflate_encode(pixels.tobytes(), raw=True)
    return pixels.tobytes() if encoding in NATIVE else encoders[encoding]()


def write(
    path: Path, pixels: np.ndarray, encoding: str = "raw", bits: int | None = None, **header: Any
) -> bytes:
    """Write (rows, columns[, 3]) integers; `header` adds elements, or leaves them out by None.

    Returns the bytes that a bare decoder gets.
    """
    bits = bits or 8 * pixels.dtype.itemsize
    source = codestream(pixels, encoding, bits)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = (ENCODINGS | OTHERS)[encoding]
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MAMMOGRAPHY, "1.2.3"
    form = {"is_implicit_VR": encoding == "implicit", "is_little_endian": encoding != "big_endian"}
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128, **form)
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = MAMMOGRAPHY, "1.2.3", "MG"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated, dataset.BitsStored = 8 * pixels.dtype.itemsize, bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, int(pixels.dtype.kind == "i")
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    for keyword, value in header.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    if encoding in NATIVE:
        order = ">" if encoding == "big_endian" else "<"
        stored = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
        dataset.PixelData = stored + b"\0" * (len(stored) % 2)
    else:
        dataset.PixelData = encapsulate([source])
    words = encoding in NATIVE and pixels.dtype.itemsize > 1
    dataset["PixelData"].VR = "OW" if words else "OB"
    dataset.save_as(path, enforce_file_format=True)
    return source
