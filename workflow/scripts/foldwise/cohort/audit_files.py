"""What the audit leaves behind: analysed set, counts per check, quarantine, manifest."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from foldwise.cohort.findings import (
    LEFT_OUT,
    NOTE,
    PRIVATE,
    QUARANTINE,
    REASONS,
    Finding,
    counts_of,
    describe,
    private_rows,
    public_rows,
    quarantined,
    ranked,
)
from foldwise.cohort.identity import write_private_csv
from foldwise.files import read_csv, read_json, write_csv, write_json

FIRST = ["sample", "group", "exam", "view", "side", "split", "stratum", "content", "shard", "row"]
CHECKS = ["check", "kind", "count", "description"]


def write_audit(
    study: Path, analysed: list[dict[str, str]], findings: list[Finding], manifest: dict[str, Any]
) -> None:
    """Write cohort.csv, audit/* and private/quarantine.csv."""
    others = [name for name in analysed[0] if name not in (*FIRST, "pixels")]
    columns = [*FIRST, *others, "pixels"]
    # In the order of images.csv, which follows the plain contents and so no random key.
    write_csv(study / "cohort.csv", columns, analysed)
    write_csv(study / "audit" / "data_audit.csv", CHECKS, checks_of(manifest))
    bad = [item for item in findings if item.kind == QUARANTINE]
    columns = ["sample", "stage", "reason"]
    rows = [{"sample": row["key"], **row} for row in public_rows(bad)]
    write_csv(
        study / "audit" / "data_quarantine.csv",
        columns,
        [{name: row[name] for name in columns} for row in rows],
    )
    write_json(study / "audit" / "data_manifest.json", manifest)
    path = study / "private" / "quarantine.csv"
    write_private_csv(path, PRIVATE, private_rows(identified(bad, study)))
    # Of a run that stopped here before: left behind, it would accuse images that are in use.
    (study / "private" / "stopped.csv").unlink(missing_ok=True)


def identified(findings: list[Finding], study: Path) -> list[Finding]:
    """Findings with file, row, accession and patient, from the study's private files."""
    private = {row["key"]: row for row in _private(study / "private" / "findings.csv")}
    private |= {row["sample"]: row for row in _private(study / "private" / "id_map.csv")}
    names = ("file", "row", "accession", "patient")
    return [
        replace(item, **{name: private[item.key][name] for name in names if item.key in private})
        for item in findings
    ]


def _private(path: Path) -> list[dict[str, str]]:
    """Rows of a private file; none where its owner took it away."""
    return read_csv(path) if path.exists() else []


def renew_quarantine(study: Path) -> None:
    """Bring rows and files of an earlier `private/quarantine.csv` up to date.

    A reordered table moves its rows and reruns nothing but the cohort, which calls this.
    """
    path = study / "private" / "quarantine.csv"
    if path.exists():
        findings = [Finding(**row) for row in read_csv(path)]
        write_private_csv(path, PRIVATE, private_rows(identified(findings, study)))


def left_out(flow: dict[str, Any], findings: list[Finding]) -> dict[str, int]:
    """What was left out on purpose, per reason: images, table rows and folders."""
    counts = Counter(flow["left_out"])
    counts.update(flow["rows_left_out"])
    counts["no_row"] += flow["archive"]["folders_without_row"]
    counts.update(counts_of(findings, LEFT_OUT))
    return ranked(counts)


def checks_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a check, found or not: its name, what becomes of such data, the count."""
    counts = {
        QUARANTINE: manifest["quarantine"],
        LEFT_OUT: manifest["left_out"],
        NOTE: manifest["notes"],
    }
    checks = [
        {"check": reason, "kind": kind, "count": number, "description": describe(reason)}
        for kind, reasons in counts.items()
        for reason, number in reasons.items()
    ]
    named = {row["check"] for row in checks}
    passed = [
        {"check": reason, "kind": "passed", "count": 0, "description": describe(reason)}
        # Also what was looked for and not found: an audit's reader must see that it was looked for.
        for reason in REASONS
        if reason not in named
    ]
    return checks + passed


def manifest_of(
    study: Path,
    analysed: list[dict[str, str]],
    findings: list[Finding],
    statuses: list[str],
    labelled: set[str],
    orders: dict[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Counts from the archive to the analysed set, and what that set is made of.

    `statuses` are those of all decoded images, `labelled` the samples that have a label.
    """
    flow = read_json(study / "flow.json")
    classes = _all_classes(analysed, orders)
    bad = len(quarantined(findings))
    return {
        "flow": steps_of(flow, findings, labelled, len(analysed)),
        "unmatched": [one | {"description": describe(one["reason"])} for one in flow["unmatched"]],
        "group_by": flow["group"],
        "archive": flow["archive"],
        "table_rows": flow["table_rows"],
        "images": len(analysed),
        "groups": len({row["group"] for row in analysed}),
        "exams": len({row["exam"] for row in analysed}),
        "classes": classes,
        # Keys of a file are sorted: the study's order would be lost, and asking a run's settings
        # for it would draw the cohort anew with each learning rate.
        "class_order": list(classes),
        "views": dict(sorted(Counter(row["view"] or "unknown" for row in analysed).items())),
        "sides": dict(sorted(Counter(row["side"] or "unknown" for row in analysed).items())),
        "decoded": len(statuses),
        "readable_share": statuses.count("ok") / len(statuses),
        "quarantine": counts_of(findings, QUARANTINE),
        "quarantine_share": bad / (bad + len(analysed)),
        "left_out": left_out(flow, findings),
        "notes": counts_of(findings, NOTE),
    }


def steps_of(
    flow: dict[str, Any], findings: list[Finding], labelled: set[str], analysed: int
) -> list[dict[str, Any]]:
    """The flow as steps that add up: images, what is taken away (each once), what remains."""
    steps = [{"step": "images that the table names", "images": flow["images_matched"]}]
    steps += [
        _step(reason, kind.replace("_", " "), number)
        for kind in ("left_out", "quarantine")
        for reason, number in flow[kind].items()
    ]
    steps.append({"step": "images to analyse, before decoding", "images": flow["usable"]})
    first: dict[str, tuple[str, str]] = {}
    for item in findings:
        # A note takes nothing away.
        if item.stage == "decode" and item.key in labelled and item.kind != NOTE:
            # Each image once, by its first finding: the steps of the flow must add up.
            first.setdefault(item.key, (item.kind, item.reason))
    steps += [
        _step(reason, kind, number)
        for (kind, reason), number in sorted(Counter(first.values()).items())
    ]
    return [*steps, {"step": "analysed set", "images": analysed}]


def _step(reason: str, kind: str, number: int) -> dict[str, Any]:
    return {"step": describe(reason), "reason": reason, "kind": kind, "images": -number}


def _all_classes(
    rows: list[dict[str, str]], orders: dict[str, tuple[str, ...]]
) -> dict[str, dict[str, int]]:
    """Images and groups of each class; of several labels by `<head>: <class>`."""
    counts = {}
    for column, order in orders.items():
        head = "" if column == "label" else f"{column.removeprefix('label_')}: "
        counted = _classes(rows, order, column)
        counts |= {f"{head}{name}": count for name, count in counted.items()}
    return counts


def _classes(
    rows: list[dict[str, str]], order: tuple[str, ...], column: str
) -> dict[str, dict[str, int]]:
    """Images and groups of each class."""
    names = order or sorted({row[column] for row in rows if column in row})
    return {
        name: {
            "images": sum(row[column] == name for row in rows),
            "groups": len({row["group"] for row in rows if row[column] == name}),
        }
        for name in names
    }
