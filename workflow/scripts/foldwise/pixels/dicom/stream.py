"""Opening DICOM files: recognised, inflated, parsed up to the pixels, in silence."""

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from foldwise.pixels.dicom.inflate import plain
from foldwise.pixels.picture import UnreadableImage
from foldwise.pixels.source import Source, stream_of

MAX_BYTES = 4 << 30
# A header of a single frame has some hundred elements, each of about three reads. pydicom takes up
# to 70 microseconds for an item: these end within two seconds what is made to keep it busy.
MAX_READS = 50_000
# Values that are kept, sequences among them: a lookup table of 65,536 entries has 128 KiB.
MAX_VALUE_BYTES = 512 << 10
DEFLATED = DeflatedExplicitVRLittleEndian


class Bounded:
    """A stream for parsing that ends what reads it too often, or too much at once."""

    def __init__(self, source: BinaryIO) -> None:
        self.seek, self.tell, self._read = source.seek, source.tell, source.read
        self._left, self.is_over = MAX_READS, False

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0 or not 0 <= size <= MAX_VALUE_BYTES:
            self.is_over = True
            raise UnreadableImage("long_header")
        return self._read(size)


@contextmanager
def silence() -> Iterator[None]:
    """pydicom's warnings and log lines quote header values: none of them may be seen."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def faults(reason: str) -> Iterator[None]:
    """Turn whatever a library raises on a bad file into `reason`; its text is dropped.

    Libraries raise more than a dozen types on damaged files, with header values in their texts.
    """
    try:
        with silence():
            yield
    except UnreadableImage:
        raise
    except MemoryError:
        raise UnreadableImage("out_of_memory") from None
    except EOFError:
        raise UnreadableImage("truncated") from None
    except PermissionError:
        raise UnreadableImage("not_readable") from None
    except FileNotFoundError:
        raise UnreadableImage("missing") from None
    except Exception:
        raise UnreadableImage(reason) from None


def looks_like_dicom(start: bytes) -> bool:
    """`DICM` after the preamble, or a first element of group 2 or 8 in either byte order."""
    if start[128:132] == b"DICM":
        return True
    if len(start) < 16:
        return False
    groups = {struct.unpack(order + "HH", start[:4]) for order in "<>"}
    # Group 2 opens files without a preamble, group 8 those without meta information too.
    return any(group in (2, 8) and element < 0x0100 for group, element in groups)


@contextmanager
def open_dicom(
    source: Source, keywords: list[str], header_only: bool = True
) -> Iterator[tuple[Dataset, BinaryIO]]:
    """Give the header and a stream that stands at the pixel element, or at the end.

    Of the header only the elements `keywords` are kept. With `header_only` no more than the
    beginning of a deflated file is inflated, otherwise the stream of one is plain.
    """
    with stream_of(source, MAX_BYTES) as (stream, size):
        with faults("damaged"):
            start = stream.read(1024)
            if not looks_like_dicom(start):
                raise UnreadableImage("not_dicom")
            stream.seek(0)
            if DEFLATED.encode() in start:
                stream = plain(stream.read(size), header_only)
            dataset = parse(stream, keywords)
        yield dataset, stream


def parse(source: BinaryIO, keywords: list[str]) -> Dataset:
    """The header up to the pixels, of it only `keywords`; the source then stands at the pixels."""
    bounded = Bounded(source)
    try:
        # `force`: `looks_like_dicom` has decided already, and takes files without a preamble.
        return dcmread(bounded, stop_before_pixels=True, force=True, specific_tags=keywords)
    except Exception:
        if bounded.is_over:  # pydicom makes an error of its own of what a stream raises
            raise UnreadableImage("long_header") from None
        raise
