"""What a file says of how it is to be shown: lookup tables and windows."""

from dataclasses import dataclass

import numpy as np

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True)
class Lut:
    """A lookup table: `entries` (uint16) from input `first` on; the largest output is `top`."""

    first: int
    entries: np.ndarray
    top: float

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Entries, float64; inputs beyond the ends get the first or the last one."""
        # Clipped before the cast: what is far outside would wrap.
        last = self.first + len(self.entries) - 1
        places = np.clip(np.rint(inputs), self.first, last).astype(np.int64) - self.first
        return self.entries[places].astype(np.float64)

    def grey(self, inputs: np.ndarray) -> np.ndarray:
        """0 (black) to 1 (white)."""
        return self(inputs) / self.top


@dataclass(frozen=True)
class Window:
    """Centre and width in modality values; `function` as PS3.3 C.11.2.1 defines it."""

    centre: float
    width: float
    function: str = "LINEAR"

    def ramp(self) -> tuple[float, float] | None:
        """Inputs that are black and white, ascending; None for a curve or a step."""
        if self.function == "SIGMOID" or (self.function == "LINEAR" and self.width <= 1):
            return None
        # LINEAR counts whole values: it is half a value off and one narrower.
        off = 0.5 if self.function == "LINEAR" else 0.0
        middle, half = self.centre - off, self.width / 2 - off
        return middle - half, middle + half

    def grey(self, inputs: np.ndarray) -> np.ndarray:
        """0 (black) to 1 (white)."""
        ends = self.ramp()
        if ends:
            # A window too narrow for its place shows nothing; whoever asks sees that it is flat.
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.clip((inputs - ends[0]) / (ends[1] - ends[0]), 0, 1)
        if self.function == "LINEAR":
            return (inputs > self.centre - 0.5).astype(np.float64)
        with np.errstate(over="ignore"):  # far below the window: 1 / infinity is black
            return 1 / (1 + np.exp(-4 * (inputs - self.centre) / self.width))
