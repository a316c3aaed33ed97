"""Several sites of one bundle: a table, a forest plot, and the textbook's random effects."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from flow import ROOT
from foldwise.bundle.sites import compare_sites, markdown, read_sites, summary
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv, read_json, write_json


def site(folder, name, value, half, digest="d", group_by="patient"):
    interval = [value - half, value + half] if half else [None, None]
    row = {"metric": "kappa", "here": {"value": value, "interval": interval}}
    row |= {"expected": {"value": 0.7, "interval": [0.6, 0.8]}}
    bundle = {"study": "made", "digest": digest}
    record = {"study": name, "bundle": bundle, "n": 90, "groups": 30, "monitor": "kappa"}
    record |= {"group_by": group_by}
    write_json(folder / name / "external/external_summary.json", record | {"comparison": [row]})
    return folder / name


def test_random_effects_are_dersimonian_and_lairds():
    """By hand, as in the paper of 1986: Q, tau squared and the weighted mean."""
    values, errors = np.array([0.5, 0.7, 0.62, 0.3]), np.array([0.05, 0.04, 0.1, 0.08])
    rows = [
        {"value": v, "interval": [v - 1.959964 * e, v + 1.959964 * e]}
        for v, e in zip(values, errors, strict=True)
    ]
    w = 1 / errors**2
    q = (w * (values - (w * values).sum() / w.sum()) ** 2).sum()
    tau2 = (q - 3) / (w.sum() - (w**2).sum() / w.sum())
    star = 1 / (errors**2 + tau2)
    found = summary(rows, (-1, 1))
    assert found["q"] == pytest.approx(q)
    assert found["tau2"] == pytest.approx(tau2)
    assert found["i2"] == pytest.approx((q - 3) / q)
    assert found["value"] == pytest.approx((star * values).sum() / star.sum())
    # Hartung and Knapp 2001: weighted residuals around the mean, Student's t.
    spread = (star * (values - found["value"]) ** 2).sum() / (3 * star.sum())
    reach = stats.t.ppf(0.975, 3) * np.sqrt(spread)
    assert found["interval"] == pytest.approx([found["value"] - reach, found["value"] + reach])


@pytest.mark.parametrize("values", [(0.7, 0.72, 0.71), (0.5, 0.51, 0.49), (0.6, 0.6)])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_sites_that_differ_less_than_by_chance_have_no_variance_between_them(values):
    errors = np.linspace(0.05, 0.2, len(values))
    rows = [
        {"value": v, "interval": [v - 1.959964 * e, v + 1.959964 * e]}
        for v, e in zip(values, errors, strict=True)
    ]
    found, w = summary(rows, (-1, 1)), 1 / errors**2
    mean = (w * values).sum() / w.sum()
    assert found["tau2"] == found["i2"] == 0
    assert found["value"] == pytest.approx(mean)
    # No narrower than what the sites' own intervals allow, however alike their values are.
    reach = stats.t.ppf(0.975, len(values) - 1) / np.sqrt(w.sum())
    assert found["interval"] == pytest.approx([max(mean - reach, -1), min(mean + reach, 1)])


def test_sites_without_an_interval_are_shown_and_have_no_weight(tmp_path):
    places = [site(tmp_path, "a", 0.5, 0.1), site(tmp_path, "b", 0.9, 0)]
    found = compare_sites(read_sites(places))
    assert [row["value"] for row in found["sites"]] == [0.5, 0.9]
    assert found["summary"] is None


@pytest.mark.parametrize(
    ("names", "digests", "said"),
    [
        (("a", "b"), ("d", "e"), "b validates another bundle"),
        (("a", "a"), ("d", "d"), "Two of the sites are called a"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, names, digests, said):
    folders = [tmp_path / str(n) for n in range(2)]
    places = [site(f, n, 0.5, 0.1, d) for f, n, d in zip(folders, names, digests, strict=True)]
    with pytest.raises(FoldwiseError, match=said):
        read_sites(places)


def test_a_place_without_a_validation_is_named(tmp_path):
    with pytest.raises(FoldwiseError, match=r"no external_summary.json there"):
        read_sites([tmp_path])


def test_the_mean_of_sites_that_differ_stays_within_what_a_metric_can_be(tmp_path):
    places = [site(tmp_path, n, v, 0.1) for n, v in (("a", 0.9), ("b", 0.2), ("c", 0.85))]
    found = compare_sites(read_sites(places))
    assert found["summary"]["interval"][1] == 1
    assert -1 < found["summary"]["interval"][0] < found["summary"]["value"] < 1
    assert "(p < 0.001)" in markdown(found)


@pytest.mark.parametrize(
    ("group_by", "heading", "cells"),
    [
        (("patient", "patient"), "Patients", ["30", "30"]),
        (("accession", "accession"), "Exams", ["30", "30"]),
        (("patient", "image"), "Groups", ["30 patients", "30 images"]),
    ],
)
def test_groups_are_called_what_the_sites_call_them(tmp_path, group_by, heading, cells):
    places = [site(tmp_path, n, 0.5, 0.1, "d", g) for n, g in zip("ab", group_by, strict=True)]
    lines = markdown(compare_sites(read_sites(places))).splitlines()
    assert f"| Site | Images | {heading} | Value (95 % interval) |" in lines
    assert [line.split(" | ")[2] for line in lines if line.startswith(("| a", "| b"))] == cells


def test_the_command_writes_table_and_plot(tmp_path):
    for name, value in (("a", 0.5), ("b", 0.6), ("c", 0.55)):
        site(tmp_path, name, value, 0.1)
    script = ROOT / "workflow/scripts/compare_sites.py"
    done = subprocess.run(
        [sys.executable, str(script), "a", "b", "c", "-o", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "random effects" in done.stdout
    assert [row["site"] for row in read_csv(tmp_path / "out/sites.csv")] == ["a", "b", "c"]
    assert read_json(tmp_path / "out/sites.json")["summary"]["sites"] == 3
    assert (tmp_path / "out/sites.png").read_bytes().startswith(b"\x89PNG")
