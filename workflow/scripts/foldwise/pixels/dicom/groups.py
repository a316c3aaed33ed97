"""Attributes that may stand in a functional group instead of the data set itself."""

from collections.abc import Iterator

from pydicom.dataset import Dataset

from foldwise.pixels.dicom.values import values

# What is said of the one frame goes before what is said of all of them.
GROUPS = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")


def holders(dataset: Dataset, macro: str) -> list[Dataset]:
    """The data set and the items of a functional group macro of its only frame (PS3.3 C.7.6.16)."""
    return [dataset, *(item for group in _groups(dataset) for item in values(group, macro)[:1])]


def group_items(dataset: Dataset) -> list[Dataset]:
    """The items of all functional group macros of the first frame."""
    sequences = (
        values(group, element.keyword)
        for group in _groups(dataset)
        for element in group
        if element.VR == "SQ" and element.keyword
    )
    return [items[0] for items in sequences if items]


def _groups(dataset: Dataset) -> Iterator[Dataset]:
    for keyword in GROUPS:
        # The first item: files of several frames are refused before display is asked for.
        yield from values(dataset, keyword)[:1]
