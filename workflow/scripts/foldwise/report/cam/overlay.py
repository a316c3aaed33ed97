"""A heat map on a film, so that both stay visible, in colour and in grey."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np

# Grows evenly in brightness, so that a map can be read in print without colours.
HEAT = "inferno"
STRONGEST = 0.6  # Opacity where the map is 1: the film stays visible beneath.


def grey_levels(image_chw: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """(H, W) uint8 of a normalised image (C, H, W): the mean over channels, as it was stored."""
    back = image_chw * np.reshape(std, (-1, 1, 1)) + np.reshape(mean, (-1, 1, 1))
    return np.clip(np.round(back.mean(axis=0) * 255), 0, 255).astype(np.uint8)


def overlay(film: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 of a film and its map, (H, W) uint8 each; where the map is 0, the film."""
    share = heat[..., None] / 255.0
    colour = mpl.colormaps[HEAT](heat)[..., :3]
    # Opacity grows with the map: where it says nothing, the film is not tinted.
    mixed = film[..., None] / 255.0 * (1 - STRONGEST * share) + STRONGEST * share * colour
    return np.round(255 * mixed).astype(np.uint8)
