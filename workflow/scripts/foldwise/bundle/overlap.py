"""Whether pictures of a site were among those that a bundle's models learned from.

Compared are prepared pixels by keyed digests: equal files give equal ones, in whatever encoding
they came. What differs by one grey level is not found, and neither is another picture of the same
patient: "none" says that no picture is the same, and no more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foldwise.bundle.cohort_facts import planes
from foldwise.errors import plural
from foldwise.pixels.cache import Images
from foldwise.settings.groups import units_of
from foldwise.settings.shared_key import key_id, picture_name

NOT_CARRIED, NO_KEY, COMPARED = "not carried", "no key", "compared"


def picture_names(images: Images, places: np.ndarray, channels: int, key: bytes) -> list[str]:
    """A keyed name a picture; what is not of the image (masks) has no part in it."""
    return [
        # With the shape: else a tall and a wide picture could be one.
        picture_name(key, f"{one.shape}{one.dtype}".encode() + one.tobytes())
        for part in planes(images, places, channels)
        for one in part
    ]


def carried(images: Images, places: np.ndarray, channels: int, key: bytes) -> dict[str, Any]:
    """What a bundle carries: names in an order of their own, and which key made them."""
    names = set(picture_names(images, places, channels, key))
    # Sorted: the order of rows would say which pictures are one patient's.
    return {"key": key_id(key), "pictures": sorted(names)}


def compared(manifest: Mapping[str, Any], names: Sequence[str] | None) -> tuple[str, list[bool]]:
    """The state of the comparison, and whether each picture here was in the training."""
    trained = manifest["overlap"]
    if names is None:
        return NOT_CARRIED if trained is None else NO_KEY, []
    learned = set(trained["pictures"])
    return COMPARED, [name in learned for name in names]


def counted(state: str, same: Sequence[bool], groups: Sequence[str]) -> dict[str, Any]:
    """What may leave the site: counts."""
    inside = {group for group, own in zip(groups, same, strict=False) if own}
    return {"state": state, "n": len(same), "same": sum(same), "groups": len(inside)}


def in_words(overlap: Mapping[str, Any], group_by: str, option: str = "validate.pixel_key") -> str:
    """What can be said of patients of the training among those here, in a sentence.

    option: what names the key here.
    """
    if overlap["state"] == NOT_CARRIED:
        return (
            "Whether patients of the training cohort are among these cannot be known from a "
            "bundle, which names none: ask both sites."
        )
    if overlap["state"] == NO_KEY:
        return (
            "The bundle carries keyed digests of the training's pictures; without their key "
            f"({option}) it cannot be known whether any is among these."
        )
    if not overlap["same"]:
        return (
            f"None of {plural(overlap['n'], 'picture')} here is one of the training's, pixel for "
            f"pixel; of other pictures of the same {units_of(group_by)} nothing can be known."
        )
    return (
        f"{plural(overlap['same'], 'picture')} of {overlap['groups']} {units_of(group_by)} here "
        f"{'is' if overlap['same'] == 1 else 'are'} the training's own, pixel for pixel, so that "
        "these figures flatter the models: private/in_training.csv lists them. Name a copy of it "
        "in data.exclusions, and measure again."
    )
