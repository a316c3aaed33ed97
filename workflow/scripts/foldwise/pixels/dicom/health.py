"""What this machine can decode: a tiny built-in film in each transfer syntax, really decoded.

Run `python -m foldwise.pixels.dicom.health` for a table. The film is 8 x 8, 12 bits (8 for
baseline JPEG).
"""

import base64
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydicom import uid
from pydicom.encaps import encapsulate

from foldwise.errors import FoldwiseError
from foldwise.pixels.dicom import decoders
from foldwise.pixels.dicom.encoded import decode_with
from foldwise.pixels.picture import UnreadableImage

# Largest error of a lossy film that still counts as read, in 4096 levels.
TOLERANCE = 64
FILMS = {
    uid.RLELossless: """
        AgAAAEAAAABgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP0A
        /QH9Av0D/QT9Bf0G/Qf9CP0J/Qr9C/0M/Q39Dv0PBwBBgsMERYbHBwhJissMTY7PBxBRktMUVZbXBxhZmtscXZ7f
        ByBhouMkZabnByhpqussba7vBzBxsvM0dbb3Bzh5uvs8fb7/
    """,
    uid.JPEGBaseline8Bit: """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQIBAQEBAQIBAQECAgICAgICAgIDAwQDAwMD
        AwICAwQDAwQEBAQEAgMFBQQEBQQEBAT/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABsQAAAH
        AQAAAAAAAAAAAAAAAAAHCiY0RVHh/9oACAEBAAA/ADLZNfHYOVvB/9k=
    """,
    uid.JPEGExtended12Bit: """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQIBAQEBAQIBAQECAgICAgICAgIDAwQDAwMD
        AwICAwQDAwQEBAQEAgMFBQQEBQQEBAT/wQALDAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABwQAAAG
        AwAAAAAAAAAAAAAAAAALDio3SVVlc//aAAgBAQAAPwAy15NfcBsIMZWvy0w//9k=
    """,
    uid.JPEGLossless: """
        /9j/4AAQSkZJRgABAQAAAQABAAD/wwALDAAIAAgBAREA/8QAFwABAQEBAAAAAAAAAAAAAAAACQcKDP/aAAgBAQAG
        AADn/wCg0Gg0Gg0Gg6CEEQRBEEQRBEE0EIIgiCIIgiCIJoIQRBEEQRBEEQTQQgiCIIgiCIIgmghBEEQRBEEQRBNB
        CCIIgiCIIgiCaCEEQRBEEQRBEE//2Q==
    """,
    uid.JPEGLosslessSV1: """
        /9j/4AAQSkZJRgABAQAAAQABAAD/wwALDAAIAAgBAREA/8QAFgABAQEAAAAAAAAAAAAAAAAABwoM/9oACAEBAAEA
        AM/+goKCgoKCg0EIKCgoKCgoNBCCgoKCgoKDQQgoKCgoKCg0EIKCgoKCgoNBCCgoKCgoKDQQgoKCgoKCg0EIKCgo
        KCgoP//Z
    """,
    uid.JPEGLSLossless: """
        /9j/6AAgU1BJRkYAAgAAAQAAAAgAAAAIChAGAQAAASwAAAEs/+gACAAAAAH/2P/3AAsQAAgACAEBEQD/+AANAf//
        ABIAQwEUAED/2gAIAQEAAAAApAyBkDH+fZAx/QQkFICfp8vV4kEghdrpcrhbrZIBA61dHNycXBPyBm9ubWxrak+I
        FaWhnZmVkXpAjGxMLAvry8IDXVxbW1pZXYD/2Q==
    """,
    uid.JPEGLSNearLossless: """
        /9j/6AAgU1BJRkYAAgAAAQAAAAgAAAAIChAGAQAAASwAAAEs/+gACAAAAAH/2P/3AAsQAAgACAEBEQD/+AANAf//
        ABgATQEiAED/2gAIAQEAAgAAozGYzMy8ZmehGpqYtWLEa6FitY222muhptppplNc7TLLLDKx0MMMLsLrDOuu57nL
        DO5rmuarAP/Z
    """,
    uid.JPEG2000Lossless: """
        /0//UQApAAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABCwEB/1IADAAAAAEAAAQEAAH/XAAEQGD/
        ZAAlAAFDcmVhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAABmAAH/k9/hVBIsQqeXlbFDDtYo
        P97oKcVIuDRWEuF5DpiRhU9D0Zh+EpvOO8N5vXFJxoU3gmJWFbc5znXqSkAMwCgAB0Rl1SPMU4YLXGfa6ymrhOuA
        cNhsNhsNhsP/2Q==
    """,
    uid.JPEG2000: """
        /0//UQApAAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABCwEB/1IADQECAAEAAAQEAACI/1wABUJg
        AP9kACUAAUNyZWF0ZWQgYnkgT3BlbkpQRUcgdmVyc2lvbiAyLjUuNP+QAAoAAAAAAEYAAf+T33moEixCp5eVsUMO
        1ig/3ugpxUi4NFYS4XkOmJGFT0PRmH4Sm847w3m9cUnGhTeCYlYVtznOder/2Q==
    """,
    uid.HTJ2KLossless: """
        /0//UQApQAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABDwEB/1AACAACAAAACf9SAAwAAgABAAEE
        BEAB/1wAByCIiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAFUAAf+TwAAunP9/3/f7/tv2+/51
        fZo/S/993jTfdb8s37YnyZPst/EA9ZdCADG4AMAAKmAAFYAAAADwqnECdQAOdMABB/7AUoHstgD/2Q==
    """,
    uid.HTJ2K: """
        /0//UQApQAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABDwEB/1AACAACAAAAJf9SAAwAAgABAAEE
        BEAA/1wACyJgVmAaYBpvv/9kABcAAU9wZW5KUEggVmVyIDAuMjYuMy7/kAAKAAAAAABHAAH/k8AFvkGv9pk/dslz
        XfFUh7m7p/y5Q/7tjF/7APWXIQAxuADABLABWvCgC+QAVgcPPDj4QOSm7Wo3AP/Z
    """,
}


