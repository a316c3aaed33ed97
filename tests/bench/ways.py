"""What each way of decoding of our own saves: the same films with one way taken out at a time.

    python tests/bench/ways.py [--quick] [--repeats 5]

CPU milliseconds of one thread, best of several, of reading and preparing a film. A ratio above 1
is what the way saves (or, of the guard, below 1 what it costs). docs/speed.md has the table.
"""

import argparse
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from cache import chain, cpu_ms
from films import film

from dicoms import ENCODINGS, write
from foldwise.pixels import jpeg
from foldwise.pixels.dicom import codestream, encoded, inflate, jpeg_2000, pixel_element
from foldwise.pixels.isolation import Limits, run_isolated
from usual import image_settings


def native_by_pydicom(stream, facts, length):
    """Uncompressed words by pydicom's own decoder."""
    return pixel_element._read_native_by_pydicom(stream, facts, length, "OW").pixels


def inflate_by_zlib(body, size):
    """As pydicom inflates: by the standard library."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, size)


def nothing(*_):
    """In place of a check."""


# Way -> encodings that take it, what it replaces.
WAYS = {
    "native reader": (("raw",), [(pixel_element, "_read_native", native_by_pydicom)]),
    "inflate": (("deflated",), [(inflate, "_inflate", inflate_by_zlib)]),
    "grey shortcut": (
        tuple(name for name in ENCODINGS if name not in ("raw", "deflated")),
        [(encoded, "_decode_grey", nothing)],
    ),
    "guard of streams": (
        tuple(name for name in ENCODINGS if name not in ("raw", "deflated")),
        [
            (codestream, "check", nothing),
            (codestream, "check_end", nothing),
            (codestream, "check_length", nothing),
            (jpeg, "check_complete", nothing),
            (jpeg_2000, "check_complete", nothing),
        ],
    ),
}


def without(replaced: list, work: Callable[[], object], repeats: int) -> float:
    """CPU milliseconds of `work` with functions replaced by plain ones."""
    patches = [patch.object(*one) for one in replaced]
    for one in patches:
        one.start()
    try:
        return cpu_ms(work, repeats)
    finally:
        for one in patches:
            one.stop()


def compare(folder: Path, shape: tuple[int, int], repeats: int) -> None:
    """Print a line for each way and encoding."""
    settings, pixels = image_settings(size=512), film(*shape)
    print(f"{shape[0]} x {shape[1]}, 12 bits, to 512; CPU ms an image")
    print(f"{'way':18} {'encoding':10} {'with':>7} {'without':>8}  without/with")
    for way, (encodings, replaced) in WAYS.items():
        for encoding in encodings:
            path = folder / f"{encoding}.dcm"
            write(path, pixels, encoding, 12)
            ours = cpu_ms(lambda path=path: chain(path, settings), repeats)
            plain = without(replaced, lambda path=path: chain(path, settings), repeats)
            print(f"{way:18} {encoding:10} {ours:7.1f} {plain:8.1f}  {plain / ours:6.2f}")


def isolation(folder: Path, repeats: int) -> None:
    """Print what a child process costs an image beside the same work in this one, wall time."""
    import time

    settings = image_settings(size=512)
    path = folder / "raw.dcm"

    def seconds(work: Callable[[], object]) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    tasks = [path] * 40
    work = lambda one: chain(one, settings)  # noqa: E731 (a child gets it by fork)
    here = min(seconds(lambda: [work(one) for one in tasks]) for _ in range(repeats))
    apart = min(seconds(lambda: run_isolated(work, tasks, 1, Limits())) for _ in range(repeats))
    print(f"{'isolation':18} {'raw':10} {apart * 25:7.1f} {here * 25:8.1f}  {here / apart:6.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller films")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        size = (1024, 1280) if arguments.quick else (2560, 3328)
        compare(Path(name), size, arguments.repeats)
        isolation(Path(name), arguments.repeats)
