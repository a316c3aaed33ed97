"""What stored pictures are to whoever feeds a network: `foldwise.pixels.cache.Images` is one."""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np


class Images(Protocol):
    """Pictures of one shape and number type, numbered through."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of a picture; planes beyond the channels are masks."""

    @property
    def dtype(self) -> np.dtype:
        """uint8 or uint16."""

    def places(self, rows: Iterable[dict[str, Any]]) -> np.ndarray:
        """(N,) int64: the numbers of cohort rows' pictures."""

    def inside(self, indices: np.ndarray) -> np.ndarray:
        """(B, 4) part of the square that each picture fills, as top, bottom, left, right.

        Beyond it is nothing; all of it but where `image.fit` is `native`.
        """

    def take(self, indices: np.ndarray, out: np.ndarray) -> object:
        """Copy the pictures `indices` (B,) into `out` (B, C, H, W)."""
