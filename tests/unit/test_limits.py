"""Files that claim more than they hold, or need more than a job has: a reason, soon."""

import resource
import struct
import time
import zlib
from functools import partial

import imagecodecs
import numpy as np
import pytest
import tifffile
from pydicom import dcmread

import dicoms
from dicoms import write
from foldwise.errors import FoldwiseError
from foldwise.pixels.cache import Crew, write_shard
from foldwise.pixels.decode import dicom, images
from foldwise.pixels.isolation import Died, Limits, run_isolated
from foldwise.pixels.picture import UnreadableImage
from usual import image_settings

# What a job of the rule's own memory gives a picture.
JOB = Limits.of_job(1500, 1)
SMALL = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)


def read(decoder, path) -> tuple[str, int]:
    """Reason or `ok`, and the most kilobytes that the process had."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        decoder.read([path], image_settings(size=64))
        reason = "ok"
    except UnreadableImage as error:
        reason = error.reason
    except MemoryError:
        reason = "out_of_memory"
    return reason, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def refused(decoder, path) -> str:
    """The reason, after little time and memory."""
    started = time.monotonic()
    ((reason, kilobytes),) = run_isolated(partial(read, decoder), [path], 1, JOB)
    assert time.monotonic() - started < 10
    assert kilobytes < 400_000
    return reason


def deflated(path, elements: bytes, rows: int, columns: int) -> None:
    """A deflated file of few bytes: what its header says, then `elements`."""
    write(path, SMALL, "deflated", 12, Rows=rows, Columns=columns)
    dataset = dcmread(path)
    del dataset.PixelData
    dataset.save_as(path)
    content = path.read_bytes()
    length = struct.unpack_from("<I", content, 140)[0]
    meta, body = content[: 144 + length], content[144 + length :]
    plain = zlib.decompress(body, -zlib.MAX_WBITS)
    squeeze = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    path.write_bytes(meta + squeeze.compress(plain + elements) + squeeze.flush())


def test_a_deflated_file_is_inflated_as_far_as_its_header_says(tmp_path):
    bomb = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 1 << 28) + bytes(1 << 28)
    deflated(tmp_path / "a", bomb, 64, 64)
    assert refused(dicom.Decoder(), tmp_path / "a") == "constant"
    deflated(tmp_path / "b", bomb, 40_000, 40_000)
    assert refused(dicom.Decoder(), tmp_path / "b") == "too_large"
    behind = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 8192) + SMALL.tobytes()
    behind += struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, 1 << 28) + bytes(1 << 28)
    deflated(tmp_path / "c", behind, 64, 64)
    assert refused(dicom.Decoder(), tmp_path / "c") == "ok"


def claiming(stream: bytes, rows: int, columns: int, encoding: str) -> bytes:
    """The same stream under a header that claims another size."""
    if encoding in ("jpeg_2000", "htj2k"):
        sizes = struct.pack(">4I", columns, rows, 0, 0)
        tiles = struct.pack(">2I", columns, rows)
        return stream[:8] + sizes + tiles + stream[32:]
    marker = {"jpeg": b"\xff\xc0", "jpeg_sv1": b"\xff\xc3", "jpeg_ls": b"\xff\xf7"}.get(encoding)
    marker = marker or b"\xff\xc1"
    place = stream.index(marker) + 5
    return stream[:place] + struct.pack(">2H", rows, columns) + stream[place + 4 :]


@pytest.mark.parametrize("side", [40_000, 65_000])
@pytest.mark.parametrize(
    "encoding", ["jpeg", "jpeg_extended", "jpeg_sv1", "jpeg_ls", "jpeg_2000", "htj2k", "rle", "raw"]
)
def test_small_streams_that_claim_much(tmp_path, monkeypatch, encoding, side):
    plain = dicoms.codestream

    def lied(*how) -> bytes:
        stream = plain(*how)
        return stream if encoding in ("rle", "raw") else claiming(stream, side, side, encoding)

    monkeypatch.setattr(dicoms, "codestream", lied)
    bits = 8 if encoding == "jpeg" else 12
    pixels = (SMALL >> 4).astype(np.uint8) if bits == 8 else SMALL
    write(tmp_path / "a", pixels, encoding, bits, Rows=side, Columns=side)
    assert refused(dicom.Decoder(), tmp_path / "a") in ("too_large", "truncated", "damaged")


@pytest.mark.parametrize("side", [7_000, 8_000])
@pytest.mark.parametrize("encoding", ["jpeg", "jpeg_sv1", "jpeg_ls", "jpeg_2000", "htj2k"])
def test_claims_that_would_fit_end_soon_too(tmp_path, monkeypatch, encoding, side):
    plain = dicoms.codestream
    monkeypatch.setattr(
        dicoms, "codestream", lambda *how: claiming(plain(*how), side, side, encoding)
    )
    bits = 8 if encoding == "jpeg" else 12
    pixels = (SMALL >> 4).astype(np.uint8) if bits == 8 else SMALL
    write(tmp_path / "a", pixels, encoding, bits, Rows=side, Columns=side)
    (found,) = run_isolated(partial(read, dicom.Decoder()), [tmp_path / "a"], 1, JOB)
    assert not isinstance(found, Died)
    assert found[0] != "ok"


@pytest.mark.parametrize("encoding", ["jpeg_2000", "htj2k"])
def test_a_small_stream_of_wavelets_is_refused_before_it_is_decoded(
    tmp_path, monkeypatch, encoding
):
    stream = claiming(dicoms.codestream(SMALL, encoding, 12), 8_000, 8_000, encoding)
    monkeypatch.setattr(dicoms, "codestream", lambda *how: stream)
    write(tmp_path / "a", SMALL, encoding, 12, Rows=8_000, Columns=8_000)
    for name in ("jpeg2k_decode", "htj2k_decode"):
        monkeypatch.setattr(imagecodecs, name, lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(UnreadableImage) as error:
        dicom.Decoder().read([tmp_path / "a"], image_settings(size=32))
    assert error.value.reason == "truncated"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_plain_pictures_that_claim_much(tmp_path):
    stream = imagecodecs.jpeg8_encode((SMALL >> 4).astype(np.uint8))
    (tmp_path / "a.jpg").write_bytes(claiming(stream, 12_000, 12_000, "jpeg"))
    assert refused(images.Decoder(), tmp_path / "a.jpg") in ("truncated", "too_large")
    header = struct.pack(">2I5B", 12_000, 12_000, 8, 0, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    assert refused(images.Decoder(), tmp_path / "a.png") in ("truncated", "too_large")
    wide = np.zeros((9000, 9000), np.uint8)
    wide[0, 0] = 1
    tifffile.imwrite(tmp_path / "a.tif", wide, compression="deflate")
    assert refused(images.Decoder(), tmp_path / "a.tif") == "too_large"


@pytest.mark.parametrize("encoding", ["raw", "jpeg_sv1", "jpeg_2000"])
def test_the_largest_picture_that_is_let_through_fits(tmp_path, encoding):
    """Three of a mammogram's size in one, with the memory of a job of the rule."""
    pixels = np.tile(np.arange(4096, dtype=np.uint16), (5000, 2))
    write(tmp_path / "a", pixels, encoding, 12)
    ((reason, kilobytes),) = run_isolated(partial(read, dicom.Decoder()), [tmp_path / "a"], 1, JOB)
    assert (reason, kilobytes < 1_100_000) == ("ok", True)


def filled(content: str):
    """A reader that takes memory without a header that tells."""
    if "x" in content:
        np.ones(3 << 28, np.uint8)
        return "taken"
    raise UnreadableImage("truncated")


def test_a_picture_beyond_its_memory_goes_to_quarantine_many_stop_the_job(tmp_path):
    outs = tmp_path / "a.npy", tmp_path / "a.json"
    crew = Crew(1, Limits(memory=1 << 28))
    shape = (1, 4, 4)
    rows = write_shard(filled, ["a", "x", "b"], shape, np.uint8, outs, crew)
    assert [row["status"] for row in rows] == ["truncated", "too_large", "truncated"]
    with pytest.raises(FoldwiseError, match=r"3 of 4 images .* Raise mem_mb of rule cache_shard"):
        write_shard(filled, ["a", "x", "x2", "x3"], shape, np.uint8, outs, crew)


def test_a_job_of_more_memory_takes_larger_pictures_for_longer():
    small, large = Limits.of_job(1500, 1), Limits.of_job(8000, 1)
    assert large.memory > 5 * small.memory
    assert large.seconds > 5 * small.seconds
    assert Limits.of_job(1500, 2).memory == small.memory // 2
