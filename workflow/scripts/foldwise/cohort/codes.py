"""Codes that may leave the archive: DICOM's defined terms, never whatever a header says there.

A header's text is typed by people: where a view should stand may stand a name or a date of birth.
"""

# View Position of mammograms (acronyms of PS3.16 CID 4014) and of other films (PS3.3 C.8.1.2).
MAMMOGRAMS = {"CC", "MLO", "ML", "LM", "LMO", "XCC", "XCCL", "XCCM", "FB", "SIO", "ISO"}
FILMS = {"AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO"}
SIDES = {"L": "L", "R": "R", "B": "B", "LEFT": "L", "RIGHT": "R", "BOTH": "B"}


def view_of(value: str, asked: tuple[str, ...] = ()) -> str:
    """A defined term, or a view that the study's own file names; empty for anything else."""
    text = value.strip().upper()
    return text if text in MAMMOGRAMS | FILMS | {view.upper() for view in asked} else ""


def side_of(value: str) -> str:
    """L, R or B (both), else empty."""
    return SIDES.get(value.strip().upper(), "")
