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
    # Numbers count as found only between characters that are no digits: results hold many digits.
    pattern = re.compile(
        "|".join(rf"(?<![\d.]){re.escape(value)}(?!\d)" for value in sorted(values)).encode()
    )
    found = {}
    for base in (folder / "results", folder / ".snakemake"):
        for path in base.rglob("*"):
            if not path.is_file() or "private" in path.parts:
                continue
            hits = set(pattern.findall(str(path.relative_to(folder)).encode()))
            hits |= set(pattern.findall(path.read_bytes()))
            if hits:
                found[str(path.relative_to(folder))] = hits
    return found
