"""A decoded picture as it is stored, and the one way in which a picture can fail."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from foldwise.errors import FoldwiseError
from foldwise.pixels.display import Lut, Window

# Reason codes reach logs, audit tables and caches; the sentences hold no value from the file.
REASONS = {
    "missing": "the file is not there",
    "changed": "the file holds other bytes than when the archive was listed",
    "not_readable": "the file cannot be opened; check its permissions",
    "empty": "the file has no bytes",
    "not_dicom": "the file is not DICOM",
    "not_a_picture": "the file is no picture of a kind that is read: PNG, JPEG, TIFF, PGM",
    "truncated": "the file ends before its pixels do; copy it again from the source",
    "damaged": "the structure of the file is broken; copy it again from the source",
    "long_header": "the header holds more elements, or a longer one, than a picture needs",
    "no_pixels": "the file holds no pixels: a report, a plan or an index",
    "bad_header": "rows, columns or bits are missing or impossible",
    "bad_rescale": "slope or intercept is no number, or leaves no values apart",
    "wrong_transfer_syntax": "the pixels are not encoded as the header says",
    "unknown_transfer_syntax": "the encoding of the pixels is not one that is read",
    "missing_decoder": "a decoder is missing",
    "decode_failed": "every decoder refused the pixels",
    "decoder_crashed": "the decoder ended the process that ran it",
    "too_slow": "decoding took longer than the limit",
    "many_frames": "the file holds several frames; one is expected",
    "sample_format": "the samples are of a kind that is not read; convert it to 8 or 16 bits",
    "colour": "the colour space cannot be turned into grey or RGB",
    "too_large": "the picture needs more memory than its job has",
    "out_of_memory": "the picture does not fit into memory",
    "not_finite": "the picture holds values that are no numbers, or too large for any",
    "constant": "all pixels have one value",
    "mask_unreadable": "the mask cannot be read",
    "mask_orientation": "the mask is NIfTI and its image is not, so how they lie is not known",
    "mask_size": "the mask has another size than its image",
    "swapped_mask": "the image has two values and the mask many, as if they had changed places",
    "mask_dim": "the mask has values other than 0 but none above half of its scale",
}

# Reasons that say something of this machine or this moment and nothing of the picture, with what
# to do: no verdict on it may be remembered.
PASSING = {
    "missing": "Put the archive back or mount its disk.",
    "changed": "The archive is listed anew by the next run.",
    "not_readable": "Check permissions and the archive's disk.",
    "missing_decoder": "Install what envs/data.yaml names.",
    "out_of_memory": "Raise mem_mb of rule cache_shard or lower its threads.",
}


class UnreadableImage(FoldwiseError):
    """One picture cannot be used: `reason` is a key of REASONS; the text names no file.

    Such a picture goes to quarantine; the caller knows which it was.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        self.reason, self.hint = reason, hint
        super().__init__(f"{REASONS[reason]}{': ' if hint else ''}{hint}")

    def __reduce__(self) -> tuple:
        # Pickled between processes by its own arguments, not by the text that Exception keeps.
        return type(self), (self.reason, self.hint)


def size_of(path: str | Path, limit: int) -> int:
    """Bytes of a regular file; raises UnreadableImage: missing, not_readable, empty, too_large.

    Opening what is no file (a pipe) could wait forever.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise UnreadableImage("missing") from None
    except OSError:
        raise UnreadableImage("not_readable") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableImage("not_readable")
    if status.st_size == 0:
        raise UnreadableImage("empty")
    if status.st_size > limit:
        raise UnreadableImage("too_large")
    return status.st_size


@dataclass(frozen=True)
class Picture:
    """Pixels before any grey-level transform, with what the transforms need.

    `stored` is (rows, columns) or (rows, columns, 3) RGB, integer or float, native byte order.
    `full_shape` is the size before JPEG 2000 levels were left out (`reduced` of them).
    """

    stored: np.ndarray
    photometric: str = "MONOCHROME2"
    bits_stored: int = 8
    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: Lut | None = None
    # What the file offers for showing it, the first that shows anything is used.
    voi: tuple[Lut | Window, ...] = ()
    # (rows, columns) bool: pixels outside of what was imaged; None where there are none.
    padding: np.ndarray | None = None
    reduced: int = 0
    full_shape: tuple[int, int] = field(default=(0, 0))

    def __post_init__(self) -> None:
        if self.full_shape == (0, 0):
            # The way in which frozen dataclasses set a field themselves.
            object.__setattr__(self, "full_shape", self.stored.shape[:2])

    @property
    def seen(self) -> np.ndarray:
        """Stored values without padding; flat where some was left out."""
        return self.stored if self.padding is None else self.stored[~self.padding]

    @property
    def signed(self) -> bool:
        return self.stored.dtype.kind == "i"

    @property
    def stored_range(self) -> tuple[int, int]:
        """Smallest and largest value that `bits_stored` bits can hold."""
        if self.signed:
            return -(1 << (self.bits_stored - 1)), (1 << (self.bits_stored - 1)) - 1
        return 0, (1 << self.bits_stored) - 1

    @property
    def is_integer(self) -> bool:
        return self.stored.dtype.kind in "iu"
