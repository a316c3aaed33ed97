"""What was found wrong, left out or worth a note: one line each, and the counts of them.

A finding has two halves. The public half (key, stage, kind, reason) holds no identifying value and
does not depend on the order of the table; the private half (file, table row, accession, patient)
is written to folders named `private/` only.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from foldwise.cohort.identity import write_private_csv
from foldwise.errors import FoldwiseError
from foldwise.files import shown

PUBLIC = ["key", "stage", "kind", "reason"]
PRIVATE = [*PUBLIC, "file", "row", "accession", "patient", "detail"]

QUARANTINE, LEFT_OUT, NOTE = "quarantine", "left out", "note"

# Reasons whose detail is a label, and by how many it is borne before a message names it.
UNKNOWN_LABELS, MANY = ("unknown_class", "score_out_of_range"), 5
# Reason -> (what it is, what to do about it). A reason that is not here is shown by its name.
REASONS = {
    "no_accession": ("table row without an accession number", "complete or delete the row"),
    "no_path": ("table row without an image path", "complete or delete the row"),
    "ragged_row": ("table row with too many or too few fields", "mend the row's separators"),
    "no_folder": ("table row without a folder in the archive", "check data.root and the row's id"),
    "several_folders": (
        "table row whose id several folders have, but for zeros before it",
        "write the folder's whole name",
    ),
    "no_file": ("table row without its file in the archive", "check data.root and the row's path"),
    "several_files": ("table row whose name several files bear", "write the whole path"),
    "empty_folder": ("folder without an image", "fetch the exam again"),
    "unreadable_folder": ("folder that cannot be listed", "check its permissions"),
    "unknown_class": (
        "label that the study's classes do not name",
        "map it or drop it by name",
    ),
    "score_out_of_range": ("score that is none of the scale", "correct it; unknown is empty or 4"),
    "no_label": ("row without a label", "complete or delete the row"),
    "no_case": ("picture whose case is in no table of cases", "add the case, or delete the row"),
    "no_text": ("image without a text", "complete its text, or exclude it"),
    "two_labels": ("exam or image with two different labels", "correct the table"),
    "two_patients": ("exam under two patients", "correct the archive, or exclude the exam"),
    "same_pixels": (
        "picture that two groups have",
        "exclude the wrong copy, or write one patient id",
    ),
    "near_duplicate": (
        "picture that is nearly one of another group",
        "look at both: write one patient id, or exclude a copy",
    ),
    "no_patient": ("image without a patient id", "name data.columns.patient and fill it"),
    "two_spellings": (
        "id written in several ways, as with and without zeros before it",
        "write one, or set data.conflicts.spellings",
    ),
    "one_image_each": (
        "every patient has exactly one image",
        "check that data.columns.patient names patients, not images",
    ),
    "no_view": (
        "image whose view is not known",
        "name data.columns.view and fill it, or exclude it",
    ),
    "burned_in": ("image said to have text burned in", "mask it, or exclude it"),
    "other_modality": (
        "image of another modality than those asked for",
        "name it in data.modalities if it belongs to the study",
    ),
    "other_photometric": (
        "image in colour where grey ones are asked for",
        "set data.colour: allow if it shows what the others show",
    ),
    "missing": ("file that is gone", "put it back"),
    "not_readable": ("file that cannot be opened", "check its permissions and the disk"),
    "empty": ("empty file", "fetch it again"),
    "not_dicom": ("file that is not DICOM", "fetch it again or remove it"),
    "not_a_picture": ("file that is no picture of a known kind", "convert or remove it"),
    "not_an_image": ("DICOM object that is no image", "nothing"),
    "truncated": ("file cut short", "fetch it again"),
    "damaged": ("file with a broken structure", "fetch it again"),
    "long_header": ("file whose header has no end in sight", "fetch it again, or exclude it"),
    "no_pixels": ("image file without pixels", "fetch it again"),
    "bad_header": ("image of impossible size or bits", "fetch it again, or exclude it"),
    "bad_rescale": ("image whose slope or intercept leaves no values apart", "mend or exclude it"),
    "wrong_transfer_syntax": ("image not encoded as its header says", "fetch it again"),
    "unknown_transfer_syntax": ("image in an encoding that is not read", "convert it"),
    "missing_decoder": ("image without a decoder here", "install the packages of envs/data.yaml"),
    "decode_failed": ("image that every decoder refused", "fetch it again"),
    "too_slow": ("image that took its decoder too long", "fetch it again, or exclude it"),
    "decoder_crashed": ("image that crashed its decoder", "fetch it again, or exclude it"),
    "many_frames": ("file of several frames", "exclude it"),
    "sample_format": ("image whose samples are of a kind that is not read", "convert it"),
    "colour": ("image in a colour space that is not read", "convert it"),
    "too_large": ("image that needs more memory than its job has", "exclude it, or raise mem_mb"),
    "out_of_memory": ("image that does not fit into memory", "give the job more memory"),
    "not_finite": ("picture with values that are no numbers", "exclude it"),
    "constant": ("picture of one value only", "exclude it"),
    "no_image": ("mask without its image", "add the image, or remove the mask"),
    "no_mask": ("image without its mask", "add the mask, or exclude the image"),
    "two_masks": ("image with several masks", "keep one"),
    "mask_unreadable": ("mask that cannot be read", "fetch it again"),
    "mask_orientation": (
        "NIfTI mask of an image that is none",
        "convert one of them: how they lie on each other cannot be seen",
    ),
    "mask_size": ("mask of another size than its image", "export it at the image's size"),
    "mask_dim": ("mask that never reaches half of its scale", "set image.mask: nonzero"),
    "swapped_mask": (
        "image of two values whose mask has many",
        "check data.columns.image and data.columns.mask: they may have changed places",
    ),
    "full_mask": (
        "mask that covers nearly all of its image",
        "nothing, if it does; else draw objects white on black",
    ),
    "grey_mask": ("mask with values between black and white", "nothing: cut at half scale"),
    "empty_mask": ("mask without foreground", "nothing, if there is none in the image"),
    "no_row": ("folder or image without a table row", "add the row if it belongs to the study"),
    "dropped_class": ("image of a class that is dropped", "nothing: data.classes.drop names it"),
    "excluded": ("image on the exclusion list", "nothing"),
    "other_view": ("image of a view that is not asked for", "nothing: data.views names those"),
    "copy": ("copy of another image of the same patient", "nothing: one of them is kept"),
    "not_in_subset": ("image outside the subset", "nothing: data.subset is set"),
    "repeated_row": ("table row that repeats another", "nothing"),
    "other_accession": ("header that names another accession than its folder", "check the folder"),
    "unused_exclusion": ("entry of the exclusion list that matches nothing", "check its id"),
}


@dataclass(frozen=True)
class Finding:
    """One finding; `key` is a keyed name of a sample (s...), table row (r...) or folder (d...)."""

    key: str
    stage: str
    kind: str
    reason: str
    file: str = ""
    row: str = ""
    accession: str = ""
    patient: str = ""
    detail: str = ""


def public_rows(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Public halves, sorted, each once; what was left out on purpose is only counted."""
    kept = (finding for finding in findings if finding.kind != LEFT_OUT)
    # A set, sorted: neither the table's order nor repeats change the file, and nothing reruns.
    rows = {tuple(getattr(finding, name) for name in PUBLIC) for finding in kept}
    return [dict(zip(PUBLIC, values, strict=True)) for values in sorted(rows)]