@dataclass(frozen=True)
class Health:
    """One transfer syntax: the decoders that read its film right, in the order they are tried."""

    syntax: str
    name: str
    readable_by: tuple[str, ...]
    advice: str


def health() -> list[Health]:
    """One entry a transfer syntax that is decoded by a codec; raw and deflated need none."""
    return [_health(syntax) for syntax in decoders.SYNTAXES]


def _health(syntax: uid.UID) -> Health:
    return Health(str(syntax), syntax.name, _readable_by(syntax), decoders.package(syntax))


def require(syntaxes: Mapping[str, int]) -> None:
    """Raise FoldwiseError naming the packages, if any of the syntaxes cannot be read here.

    `syntaxes` are transfer syntaxes with the number of files in each.
    """
    present = [_health(syntax) for syntax in decoders.SYNTAXES if syntax in syntaxes]
    unread = [codec for codec in present if not codec.readable_by]
    if unread:
        what = "; ".join(
            f"{syntaxes[codec.syntax]} files in {codec.name} ({codec.syntax}): {codec.advice}"
            for codec in unread
        )
        raise FoldwiseError(
            f"Decoders are missing for {sum(syntaxes[codec.syntax] for codec in unread)} of "
            f"{sum(syntaxes.values())} DICOM files: {what}. They belong into the environment of "
            f"{sys.executable} (envs/data.yaml names its packages). Then run the same command "
            "again: what was read of the archive is kept."
        )


def film(syntax: str) -> np.ndarray:
    """(8, 8) what the built-in film of a syntax shows."""
    # 65 x 63 = 4095: the ramp ends at the white of 12 bits.
    ramp = (np.arange(64).reshape(8, 8) * 65).astype(np.uint16)
    return (ramp >> 4).astype(np.uint8) if syntax == uid.JPEGBaseline8Bit else ramp


def _readable_by(syntax: uid.UID) -> tuple[str, ...]:
    # RPCL orders the same packets otherwise: of a film with one tile and so few, one serves both.
    lossless = uid.HTJ2KLossless if syntax == uid.HTJ2KLosslessRPCL else syntax
    source = encapsulate([base64.b64decode(FILMS[lossless])])
    shown = film(syntax)
    bits = 8 * shown.itemsize
    options = {
        "rows": 8,
        "columns": 8,
        "number_of_frames": 1,
        "samples_per_pixel": 1,
        "bits_allocated": bits,
        "bits_stored": min(bits, 12),
        "pixel_representation": 0,
        "photometric_interpretation": "MONOCHROME2",
        "pixel_keyword": "PixelData",
    }
    return tuple(
        label for label in decoders.plugins(syntax) if _reads(syntax, source, options, label, shown)
    )


def _reads(syntax: uid.UID, source: bytes, options: dict, label: str, shown: np.ndarray) -> bool:
    try:
        pixels = decode_with(syntax, source, options, label).pixels
    except UnreadableImage:
        return False
    return bool(np.abs(pixels.astype(int) - shown).max() <= TOLERANCE)


def main() -> int:
    """Print the table; 1 if a syntax cannot be read."""
    decoders = health()
    for entry in decoders:
        readable = ", ".join(entry.readable_by) or f"NOT READ: {entry.advice}"
        print(f"{entry.syntax:26} {entry.name[:44]:45} {readable}")
    return int(any(not entry.readable_by for entry in decoders))


if __name__ == "__main__":
    sys.exit(main())
