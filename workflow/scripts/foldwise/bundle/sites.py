"""One bundle at several sites: each site's value, and a random-effects summary over them.

A random-effects model takes sites as drawn from a population of sites; tau squared is the variance
between them beyond chance, I squared its share (DerSimonian and Laird 1986, Higgins and Thompson
2002), and the interval of the mean is that of Hartung and Knapp (2001), as statsmodels computes it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from foldwise.bundle.cohort_facts import NORMAL_95
from foldwise.bundle.page.build import valued
from foldwise.bundle.page.words import p_text
from foldwise.errors import FoldwiseError, choose, plural
from foldwise.evaluate.summary import limits_of
from foldwise.evaluate.wording import called
from foldwise.files import read_json, write_csv, write_json, write_text
from foldwise.report.style import ACCENT, GREY, INK, PAGE, look, save
from foldwise.settings.groups import unit_of, units_of

NAME = "external_summary.json"
# Below this there is nothing to combine.
FEWEST = 2


def read_sites(places: Sequence[str | Path]) -> list[dict[str, Any]]:
    """external_summary.json of each place: the file, its folder, or results/<study>.

    Raises FoldwiseError for a place without one, for two sites of one name, and for other bundles.
    """
    sites = [read_json(_summary_path(Path(place))) for place in places]
    # One site twice would count as two in the summary and narrow its interval.
    names = [site["study"] for site in sites]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise FoldwiseError(
            f"Two of the sites are called {doubled[0]}. Name each once, or rename one's study."
        )
    first = sites[0]["bundle"]
    for site in sites[1:]:
        # Its hashes decide, not its name: a bundle made anew may hold other weights.
        if site["bundle"]["digest"] != first["digest"]:
            raise FoldwiseError(
                f"{site['study']} validates another bundle ({site['bundle']['study']}, digest "
                f"{site['bundle']['digest']}) than {sites[0]['study']} ({first['study']}, "
                f"{first['digest']}). Compare sites of one bundle."
            )
    return sites


def _summary_path(place: Path) -> Path:
    for path in (place, place / NAME, place / "external" / NAME):
        if path.is_file():
            return path
    raise FoldwiseError(
        f"{place}: no {NAME} there. Name results/<study> of a study that validates a bundle, or "
        "the file that its site gave you."
    )


def compare_sites(sites: Sequence[Mapping[str, Any]], metric: str | None = None) -> dict[str, Any]:
    """Sites with value, interval and size of one metric (the monitored one), and their summary."""
    metric = metric or sites[0]["monitor"]
    names = [row["metric"] for row in sites[0]["comparison"]]
    choose(metric, names, "metric", "compare_sites")
    judged = [{row["metric"]: row for row in site["comparison"]}.get(metric) for site in sites]
    rows = [
        {key: site[key] for key in ("n", "groups", "group_by")}
        | {"site": site["study"]}
        | (row["here"] if row else {"value": None, "interval": [None, None]})
        for site, row in zip(sites, judged, strict=True)
    ]
    return {
        "metric": metric,
        "title": called(metric)[0],
        "bundle": sites[0]["bundle"],
        "expected": next(row["expected"] for row in judged if row),
        "sites": rows,
        "summary": summary(rows, limits_of(metric)),
    }


def summary(
    rows: Sequence[Mapping[str, Any]], limits: tuple[float, float]
) -> dict[str, Any] | None:
    """Mean over sites with its interval, tau squared, I squared, Cochran's Q; None for too few.

    A site without an interval has no weight and is left out. limits: of the metric, which the
    interval of the mean is cut off at.
    """
    from statsmodels.stats.meta_analysis import combine_effects

    defined = [row for row in rows if row["value"] is not None and None not in row["interval"]]
    errors = np.array([(r["interval"][1] - r["interval"][0]) / (2 * NORMAL_95) for r in defined])
    # An interval of no width would have infinite weight.
    if len(defined) < FEWEST or not (errors > 0).all():
        return None
    values = np.array([row["value"] for row in defined])
    # Of a negative moment estimate statsmodels takes roots, and divides by a Q of 0; see below.
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = combine_effects(values, errors**2, method_re="dl", use_t=True)
        intervals = pooled.conf_int(use_t=True)
    # Where sites differ less than by chance the moment estimate is below 0, which a variance cannot
    # be: it is 0, and weights are those of fixed effects (statsmodels goes on with it as it is).
    # The scale of Hartung and Knapp is below 1 there, and 0 for equal values: it is taken as 1
    # (Roever, Knapp & Friede 2015, BMC Med Res Methodol 15:99).
    agree = not pooled.tau2 > 0
    # Of fixed and random effects; then of both with the scale of Hartung and Knapp.
    low, high = intervals[0 if agree else 3]
    mean = pooled.mean_effect_fe if agree else pooled.mean_effect_re
    test = pooled.test_homogeneity()
    return {
        "sites": len(defined),
        "value": float(mean),
        # Of a few sites that differ Student's t reaches beyond what the metric can be.
        "interval": [max(float(low), limits[0]), min(float(high), limits[1])],
        "tau2": max(float(pooled.tau2), 0.0),
        "i2": max(float(pooled.i2), 0.0),
        "q": float(test.statistic),
        "p": float(test.pvalue),
    }


def markdown(comparison: Mapping[str, Any]) -> str:
    """The table of sites and what they come to together."""
    number = plural(len(comparison["sites"]), "site")
    heading, counted = _groups(comparison["sites"])
    lines = [
        f"# {comparison['title']} of {comparison['bundle']['study']} at {number}",
        "",
        f"| Site | Images | {heading} | Value (95 % interval) |",
        "| --- | ---: | ---: | ---: |",
        f"| expected | | | {valued(comparison['expected'])} |",
    ]
    lines += [
        f"| {row['site']} | {row['n']:,} | {groups} | {valued(row)} |"
        for row, groups in zip(comparison["sites"], counted, strict=True)
    ]
    total = comparison["summary"]
    if total is None:
        return "\n".join([*lines, "", "Too few sites have an interval to be combined.", ""])
    lines += [
        f"| **random effects** | | | {valued(total)} |",
        "",
        f"Between the sites: tau squared {total['tau2']:.4f}, I squared {total['i2']:.0%}, "
        f"Cochran's Q {total['q']:.2f} ({p_text(total['p'])}). Random effects over "
        f"{total['sites']} sites, DerSimonian and Laird, interval of Hartung and Knapp, no wider "
        "than the metric's limits; variances are those of the sites' intervals.",
        "",
    ]
    return "\n".join(lines)


def _groups(rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    """Heading of the column of groups and its cells, by what each site's data.group is."""
    units = {units_of(row["group_by"]) for row in rows}
    if len(units) == 1:
        return units.pop().capitalize(), [f"{row['groups']:,}" for row in rows]
    # One site may count patients and another images.
    return "Groups", [plural(row["groups"], unit_of(row["group_by"])) for row in rows]


