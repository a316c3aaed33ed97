"""The page of a validation: what leaves the site, beside external_summary.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foldwise.bundle.page.figures import draw_all
from foldwise.evaluate.wording import called, spoken, titled
from foldwise.files import read_json, write_text
from foldwise.report import render
from foldwise.settings.groups import unit_of, units_of

# Metrics of calibration, and limits of sets, as the page calls them.
MENDED = {"log_loss": "Log loss, nats", "brier": "Brier score", "ece": "Calibration error"}
SETS = {"all": "one for all", "by_class": "by class"}


def write_page(summary_json: str | Path, manifest_json: str | Path, out: str | Path) -> None:
    """Write index.html and report.md; numbers are of external_summary.json and the audit."""
    # Of these two files alone: nothing of a single image can get onto a page that leaves the site.
    record, audit, folder = read_json(summary_json), read_json(manifest_json), Path(out).parent
    figures = draw_all(record, folder / "figures")
    values = {
        "record": record,
        "audit": audit,
        "rows": [row_of(row) for row in record["comparison"]],
        "monitored": spoken(record["monitor"]),
        "unit": unit_of(record["group_by"]),
        "units": units_of(record["group_by"]),
        "figures": figures,
        "moments": moments(record["shift"]),
        "labels": labels(record["shift"]["labels"]),
        "subgroups": parted(record["subgroups"], record["reliability"]),
        "reliability": [relied(part) for part in record["reliability"]],
    }
    sections = [("bundle/site", values)]
    write_text(folder / "report.md", render.markdown(sections))
    origins = {
        one["file"]: f"rule site_page, of {Path(summary_json).name}" for one in figures.values()
    }
    title = f"{record['study']}: validation of {record['bundle']['study']}"
    write_text(out, render.page(sections, title, origins, folder))


def row_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A line of the table of metrics, as text."""
    return {
        "title": row["title"],
        "here": valued(row["here"]),
        "expected": valued(row["expected"]),
        "difference": valued({"value": row["difference"], "interval": row["difference_interval"]}),
        "verdict": row["verdict"],
    }


def valued(side: Mapping[str, Any], form: str = ".3f") -> str:
    """`0.712 (0.601 to 0.804)`, or what stands for none."""
    if side.get("few"):
        return "too few to be told"
    if side["value"] is None:
        return "not defined"
    low, high = side["interval"]
    span = "no interval" if low is None or high is None else f"{low:{form}} to {high:{form}}"
    return f"{side['value']:{form}} ({span})"


def relied(part: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a part: calibration by the bundle's map, and what its sets hold."""
    calibration, sets = part["calibration"], part["sets"]
    measured = calibration["metrics"] if "map" in calibration else {}
    return {
        "title": titled(part["name"]),
        "map": calibration.get("map"),
        "reasons": [one["reason"] for one in (calibration, sets) if "reason" in one],
        "metrics": [
            {"title": title} | {side: valued(one[key]) for side, one in measured.items()}
            for key, title in MENDED.items()
            if measured
        ],
        "sets": [
            row
            for kind, title in SETS.items()
            if kind in sets
            for row in covered(title, sets[kind])
        ],
        "few": any(
            one.get("few")
            for kind in SETS
            if kind in sets
            for one in sets[kind]["here"]["by_class"].values()
        ),
    }


def parted(
    judged: Mapping[str, Any] | None, parts: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Tables of subgroups: a line a value; of one that is too rare nothing but its name."""
    if not judged:
        return None
    return {
        "names": [called(name)[0] for name in judged["metrics"]],
        "tested": spoken(judged["metric"]),
        "sets": [
            f"Coverage{' of ' + titled(one['name']) if one['name'] else ''}"
            for one in parts
            if "reason" not in one["sets"]
        ],
        "least": judged["least"],
        "whole": [valued(judged["all"][name]) for name in judged["metrics"]],
        "columns": [
            {key: one[key] for key in ("column", "refused", "unknown")}
            | {"rows": [_level(level, judged["metrics"]) for level in one["levels"]]}
            for one in judged["columns"]
        ],
    }


def _level(level: Mapping[str, Any], metrics: Sequence[str]) -> dict[str, Any]:
    row = {"name": level["level"], "few": level["few"]}
    if level["few"]:
        return row
    row |= {key: f"{level[key]:,}" for key in ("n", "groups")}
    row["metrics"] = [valued(level["metrics"][name]) for name in metrics]
    row["coverage"] = [valued(one) for one in level["coverage"].values()]
    # A sign: which way it differs is what is looked for.
    row["difference"] = valued(level["difference"], "+.3f") if level["difference"] else "–"
    return row | {"p": p_of(level.get("holm"))}


def covered(title: str, coverage: Mapping[str, Any]) -> list[dict[str, str]]:
    """Lines of the table of sets: all images, each class, and the sets' size."""
    sides = {side: coverage[side] for side in ("here", "expected")}
    lines = {"all images": {side: one["coverage"] for side, one in sides.items()}}
    for name in coverage["here"]["by_class"]:
        lines[name] = {side: one["by_class"][name] for side, one in sides.items()}
    lines["classes in a set, mean"] = {side: one["size"] for side, one in sides.items()}
    return [
        {"sets": title, "of": name} | {side: valued(one) for side, one in line.items()}
        for name, line in lines.items()
    ]


def moments(shift: Mapping[str, Any]) -> list[dict[str, str]]:
    """Lines of the table of grey levels: training, here, difference in standard deviations, p."""
    names = {"brightness": "Brightness", "contrast": "Contrast", "foreground": "Foreground"}
    return [
        {"title": title}
        | {side: f"{shift[name][side]:.3f}" for side in ("trained", "here")}
        | {"difference": number(shift[name]["difference_sd"], "+.2f"), "p": p_of(shift[name]["p"])}
        for name, title in names.items()
        if shift[name]
    ]


def labels(shifts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Tables of label shares, one a label."""
    return [
        {
            "title": name.removeprefix("label_"),
            "rows": [
                {"name": value, "trained": f"{trained:.1%}"}
                | {"here": "few" if here is None else f"{here:.1%}"}
                for value, trained, here in zip(
                    one["names"], one["trained"], one["here"], strict=True
                )
            ],
            "p": p_of(one["p"]),
            "few": None in one["here"],
        }
        for name, one in shifts.items()
        if one["names"]
    ]


def number(value: float | None, form: str) -> str:
    """A number in a format, or a dash."""
    return "–" if value is None else format(value, form)


def p_of(value: float | None) -> str:
    """A p value as text."""
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"
