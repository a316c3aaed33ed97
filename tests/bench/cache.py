"""What it costs to read pictures into the cache and out of it, beside other ways, in one run.

    python tests/bench/cache.py [--quick] [--repeats 5]

CPU milliseconds of one thread, best of several. Ratios can be compared between machines;
milliseconds cannot. The films are made up: their size and bits are real, their content is not.
"""

# ruff: noqa: E402 (threads are set before numpy is imported, folders before what lies in them)

import os

# One thread each, before numpy and OpenCV start theirs.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/bench"), str(ROOT / "workflow/scripts")]

import cv2
import imagecodecs
import numpy as np
from films import film
from readers import compare_readers

from dicoms import ENCODINGS, write
from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.digest import pixel_digest
from foldwise.pixels.prepare import ImageSettings, prepare
from usual import image_settings

# Largest chain / codec, smallest naive / chain.
TARGETS = {
    "raw": (None, 15),
    "deflated": (None, None),
    "rle": (None, 8),
    "htj2k": (1.4, 7),
    "jpeg_sv1": (1.2, 6),
    "jpeg_ls": (1.2, 4),
    "jpeg_2000": (1.2, 1.7),
}


def cpu_ms(work: Callable[[], object], repeats: int) -> float:
    """Best CPU time of this process."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best * 1e3


def chain(path: Path, settings: ImageSettings) -> np.ndarray:
    """What the cache does with a file, but for the digest."""
    return prepare(read_picture(path), settings)


def naive(path: Path, size: int) -> np.ndarray:
    """The plain way: pydicom, its window function, float32, scikit-image."""
    from pydicom import dcmread
    from pydicom.pixels import apply_voi_lut
    from skimage.transform import resize

    dataset = dcmread(path)
    image = apply_voi_lut(dataset.pixel_array, dataset).astype(np.float32)
    scale = size / max(image.shape)
    shape = tuple(round(side * scale) for side in image.shape)
    return (resize(image, shape, anti_aliasing=True) * (255 / 4095)).astype(np.uint8)


def codec(source: bytes, encoding: str, pixels: np.ndarray) -> object:
    """The bare decoder on bytes that lie in memory."""
    if encoding == "raw":
        return np.frombuffer(bytearray(source), np.uint16)
    if encoding == "deflated":
        return imagecodecs.deflate_decode(source, raw=True, out=pixels.nbytes)
    if encoding == "rle":
        starts = [*np.frombuffer(source[4:12], "<u4").tolist(), len(source)]
        return [imagecodecs.packbits_decode(source[start:end]) for start, end in pairwise(starts)]
    decoders = {
        "jpeg_sv1": imagecodecs.jpeg8_decode,
        "jpeg_ls": imagecodecs.jpegls_decode,
        "jpeg_2000": imagecodecs.jpeg2k_decode,
        "htj2k": imagecodecs.htj2k_decode,
    }
    return decoders[encoding](source)


def exact(pixels: np.ndarray, size: int) -> np.ndarray:
    """Percentile window and area mean in float64, of a picture whose sides `size` cuts evenly."""
    from foldwise.pixels.resize import area_weights

    low, high = np.percentile(pixels, (0.5, 99.5))
    values = np.clip((pixels - low) / (high - low), 0, 1)
    scale = size / max(pixels.shape)
    rows, columns = (round(side * scale) for side in pixels.shape)
    down = area_weights(pixels.shape[0], rows, 0, pixels.shape[0]).astype(np.float64)
    across = area_weights(pixels.shape[1], columns, 0, pixels.shape[1]).astype(np.float64)
    whole = np.zeros((size, size))
    left, top = (size - columns) // 2, (size - rows) // 2
    whole[top : top + rows, left : left + columns] = (across @ (down @ values).T).T * 255
    return whole


def verdict(value: float, limit: float | None, at_most: bool) -> str:
    if limit is None:
        return f"{value:6.2f}         "
    met = value <= limit if at_most else value >= limit
    return f"{value:6.2f} ({'<=' if at_most else '>='}{limit:4}){' ' if met else '!'}"


def compare_decoding(
    folder: Path, shape: tuple[int, int], size: int, repeats: int, targets: dict
) -> None:
    """Print one line an encoding; `!` marks a missed target."""
    pixels = film(*shape)
    settings = image_settings(size=size)
    print(f"Decode and prepare {shape[0]} x {shape[1]}, 12 bits, to {size}: CPU ms an image")
    print(f"{'encoding':10} {'naive':>7} {'chain':>7} {'codec':>7}   chain/codec      naive/chain")
    for encoding in ENCODINGS:
        path = folder / f"{encoding}.dcm"
        source = write(path, pixels, encoding, 12)
        plain = cpu_ms(lambda path=path: naive(path, size), max(2, repeats // 2))
        ours = cpu_ms(lambda path=path: chain(path, settings), repeats)
        bare = cpu_ms(lambda s=source, e=encoding: codec(s, e, pixels), repeats)
        over, under = targets.get(encoding, (None, None))
        ratios = verdict(ours / bare, over, True), verdict(plain / ours, under, False)
        print(f"{encoding:10} {plain:7.1f} {ours:7.1f} {bare:7.1f}   {ratios[0]}  {ratios[1]}")
    error = chain(folder / "raw.dcm", settings)[0] - exact(pixels, size)
    rmse = float(np.sqrt((error**2).mean()))
    print(
        f"error against the exact area mean: max {np.abs(error).max():.4f} (<= .5), rmse {rmse:.3f}"
    )
    picture = read_picture(folder / "raw.dcm")
    parts = {
        "breast box and all": lambda: prepare(picture, image_settings(size=size, fit="breast")),
        "digest": lambda: pixel_digest(picture),
    }
    for name, work in parts.items():
        print(f"{name}: {cpu_ms(work, repeats):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small films, seconds")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    shape, size, images = ((832, 640), 128, 200) if options.quick else ((3328, 2560), 512, 2000)
    with tempfile.TemporaryDirectory() as folder:
        targets = {} if options.quick else TARGETS  # they are for whole films
        compare_decoding(Path(folder), shape, size, options.repeats, targets)
        print()
        compare_readers(Path(folder), size, images, options.repeats)


if __name__ == "__main__":
    main()
