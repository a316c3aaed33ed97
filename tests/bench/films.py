"""Made-up mammograms, and DICOM files of them in every encoding that is read."""

from pathlib import Path

import cv2
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


def film(rows: int, columns: int, bits: int = 12, seed: int = 0) -> np.ndarray:
    """(rows, columns) uint16: half an ellipse of structured tissue with grain on black."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : rows * 1j, 0 : 1.05 : columns * 1j]
    depth = np.clip(1 - (y / 0.92) ** 2 - (x / 0.85) ** 2, 0, None)
    texture = np.zeros((rows, columns), np.float32)
    for cells in (6, 20, 70, 240):
        coarse = random.normal(size=(cells, cells)).astype(np.float32)
        texture += cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC) / cells**0.5
    grain = random.normal(size=(rows, columns)).astype(np.float32)
    value = np.sqrt(depth) * (0.55 + 0.25 * texture) + 0.004 * grain * (depth > 0)
    return (np.clip(value, 0, 1) * ((1 << bits) - 1)).astype(np.uint16)


def rle(pixels: np.ndarray) -> bytes:
    """DICOM RLE: the high bytes, then the low bytes, each row packed."""
    planes = (pixels >> 8).astype(np.uint8), (pixels & 255).astype(np.uint8)
    segments = [b"".join(imagecodecs.packbits_encode(row) for row in plane) for plane in planes]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    offsets = [64, 64 + len(segments[0])]
    header = np.zeros(16, "<u4")
    header[:3] = 2, *offsets
    return header.tobytes() + b"".join(segments)


def codestream(pixels: np.ndarray, encoding: str, bits: int) -> bytes:
    """The pixels' encoded bytes without DICOM around them."""
    if encoding == "raw":
        return pixels.tobytes()
    if encoding == "deflated":
        return imagecodecs.deflate_encode(pixels.tobytes(), raw=True)
    if encoding == "rle":
        return rle(pixels)
    if encoding == "jpeg_sv1":
        return imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=bits)
    if encoding == "jpeg_ls":
        return imagecodecs.jpegls_encode(pixels)
    if encoding == "jpeg_2000":
        return imagecodecs.jpeg2k_encode(
            pixels, codecformat="j2k", reversible=True, bitspersample=bits, level=0
        )
    return imagecodecs.htj2k_encode(pixels, reversible=True)


def write(path: Path, pixels: np.ndarray, encoding: str, bits: int = 12) -> bytes:
    """Write a DICOM file; return the bytes that a bare decoder gets."""
    source = codestream(pixels, encoding, bits)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ENCODINGS[encoding]
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MAMMOGRAPHY, "1.2.3"
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = MAMMOGRAPHY, "1.2.3", "MG"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.PixelRepresentation, dataset.SamplesPerPixel = 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.WindowCenter, dataset.WindowWidth = 1 << (bits - 1), 1 << bits
    native = encoding in ("raw", "deflated")
    dataset.PixelData = pixels.tobytes() if native else encapsulate([source])
    dataset["PixelData"].VR = "OW" if native else "OB"
    dataset.save_as(path, enforce_file_format=True)
    return source
