"""Codes that may leave the archive: DICOM's defined terms, never whatever a header says there.

A header's text is typed by people: where a view should stand may stand a name or a date of birth.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foldwise.cohort.archive import HeaderFacts

# Modalities of pictures (PS3.3 C.7.3.1.1.1). OT is not among them: of "other" nothing is known.
MODALITIES = {"CR", "CT", "DX", "ECG", "EPS", "ES", "GM", "IO", "IVOCT", "IVUS", "MG", "MR", "NM"}
MODALITIES |= {"OCT", "OP", "OPT", "PT", "PX", "RF", "RG", "SM", "US", "XA", "XC"}
# Photometric Interpretation (PS3.3 C.7.6.3.1.2): polarity is no difference, it is undone.
GREY, COLOUR = "grey", "colour"
COLOURS = ("RGB", "YBR", "PALETTE")
# View Position of mammograms (acronyms of PS3.16 CID 4014) and of other films (PS3.3 C.8.1.2).
MAMMOGRAMS = {"CC", "MLO", "ML", "LM", "LMO", "XCC", "XCCL", "XCCM", "FB", "SIO", "ISO"}
FILMS = {"AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO"}
SIDES = {"L": "L", "R": "R", "B": "B", "LEFT": "L", "RIGHT": "R", "BOTH": "B"}


def view_of(value: str, wanted: tuple[str, ...] = ()) -> str:
    """A defined term, or a view that the study's own file names; empty for anything else."""
    text = value.strip().upper()
    return text if text in MAMMOGRAMS | FILMS | {view.upper() for view in wanted} else ""


def side_of(value: str) -> str:
    """L, R or B (both), else empty."""
    return SIDES.get(value.strip().upper(), "")


def modality_of(value: str) -> str:
    """A defined term of a modality that makes pictures, else empty."""
    return value.strip().upper() if value.strip().upper() in MODALITIES else ""


def colour_of(photometric: str) -> str:
    """grey or colour; empty for a photometric interpretation that is not known."""
    text = photometric.strip().upper()
    return GREY if text.startswith("MONOCHROME") else COLOUR if text.startswith(COLOURS) else ""


# What keeps an image out by its header.
MISFITS = ("burned_in", "other_modality", "other_photometric")


@dataclass(frozen=True)
class Wanted:
    """What an image must say of itself: its modality (empty: any), `grey` where no colour is.

    An image that says nothing is let through: it may well be what is wanted.
    """

    modalities: tuple[str, ...] = ()
    grey: bool = False
    burned_in: bool = False  # whether text in the pixels is let through


def misfit(facts: HeaderFacts, wanted: Wanted) -> str:
    """Why an image with these facts of its header is not what is wanted; empty where it is."""
    if facts.burned_in.upper() == "YES" and not wanted.burned_in:
        return "burned_in"
    modality = modality_of(facts.modality)
    # A modality that is no defined term says no more than one that lacks.
    if wanted.modalities and modality and modality not in wanted.modalities:
        return "other_modality"
    if wanted.grey and colour_of(facts.photometric) == COLOUR:
        return "other_photometric"
    return ""


def looks_of(headers: Sequence[HeaderFacts]) -> dict[str, dict[str, int]]:
    """How many images are of each modality, and grey or in colour; those that say nothing too."""
    modalities = Counter(modality_of(facts.modality) for facts in headers)
    colours = Counter(colour_of(facts.photometric) for facts in headers)
    return {"modality": dict(sorted(modalities.items())), "colour": dict(sorted(colours.items()))}
