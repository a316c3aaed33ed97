"""The audit: what decoding said of each image, joined with the cohort; the analysed set.

Needs the files of `make_cohort` and the JSON file of every cache shard. Identifying values are
read and written in `private/` only.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.cohort.audit_files import identified, manifest_of, write_audit
from foldwise.cohort.conflicts import MESSAGES, Conflicts, refusal
from foldwise.cohort.findings import LEFT_OUT, NOTE, QUARANTINE, Finding, check_share, stop
from foldwise.cohort.near_duplicates import judge
from foldwise.cohort.tables.labels import data_place
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv
from foldwise.integrity import read_sealed
from foldwise.pixels.prepared import IN_COLOUR

# Facts that only some decoders give: notes of masks, columns for the folds, digests of answers.
UNSTATED: dict[str, Any] = {"notes": (), "cohort_columns": {}, "answer": ""}

log = logging.getLogger("foldwise")


@dataclass(frozen=True)
class AuditSettings:
    """Branch `data` as far as the audit reads it."""

    order: tuple[str, ...]
    heads: dict[str, tuple[str, ...]]
    conflicts: Conflicts
    max_quarantine: float
    grey: bool  # pictures in colour are kept out
    trains: bool  # a model that is only tried may meet no image of a class

    @classmethod
    def of(cls, data: dict[str, Any], trains: bool = True) -> "AuditSettings":
        """From the branch `data` of a study."""
        return cls(
            order=tuple(str(name) for name in data["classes"]["order"]),
            heads={f"label_{head}": tuple(own["order"]) for head, own in data["heads"].items()},
            conflicts=Conflicts(**data["conflicts"]),
            max_quarantine=data["max_quarantine"],
            grey=data["colour"] == "quarantine",
            trains=trains,
        )


def make_audit(
    settings: AuditSettings, study: str | Path, shards: Iterable[str | Path]
) -> dict[str, Any]:
    """Write cohort.csv, audit/ and private/quarantine.csv of a study; return the manifest.

    `shards` are the JSON files of the study's cache shards. Raises FoldwiseError when more than
    `max_quarantine` cannot be used, for a refused conflict, for a class without an image.
    """
    study, shards = Path(study), list(shards)
    decoded, cache = read_shards(shards), Path(shards[0]).parent
    images = read_csv(study / "images.csv")
    labels = {row["sample"]: row for row in read_csv(study / "labels.csv")}
    findings = [Finding(**row) for row in read_csv(study / "findings.csv")]
    rows = [image | labels[image["sample"]] for image in images if image["sample"] in labels]
    findings += faults(images, decoded) + notes(images, decoded)
    findings += in_colour(images, decoded) if settings.grey else []
    # Each check sees what the ones before left: an image is counted under its first reason only.
    rows = _standing(rows, findings)
    findings += clashes(rows, decoded, settings.conflicts, study)
    alike, pairs = judge(
        _standing(rows, findings), cache, settings.conflicts.near_duplicates, study
    )
    findings += alike
    analysed = [row | _seen(decoded[row["content"]]) for row in _standing(rows, findings)]
    named = identified(findings, study)
    # Before classes: where half of the archive is unreadable, a class without images is no cause.
    check_share(named, len(analysed), settings.max_quarantine, study, "Audit")
    check_masks(analysed)
    orders = {"label": settings.order, **settings.heads}
    for column, order in orders.items():
        check_classes(analysed, order if settings.trains else (), findings, study, column)
    # Of all that was decoded, with images that have no label: a share of readable ones needs them.
    statuses = [decoded[image["content"]]["status"] for image in images]
    manifest = manifest_of(study, analysed, findings, statuses, set(labels), orders)
    manifest["near_duplicate_pairs"] = len(pairs)
    write_audit(study, analysed, findings, manifest)
    log.info("Audit: %d of %d images analysed.", len(analysed), len(images))
    return manifest


def read_shards(shards: Iterable[str | Path]) -> dict[str, dict[str, Any]]:
    """Content -> what decoding said of it: status ("ok" or a reason), pixel_digest, facts."""
    rows = (row for path in shards for row in read_sealed(path)["rows"])
    return {row["content"]: row | {"facts": UNSTATED | row["facts"]} for row in rows}


def _standing(rows: list[dict[str, str]], findings: list[Finding]) -> list[dict[str, str]]:
    stopped = {item.key for item in findings if item.kind != NOTE}
    return [row for row in rows if row["sample"] not in stopped]


def faults(images: list[dict[str, str]], decoded: dict[str, dict[str, Any]]) -> list[Finding]:
    """Images whose decoding did not end well. Raises FoldwiseError if a shard lacks an image."""
    lacking = sum(image["content"] not in decoded for image in images)
    if lacking:
        raise FoldwiseError(
            f"Audit: {lacking} of {len(images)} images stand in no cache shard: shards and cohort "
            "do not belong together. Delete images.csv of the study and run again."
        )
    return [
        Finding(image["sample"], "decode", QUARANTINE, decoded[image["content"]]["status"])
        for image in images
        if decoded[image["content"]]["status"] != "ok"
    ]


def in_colour(images: list[dict[str, str]], decoded: dict[str, dict[str, Any]]) -> list[Finding]:
    """Pictures whose pixels are in colour, of files whose header does not say so."""
    return [
        Finding(image["sample"], "decode", QUARANTINE, "other_photometric")
        for image in images
        if decoded[image["content"]]["facts"].get(IN_COLOUR)
    ]


def notes(images: list[dict[str, str]], decoded: dict[str, dict[str, Any]]) -> list[Finding]:
    """What decoding found worth a note, such as grey edges of a mask."""
    return [
        Finding(image["sample"], "decode", NOTE, reason)
        for image in images
        for reason in decoded[image["content"]]["facts"]["notes"]
    ]


def _seen(row: dict[str, Any]) -> dict[str, str]:
    """Columns of cohort.csv that are known once an image is decoded."""
    return {**row["facts"]["cohort_columns"], "pixels": row["pixel_digest"]}


def clashes(
    rows: list[dict[str, str]],
    decoded: dict[str, dict[str, Any]],
    rules: Conflicts,
    study: Path,
) -> list[Finding]:
    """Equal pixels in different files: of two groups, with two labels, or plain copies.

    Raises one FoldwiseError for all that are refused.
    """
    same: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        same[decoded[row["content"]]["pixel_digest"]].append(row)
    twins = [group for group in same.values() if len(group) > 1]
    across = [group for group in twins if len({row["group"] for row in group}) > 1]
    within = [group for group in twins if group not in across]
    torn = [group for group in within if len({_answer(row, decoded) for row in group}) > 1]
    pairs = {"same_pixels": across, "two_labels": torn}
    refused = [reason for reason in pairs if getattr(rules, MESSAGES[reason][0]) == "refuse"]
    faults = [
        refusal(reason, len(pairs[reason]), sum(map(len, pairs[reason])), "picture")
        for reason in refused
        if pairs[reason]
    ]
    if faults:
        bad = [item for reason in refused for item in _marked(pairs[reason], reason)]
        raise stop(identified(bad, study), study, " ".join(faults))
    # The first stays, in the order of images.csv: that follows contents, so no random key decides.
    copies = [row["sample"] for group in within if group not in torn for row in group[1:]]
    marked = [item for reason, groups in pairs.items() for item in _marked(groups, reason)]
    return marked + [Finding(sample, "decode", LEFT_OUT, "copy") for sample in copies]


def _marked(groups: list[list[dict[str, str]]], reason: str) -> list[Finding]:
    return [
        Finding(row["sample"], "decode", QUARANTINE, reason, detail=f"set {number}")
        for number, group in enumerate(groups, 1)
        for row in group
    ]


def _answer(row: dict[str, str], decoded: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """What is to be learned of an image: its labels, and its mask where it has one."""
    columns = {"sample", "group", "exam", "content", "shard", "row"}
    # What says where or how an image was taken, and nothing that is learned of it.
    columns |= {"view", "side", "split", "stratum"}
    labels = (value for name, value in sorted(row.items()) if name not in columns)
    return (*labels, decoded[row["content"]]["facts"]["answer"])


def check_masks(rows: list[dict[str, str]]) -> None:
    """Raise FoldwiseError where no mask shows anything: a network would learn to say nothing."""
    shares = [float(row["foreground"]) for row in rows if "foreground" in row]
    if shares and not max(shares):
        raise FoldwiseError(
            f"Audit: all {len(shares)} masks are empty. Look at one of them: if its objects are "
            "drawn in dark colours or numbers, set image.mask: nonzero; if it is black, export the "
            "masks again, or correct data.columns.mask."
        )


def check_classes(
    rows: list[dict[str, str]],
    order: tuple[str, ...],
    findings: list[Finding],
    study: Path,
    column: str = "label",
) -> None:
    """Raise FoldwiseError when nothing is left, or nothing of a class of `order`."""
    bad = [item for item in findings if item.kind == QUARANTINE]
    if not rows:
        raise stop(
            identified(bad, study),
            study,
            f"Audit: no image is left after decoding; {len(bad)} are in quarantine.",
        )
    counts = Counter(row.get(column) for row in rows)
    empty = [name for name in order if not counts[name]]
    if empty:
        there = ", ".join(f"{name}: {counts[name]}" for name in order)
        raise stop(
            identified(bad, study),
            study,
            f"Audit: no image of class {empty[0]} can be used ({there}). Mend the images in "
            f"quarantine, or merge the class in {data_place(column)}.mapping.",
        )
