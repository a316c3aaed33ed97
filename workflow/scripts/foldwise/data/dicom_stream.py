"""Opening DICOM files: recognised, inflated, parsed up to the pixels, in silence."""

import io
import logging
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from foldwise.data.picture import UnreadableImage

MAX_BYTES = 4 << 30
DEFLATED = DeflatedExplicitVRLittleEndian


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
    return any(group in (2, 8) and element < 0x0100 for group, element in groups)


@contextmanager
def open_dicom(
    path: str | Path, keywords: list[str] | None = None
) -> Iterator[tuple[Dataset, BinaryIO]]:
    """Give the header (of all elements, or those named) and a stream that stands at the pixels.

    A deflated file is inflated first, so that the stream is plain either way.
    """
    with faults("not_readable"):
        stream = open(path, "rb")  # noqa: SIM115 (closed below)
    with stream:
        with faults("damaged"):
            size = os.fstat(stream.fileno()).st_size
            if size == 0:
                raise UnreadableImage("empty")
            if size > MAX_BYTES:
                raise UnreadableImage("too_large")
            source = _plain(stream)
            dataset = dcmread(source, stop_before_pixels=True, force=True, specific_tags=keywords)
        yield dataset, source


def _plain(stream: BinaryIO) -> BinaryIO:
    """The stream itself, or an inflated copy in memory with the same file meta group."""
    start = stream.read(1024)
    if not looks_like_dicom(start):
        raise UnreadableImage("not_dicom")
    if DEFLATED.encode() not in start:
        stream.seek(0)
        return stream
    end = _meta_end(start)
    stream.seek(end)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflate.decompress(stream.read(), MAX_BYTES)
    if inflate.unconsumed_tail:
        raise UnreadableImage("too_large")
    if not inflate.eof:
        raise UnreadableImage("truncated")
    # The syntax that the inflated bytes have: one that is as long, padded with zeros.
    plain = ExplicitVRLittleEndian.encode().ljust(len(DEFLATED), b"\0")
    meta = start[:end].replace(DEFLATED.encode(), plain)
    return io.BytesIO(meta + content)


def _meta_end(start: bytes) -> int:
    """Offset after the last element of group 2 (always explicit VR, little endian)."""
    offset = 132 if start[128:132] == b"DICM" else 0
    while start[offset : offset + 2] == b"\x02\0":
        long_form = start[offset + 4 : offset + 6] in (b"OB", b"UN", b"UT")
        place, form = (offset + 8, "<I") if long_form else (offset + 6, "<H")
        offset = place + struct.calcsize(form) + struct.unpack_from(form, start, place)[0]
    return offset
