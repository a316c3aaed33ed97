"""Values of DICOM elements, read with tolerance for what writers get wrong."""

import math
import re
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def raw_text(dataset: Dataset, keyword: str) -> str:
    """The element's bytes as text, for a value that its own type refuses."""
    value = getattr(dataset.get_item(Tag(keyword)), "value", b"")
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")


def values(dataset: Dataset, keyword: str) -> list[Any]:
    """All values of an element; an absent or empty one has none."""
    if keyword not in dataset:
        return []
    try:
        value = dataset[keyword].value
    except Exception:  # pydicom converts late: what it raises depends on the value
        value = raw_text(dataset, keyword)
    if isinstance(value, bytes):
        # latin-1 decodes any byte: what is asked of such a value is digits and terms.
        value = value.decode("latin-1")
    if isinstance(value, str):
        value = value.split("\\")
    if value is None:
        return []
    return list(value) if hasattr(value, "__iter__") else [value]


def text(dataset: Dataset, keyword: str) -> str:
    """First value as text without padding; empty when absent."""
    listed = values(dataset, keyword)
    return str(listed[0]).strip(" \0\t\r\n") if listed else ""


def as_number(value: Any) -> float | None:
    """The number at the start of a value: `1,5`, `0.07 mm`, `1A`; None if there is none."""
    match = NUMBER.match(str(value).strip(" \0").replace(",", "."))
    result = float(match.group()) if match else math.nan
    return result if math.isfinite(result) else None


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """The values that are finite numbers."""
    parsed = (as_number(value) for value in values(dataset, keyword))
    return [value for value in parsed if value is not None]


def number(dataset: Dataset, keyword: str) -> float | None:
    """First number, or None."""
    parsed = numbers(dataset, keyword)
    return parsed[0] if parsed else None


def whole(dataset: Dataset, keyword: str, default: int | None = None) -> int | None:
    """First number as an integer, or the default."""
    value = number(dataset, keyword)
    return default if value is None else int(value)
