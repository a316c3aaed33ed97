"""Where a picture's bytes come from: a path, or the bytes of a file that were checked already."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from foldwise.pixels.memory import memory_left
from foldwise.pixels.picture import UnreadableImage, size_of


@dataclass(frozen=True)
class Listed:
    """A file with the bytes that it had when they were compared with the archive's listing."""

    path: Path
    content: bytes


Source = str | Path | Listed


def path_of(source: Source) -> Path:
    return source.path if isinstance(source, Listed) else Path(source)


def bytes_of(source: Source, limit: int) -> bytes:
    """All bytes. Raises UnreadableImage: missing, not_readable, empty, too_large, out_of_memory."""
    if isinstance(source, Listed):
        return _checked(source.content, limit)
    # By what is left of the job's memory too: a read that fails halfway has cost the time.
    size = size_of(source, min(limit, memory_left()))
    try:
        with open(source, "rb") as stream:
            # By their number: reading to an unknown end copies again and again.
            return stream.read(size)
    except MemoryError:
        raise UnreadableImage("out_of_memory") from None
    except FileNotFoundError:
        raise UnreadableImage("missing") from None
    except OSError:
        raise UnreadableImage("not_readable") from None


def _checked(content: bytes, limit: int) -> bytes:
    if not content:
        raise UnreadableImage("empty")
    if len(content) > limit:
        raise UnreadableImage("too_large")
    return content


@contextmanager
def stream_of(source: Source, limit: int) -> Iterator[tuple[BinaryIO, int]]:
    """A stream and its number of bytes. Raises UnreadableImage as `bytes_of` does."""
    if isinstance(source, Listed):
        yield io.BytesIO(_checked(source.content, limit)), len(source.content)
        return
    size = size_of(source, limit)
    try:
        stream = open(source, "rb")  # noqa: SIM115 (closed below)
    except FileNotFoundError:
        raise UnreadableImage("missing") from None
    except OSError:
        raise UnreadableImage("not_readable") from None
    with stream:
        yield stream, size
