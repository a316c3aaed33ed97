"""What a group of a study is called: the one table of it, by the setting `data.group`."""

# data.group -> one group, as sentences call it: exams are found by their accession number.
UNITS = {"patient": "patient", "accession": "exam", "image": "image"}


def unit_of(group_by: str) -> str:
    """One group: `exam` where `data.group` is `accession`."""
    return UNITS[group_by]


def units_of(group_by: str) -> str:
    """Several groups: `exams` where `data.group` is `accession`."""
    return f"{UNITS[group_by]}s"
