"""Figures of masks: the right images are shown, with what was found in them, and all is legible."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from foldwise.files import read_csv, read_json
from foldwise.registry import load
from foldwise.report import style
from foldwise.report.catalogue import OF_KIND
from foldwise.report.examples import choose
from foldwise.report.figures.masks import ADDED, BOTH, MISSED, agreement
from legible import assert_labels_lie_apart
from made_mask_run import make_mask_run

OWN = ("overlays", "objects", "mask_composition")


@pytest.fixture(scope="module", params=[(2, 2), (3, 8)], ids=["2x2", "3x8"])
def run(request, tmp_path_factory):
    return make_mask_run(tmp_path_factory.mktemp("run"), *request.param)


def drawn(name, run):
    with style.look():
        made = load("FIGURES", name)(run)
        FigureCanvasAgg(made).draw()
        return made


def test_a_study_of_masks_has_these_figures():
    assert set(OWN) <= set(OF_KIND["segmentation"])


@pytest.mark.parametrize("name", OWN)
def test_no_label_covers_another(run, name, monkeypatch, tmp_path):
    assert_labels_lie_apart(name, run, tmp_path, monkeypatch)


@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 7, 20])
def test_best_median_and_worst_are_chosen(number):
    values = np.random.default_rng(number).permutation(number).astype(float)
    chosen = choose([*values, np.nan])
    rows = [row for row, _ in chosen]
    assert len(set(rows)) == len(rows) <= 6
    assert values[rows[0]] == number - 1
    assert number == 1 or values[rows[-1]] == 0
    shown = [values[row] for row in rows]
    assert shown == sorted(shown, reverse=True)
    middle = [values[row] for row, place in chosen if place == "median"]
    if number > 2:
        assert abs(np.mean(middle) - np.median(values)) <= 1


def test_what_is_shown_is_what_the_table_says(run):
    told, stored = (run["examples"][0].with_suffix(end) for end in (".json", ".npz"))
    stored, told = np.load(stored), read_json(told)
    rows = {row["sample"]: row for path in run["predictions"] for row in read_csv(path)}
    best = max(float(row["jaccard"]) for row in rows.values())
    assert float(told["pictures"][0]["jaccard"]) == best
    for number, entry in enumerate(told["pictures"]):
        assert {**rows[entry["sample"]], "place": entry["place"]} == entry
        truth, found = stored["truth"][number], stored["predicted"][number] >= 127.5
        assert truth.sum() == int(entry["truth"])
        assert (truth & found).sum() == pytest.approx(int(entry["tp"]), abs=12)


def test_found_missed_and_added_differ_in_grey_too(run):
    picture = np.full((1, 4), 90, np.uint8)
    truth, found = np.array([[1, 1, 0, 0]]) > 0, np.array([[1, 0, 1, 0]]) > 0
    shown = agreement(picture, truth, found)[0]
    assert [tuple(pixel) for pixel in shown[:3]] == [to_rgb(c) for c in (BOTH, MISSED, ADDED)]
    light = shown @ [0.2126, 0.7152, 0.0722]
    assert np.diff(np.sort(light)).min() > 0.1


def test_counts_and_limits_are_those_of_the_table(run):
    rows = [row for path in run["predictions"] for row in read_csv(path)]
    true, found = (
        np.array([int(row[f"objects_{k}"]) for row in rows]) for k in ("true", "predicted")
    )
    axes = drawn("objects", run).axes
    offsets = np.asarray(axes[0].collections[0].get_offsets())
    np.testing.assert_array_equal(offsets, np.stack([true, found], 1))
    error = found - true
    bounds = [error.mean() + sign * 1.96 * error.std(ddof=1) for sign in (0, -1, 1)]
    lines = [line.get_ydata()[0] for line in axes[1].lines[1:]]
    np.testing.assert_allclose(lines, bounds)


def test_each_fifth_of_the_images_is_counted_once(run):
    bars = [patch.get_width() for patch in drawn("mask_composition", run).axes[0].patches]
    cohort = read_csv(run["cohort"][0])
    assert sum(bars) == len(cohort)
    by_fifth = np.reshape(bars, (5, -1)).sum(axis=1)
    assert by_fifth.max() - by_fifth.min() <= 1
