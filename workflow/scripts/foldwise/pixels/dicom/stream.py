"""Opening DICOM files: recognised, inflated, parsed up to the pixels, in silence."""

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from foldwise.pixels.dicom.inflate import plain
from foldwise.pixels.picture import UnreadableImage, size_of

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
    """Give the header and a stream that stands at the pixel element, or at the end.

    With `keywords`, of the header only these elements, and no pixels: of a deflated file only the
    beginning is inflated then. Otherwise the stream of a deflated file is plain.
    """
    size = size_of(path, MAX_BYTES)
    with faults("not_readable"):
        stream = open(path, "rb")  # noqa: SIM115 (closed below)
    with stream:
        with faults("damaged"):
            start = stream.read(1024)
            if not looks_like_dicom(start):
                raise UnreadableImage("not_dicom")
            stream.seek(0)
            deflated = DEFLATED.encode() in start
            source = plain(stream.read(size), keywords is not None) if deflated else stream
            dataset = parse(source, keywords)
        yield dataset, source


def parse(source: BinaryIO, keywords: list[str] | None) -> Dataset:
    return dcmread(source, stop_before_pixels=True, force=True, specific_tags=keywords)
