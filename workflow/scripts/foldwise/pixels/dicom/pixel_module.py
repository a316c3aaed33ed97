"""The Image Pixel module of a DICOM header, made plausible."""

from dataclasses import dataclass

from pydicom import uid
from pydicom.dataset import Dataset

from foldwise.pixels.dicom.values import text, whole
from foldwise.pixels.memory import check_size
from foldwise.pixels.picture import UnreadableImage

MODULE = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    "PhotometricInterpretation",
)


@dataclass(frozen=True)
class PixelFacts:
    """What the header says about the pixels, made plausible."""

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: int
    planar: int
    photometric: str
    syntax: uid.UID
    little_endian: bool

    @property
    def order(self) -> str:
        """Byte order as numpy and struct write it."""
        return "<" if self.little_endian else ">"

    @property
    def frame_bytes(self) -> int:
        bits = self.rows * self.columns * self.samples * self.bits_allocated
        return (bits + 7) // 8


def pixel_facts(dataset: Dataset) -> PixelFacts:
    """Read the Image Pixel module; raise `bad_header` where it makes no picture."""
    little_endian = dataset.original_encoding[1]
    native = uid.ExplicitVRLittleEndian if little_endian else uid.ExplicitVRBigEndian
    syntax = uid.UID(text(dataset.file_meta, "TransferSyntaxUID") or native)
    samples = whole(dataset, "SamplesPerPixel", 1)
    allocated = whole(dataset, "BitsAllocated", 0)
    bits = whole(dataset, "BitsStored", 0) or allocated
    facts = PixelFacts(
        rows=whole(dataset, "Rows", 0),
        columns=whole(dataset, "Columns", 0),
        # Some writers put 0 into files of one frame.
        frames=whole(dataset, "NumberOfFrames", 1) or 1,
        samples=samples,
        bits_allocated=allocated,
        bits_stored=bits,
        high_bit=_high_bit(whole(dataset, "HighBit"), bits, allocated),
        signed=whole(dataset, "PixelRepresentation", 0),
        planar=whole(dataset, "PlanarConfiguration", 0),
        photometric=text(dataset, "PhotometricInterpretation").upper()
        or ("MONOCHROME2" if samples == 1 else "RGB"),
        syntax=syntax,
        little_endian=bool(little_endian),
    )
    _check(facts)
    return facts


def _high_bit(stated: int | None, bits: int, allocated: int) -> int:
    """Place of the topmost stored bit; a place that cannot be is taken for the usual one."""
    return stated if stated is not None and bits - 1 <= stated < allocated else bits - 1


def _check(facts: PixelFacts) -> None:
    plausible = (
        # Rows and Columns are 16 bits wide in DICOM (VR US).
        0 < facts.rows < 1 << 16
        and 0 < facts.columns < 1 << 16
        and facts.frames > 0
        and facts.samples in (1, 3, 4)
        and facts.bits_allocated in (1, 8, 16, 32, 64)
        and 0 < facts.bits_stored <= facts.bits_allocated
        and facts.signed in (0, 1)
        and facts.planar in (0, 1)
    )
    if not plausible:
        raise UnreadableImage("bad_header")
    # By what the header claims, before a byte of the pixels is read.
    check_size(facts.frames * facts.rows * facts.columns * facts.samples, facts.bits_allocated)
