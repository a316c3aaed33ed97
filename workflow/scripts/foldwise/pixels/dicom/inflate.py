"""Deflated DICOM files as plain ones, in memory."""

import io
import struct
import zlib

from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from foldwise.pixels.dicom.codecs import imagecodecs
from foldwise.pixels.dicom.pixel_module import MODULE, pixel_facts
from foldwise.pixels.picture import UnreadableImage

HEAD = 1 << 18  # bytes that hold any header worth reading


def plain(content: bytes, header_only: bool) -> io.BytesIO:
    """The same file with its elements inflated; with `header_only` their first bytes alone.

    Raises UnreadableImage: truncated, too_large, bad_header, long_header; zlib.error for bytes that
    are not deflated.
    """
    end = _meta_end(content)
    # The syntax that the inflated bytes have, filled up to the same length.
    syntax = ExplicitVRLittleEndian.encode().ljust(len(DeflatedExplicitVRLittleEndian), b"\0")
    meta = content[:end].replace(DeflatedExplicitVRLittleEndian.encode(), syntax)
    body = memoryview(content)[end:]
    # Negative: DICOM deflates without zlib's own header (PS3.5 A.5).
    head = zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, HEAD)
    if header_only or len(head) < HEAD:
        return io.BytesIO(meta + head)
    return io.BytesIO(meta + _inflate(body, _size_of(meta + head) - len(meta)))


def _inflate(body: memoryview, size: int) -> bytes:
    """The first `size` bytes, by libdeflate, three times faster, if these are all; else by zlib."""
    if imagecodecs is not None:
        try:
            return imagecodecs.deflate_decode(body, raw=True, out=size)
        except imagecodecs.DeflateError:
            pass  # more elements after the pixels, or a file cut short: zlib tells which
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, size)
    if len(inflated) < size:
        raise UnreadableImage("truncated")
    return inflated


def _size_of(start: bytes) -> int:
    """Bytes up to the end of the pixels that the header describes.

    What it claims is checked before anything is inflated: three megabytes may hold gigabytes.
    Raises UnreadableImage also as `pixel_facts` does; long_header for one longer than HEAD.
    """
    stream = io.BytesIO(start)
    dataset = dcmread(stream, stop_before_pixels=True, specific_tags=list(MODULE))
    head = stream.read(12)
    if len(head) < 12:
        raise UnreadableImage("long_header")
    facts = pixel_facts(dataset)
    (length,) = struct.unpack_from("<I", head, 8)
    # The smaller one: a length that is not defined, or made up, must not decide what is inflated.
    return stream.tell() + min(length, facts.frames * facts.frame_bytes)


def _meta_end(start: bytes) -> int:
    """Offset after the last element of group 2 (always explicit VR, little endian)."""
    offset = 132 if start[128:132] == b"DICM" else 0
    while start[offset : offset + 2] == b"\x02\0":
        long_form = start[offset + 4 : offset + 6] in (b"OB", b"UN", b"UT")
        place, form = (offset + 8, "<I") if long_form else (offset + 6, "<H")
        offset = place + struct.calcsize(form) + struct.unpack_from(form, start, place)[0]
    return offset
