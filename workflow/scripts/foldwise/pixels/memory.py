"""How much memory a picture may take: what is left of a worker's share of its job's."""

from pathlib import Path

from foldwise.pixels.picture import UnreadableImage

try:
    import resource
except ImportError:  # no limits where the system has none
    resource = None

# 4 GiB where no limit is known, as for the files themselves.
UNLIMITED = 4 << 30
# Bytes that decoding, digest and preparation together take of each sample, measured: 16 of
# 8 or 16 bits (JPEG 2000 the most), 40 of wider ones, which are computed with in double precision.
NARROW, WIDE = 16, 40


def limit_memory(more: int) -> None:
    """Let this process take `more` bytes than it has now: what asks for others gets an error.

    Otherwise the system would kill the whole job, and nobody could tell which picture it was.
    """
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_data_bytes() + more, most))


def memory_left() -> int:
    """Bytes that this process may still take."""
    if resource is None:
        return UNLIMITED
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return UNLIMITED if limit == resource.RLIM_INFINITY else max(0, limit - _data_bytes())


def _data_bytes() -> int:
    """What RLIMIT_DATA counts of this process; 0 where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    # The system counts in KiB.
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmData")), 0)


def check_size(samples: int, bits: int) -> None:
    """Raise too_large for a picture of so many samples that does not fit, before it is decoded."""
    if samples * (NARROW if bits <= 16 else WIDE) > memory_left():
        raise UnreadableImage("too_large")