def forest(comparison: Mapping[str, Any], out: str | Path) -> None:
    """A forest plot: a row a site, the summary as a diamond, what was expected as a line."""
    rows = [row for row in comparison["sites"] if row["value"] is not None]
    with look():
        figure = Figure(figsize=(0.9 * PAGE, 0.9 + 0.3 * (len(rows) + 1)))
        axis = figure.subplots()
        if comparison["expected"]["value"] is not None:
            axis.axvline(comparison["expected"]["value"], color=GREY, linestyle=(0, (5, 1.5)))
        for place, row in enumerate(rows):
            low, high = row["interval"]
            if low is not None:
                axis.plot([low, high], [place, place], color=ACCENT)
            axis.plot([row["value"]], [place], "s", color=ACCENT)
        labels = [f"{row['site']} ({row['n']:,} images)" for row in rows]
        if total := comparison["summary"]:
            labels.append("random effects")
            (low, high), middle = total["interval"], total["value"]
            y = len(rows)
            axis.fill([low, middle, high, middle], [y, y - 0.2, y, y + 0.2], color=INK)
        axis.set_yticks(range(len(labels)), labels)
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.set(xlabel=f"{comparison['title']} (dashed: expected)")
        save(figure, out)


def write_comparison(comparison: Mapping[str, Any], out: Path) -> None:
    """sites.csv, sites.json, sites.md and sites.png in `out`."""
    table = [
        {key: row[key] for key in ("site", "n", "groups", "group_by", "value")}
        | dict(zip(("low", "high"), row["interval"], strict=True))
        for row in comparison["sites"]
    ]
    write_csv(out / "sites.csv", list(table[0]), table)
    write_json(out / "sites.json", comparison)
    write_text(out / "sites.md", markdown(comparison))
    forest(comparison, out / "sites.png")