def private_rows(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Both halves, sorted, each once; people open these in spreadsheets, which run formulas."""
    rows = {tuple(shown(getattr(finding, name)) for name in PRIVATE) for finding in findings}
    return [dict(zip(PRIVATE, values, strict=True)) for values in sorted(rows)]


def quarantined(findings: Iterable[Finding]) -> set[str]:
    """Keys of all that is in quarantine; a key with several findings counts once."""
    return {finding.key for finding in findings if finding.kind == QUARANTINE}


def counts_of(findings: Iterable[Finding], kind: str) -> dict[str, int]:
    """Number of keys per reason of one kind, largest first.

    What is in quarantine counts once, under the first of its reasons: numbers that a reader adds
    up come to the number of items. Notes are no parts of a whole.
    """
    pairs = dict.fromkeys((item.reason, item.key) for item in findings if item.kind == kind)
    if kind == QUARANTINE:
        # reversed: of several pairs with one key the first stays.
        return ranked(Counter({key: reason for reason, key in reversed(pairs)}.values()))
    return ranked(Counter(reason for reason, _ in pairs))


def ranked(counts: dict[str, int]) -> dict[str, int]:
    """Counts, largest first, equal ones by name, without zeros."""
    nonzero = {name: number for name, number in counts.items() if number}
    return dict(sorted(nonzero.items(), key=lambda item: (-item[1], item[0])))


def describe(reason: str) -> str:
    """The reason as words."""
    return REASONS.get(reason, (reason.replace("_", " "), ""))[0]


def advice(reason: str) -> str:
    """What a user does about the reason; empty when nothing is known of it."""
    return REASONS.get(reason, ("", ""))[1]


def stop(findings: Iterable[Finding], study: Path, message: str) -> FoldwiseError:
    """Write what stopped the run to `private/stopped.csv` and return the error to raise.

    That file is no declared output of a rule, so it outlives the failed job.
    """
    path = study / "private" / "stopped.csv"
    write_private_csv(path, PRIVATE, private_rows(findings))
    return FoldwiseError(f"{message} Which files and rows: {path}.")


def check_share(
    findings: list[Finding], usable: int, limit: float, study: Path, when: str
) -> float:
    """Share of quarantined items among them and the `usable` images; above `limit` it stops.

    Raises FoldwiseError with the count per reason, the place of the list and what to change.
    """
    bad = len(quarantined(findings))
    share = bad / (bad + usable) if bad else 0.0
    if share <= limit:
        return share
    counts = counts_of(findings, QUARANTINE)
    reasons = "; ".join(_reason_line(findings, reason, number) for reason, number in counts.items())
    raise stop(
        [item for item in findings if item.kind == QUARANTINE],
        study,
        f"{when}: {bad} of {bad + usable} images and table rows ({share:.1%}) cannot be used, more "
        f"than data.max_quarantine ({limit:.1%}) allows: {reasons}. Mend or exclude them, or raise "
        "data.max_quarantine.",
    )


def _reason_line(findings: list[Finding], reason: str, number: int) -> str:
    """A reason, its number, what to do, and a label that many patients have."""
    named = [advice(reason), _common(findings, reason)]
    more = ", ".join(filter(None, named))
    return f"{describe(reason)}: {number}" + (f" ({more})" if more else "")


def _common(findings: list[Finding], reason: str) -> str:
    """The most frequent unknown label; nothing that could be of one patient alone."""
    if reason not in UNKNOWN_LABELS:
        return ""
    owners: dict[str, set[str]] = {}
    for item in findings:
        if item.reason == reason:
            # Patients and not images: a typing error in one patient's row may be a name.
            owners.setdefault(item.detail, set()).add(item.patient or item.key)
    # Sorted first, so that of equally frequent labels the same one is named each time.
    value = max(sorted(owners), key=lambda name: len(owners[name]))
    if not value or len(owners[value]) < MANY or not value.isprintable():
        return ""
    return f"most often '{value.removeprefix('label_')}'"
