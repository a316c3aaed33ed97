"""What a reader hands to the cache."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

# A fact of pictures in colour, and of no others.
IN_COLOUR = "in_colour"


@dataclass(frozen=True)
class Prepared:
    """One row of a cache: pixels (C, H, W), digest of the picture, facts for the audit."""

    pixels: np.ndarray
    digest: str
    facts: dict[str, Any] = field(default_factory=dict)
    # Of the pixels as they are cached, taken before they are written.
    checksum: int = 0
