"""What identifies a patient in an archive, and where it stands in results that must not have it."""

import re
from pathlib import Path

import pydicom

IDENTIFYING = ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "SOPInstanceUID")


def identifying_values(archive: Path) -> set[str]:
    """All values of identifying attributes in an archive, as text."""
    values = set()
    for path in archive.rglob("*.dcm"):
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        except (pydicom.errors.InvalidDicomError, EOFError):
            continue
        for name in IDENTIFYING:
            if value := str(dataset.get(name, "")):
                values.add(value)
    assert len(values) > 20
    return values


def leaks(folder: Path, values: set[str]) -> dict[str, set[bytes]]:
    """File -> identifying values in its bytes or in its name, outside private folders."""
    values = {value.encode() for value in values}
    found = {}
    for base in (folder / "results", folder / ".snakemake"):
        for path in base.rglob("*"):
            if not path.is_file() or "private" in path.parts:
                continue
            name, content = str(path.relative_to(folder)), path.read_bytes()
            if hits := standing_in(name.encode(), values) | standing_in(content, values):
                found[name] = hits
    return found


def standing_in(content: bytes, values: set[bytes]) -> set[bytes]:
    """Values in these bytes; numbers only between characters that are no digits, of which results
    hold many."""
    # A plain search passes over bytes 30 times as fast as an expression of all values does.
    return {
        value
        for value in values
        if value in content and re.search(rb"(?<![\d.])" + re.escape(value) + rb"(?!\d)", content)
    }
