"""A bundle at another site: performance beside what was expected, shift, calibration, words."""

import copy

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score, log_loss

from foldwise.bundle.cohort_facts import cohort_facts, label_groups
from foldwise.bundle.external import Tables, comparison, external_summary
from foldwise.bundle.page.build import labels, write_page
from foldwise.bundle.page.words import FELL, ROSE, UNCHANGED, UNKNOWN, _missed, _tally
from foldwise.bundle.recalibrate import error, loss, recalibration, sharpened
from foldwise.bundle.shift import label_shift, moments, rare_values
from foldwise.bundle.site import SiteFiles, predict_site
from foldwise.errors import FoldwiseError
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json, write_json
from foldwise.registry import load
from foldwise.settings.bundle_file import read_manifest
from foldwise.settings.validation import with_bundle
from made_bundles import CANARY, CLASSES, cohort, make, write_pictures


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("bundle"), number=48)


@pytest.fixture(scope="module")
def site(made, tmp_path_factory):
    """external_summary.json and the page of a second site of 18 pictures."""
    folder = tmp_path_factory.mktemp("site")
    cohort(folder, write_pictures(folder / "pictures", 18, seed=11), made.params)
    names = ("p.csv", "folds.csv", "maps.npy", "site.json", "private/in_training.csv")
    out = [folder / name for name in (*names, "private/id_map.csv")]
    predict_site(
        SiteFiles(made.bundle, folder / "cohort.csv", folder / "cache", (), *map(str, out))
    )
    manifest = read_manifest(made.bundle)
    summary = external_summary(
        "there",
        manifest,
        Tables(*map(read_csv, out[:2]), *subgroups_of(folder), least=3),
        read_json(out[3]),
        load("MEASURES", "classification")(made.params["task"]),
        Bootstrap(3, "patient", resamples=200),
    )
    write_json(folder / "external_summary.json", summary)
    audit = {"flow": [{"step": "analysed set", "images": 18}], "group_by": "patient", "groups": 9}
    write_json(folder / "audit.json", audit)
    page = folder / "report/index.html"
    write_page(folder / "external_summary.json", folder / "audit.json", page)
    return folder


def subgroups_of(folder):
    """Values of two made-up columns: of 9 groups 6 and 3 are of a scanner, 8 and 1 of a ward."""
    rows = read_csv(folder / "cohort.csv")
    number = {row["sample"]: int(row["group"][1:]) for row in rows}
    values = [
        {"sample": one, "scanner": "AB"[n % 3 == 2], "ward": "XY"[n == 0]}
        for one, n in number.items()
    ]
    named = {"scanner": ["A", "B"], "ward": ["X", "Y"]}
    return values, [{"column": c, "levels": levels, "refused": ""} for c, levels in named.items()]


def test_subgroups_of_a_site_are_measured_and_rare_ones_are_not(site):
    found = read_json(site / "external_summary.json")["subgroups"]
    scanner, ward = found["columns"]
    rows, (values, _) = read_csv(site / "p.csv"), subgroups_of(site)
    of = {row["sample"]: row["scanner"] for row in values}
    for level in scanner["levels"]:
        own = [row for row in rows if of[row["sample"]] == level["level"]]
        truth, answer = ([row[key] for row in own] for key in ("label", "predicted"))
        assert level["n"] == len(own)
        expected = cohen_kappa_score(truth, answer, weights="quadratic")
        assert level["metrics"]["kappa"]["value"] == pytest.approx(expected, nan_ok=True)
    # One ward is of one group; the other is hidden with it, or subtraction would tell.
    assert ward["levels"] == [{"level": "X", "few": True}, {"level": "Y", "few": True}]
    text = (site / "report/report.md").read_text()
    assert "## Subgroups" in text and "| Y | few | few |" in text
    # Where all values of a column are too rare no table without a line is left.
    assert "\n| Value |" not in text[text.index("| Y | few | few |") :]


def test_what_leaves_a_site_is_numbers_over_all_images(site):
    summary = read_json(site / "external_summary.json")
    samples = {row["sample"] for row in read_csv(site / "p.csv")}
    assert summary["n"] == len(samples) == 18 and summary["groups"] == 9
    for path in (site / "external_summary.json", site / "report/index.html", site / "site.json"):
        text = path.read_text()
        assert CANARY not in text
        assert not [sample for sample in samples if sample in text]


def test_its_metrics_stand_beside_the_expected_ones(site, made):
    expected = read_manifest(made.bundle)["expected"]["levels"]["image"]["metrics"]
    summary = read_json(site / "external_summary.json")
    rows = {row["metric"]: row for row in summary["comparison"]}
    right = [row["label"] == row["predicted"] for row in read_csv(site / "p.csv")]
    assert rows["accuracy"]["here"]["value"] == pytest.approx(np.mean(right))
    assert rows["accuracy"]["expected"]["value"] == expected["accuracy"]["value"]
    text = (site / "report/report.md").read_text()
    assert f"{np.mean(right):.3f}" in text and "Shift between the sites" in text


def test_the_page_checks_the_bundles_calibration_and_sets(site):
    summary, text = (
        read_json(site / "external_summary.json"),
        (site / "report/report.md").read_text(),
    )
    (part,) = summary["reliability"]
    here = part["sets"]["by_class"]["here"]["by_class"]
    assert set(here) == set(CLASSES)
    assert "hold the truth in 80 % of images" in text
    for row in ("| Log loss, nats |", "| one for all | all images |", "| by class | C |"):
        assert row in text
    assert "The bundle's sets, made to hold the truth in 80%" in text


def test_classes_whose_sets_break_their_promise_are_named():
    classes = {"A": side(0.67, 0.43, 0.87), "B": side(0.8, 0.7, 0.95), "C": side(1.0, None, None)}
    assert _missed(classes, 0.9) == [
        "With limits by class too few sets hold it of A 0.670 (0.430 to 0.870)."
    ]
    assert _missed(classes, 0.8) == []


def test_the_paragraph_counts_what_is_worse():
    rows = [
        {"metric": "accuracy", "verdict": FELL},
        {"metric": "log_loss", "verdict": ROSE},  # the lower the better
        {"metric": "auc", "verdict": ROSE},
        {"metric": "kappa", "verdict": UNCHANGED},
        {"metric": "macro_f1", "verdict": UNKNOWN},
    ]
    [said] = _tally(rows)
    assert said.startswith("Of 4 metrics with intervals on both sides 2 are clearly worse and 1 cl")


def test_equal_pictures_show_no_shift(made, tmp_path):
    manifest = read_manifest(made.bundle)
    rows, images = cohort(tmp_path, sorted(made.pictures.iterdir()), made.params)
    assert cohort_facts(rows, ["label"], images, 1) == manifest["cohort"]


def side(value, low, high):
    return {"value": value, "interval": [low, high]}


@pytest.mark.parametrize(
    ("here", "there", "verdict"),
    [
        (side(0.7, 0.6, 0.8), side(0.75, 0.7, 0.8), UNCHANGED),
        (side(0.5, 0.45, 0.55), side(0.8, 0.75, 0.85), FELL),
        (side(0.5, None, None), side(0.8, 0.75, 0.85), UNKNOWN),
        (side(None, None, None), side(0.8, 0.75, 0.85), UNKNOWN),
    ],
)
def test_a_difference_is_judged_by_both_intervals(here, there, verdict):
    def of(one):
        return {"image": {"metrics": {"accuracy": one}}}

    assert comparison({"levels": of(there)}, of(here))[0]["verdict"] == verdict


def test_shift_is_what_scipy_says():
    random = np.random.default_rng(1)
    a, b = random.normal(0, 1, 40), random.normal(0.7, 2, 60)
    facts = [{"mean": x.mean(), "std": x.std(ddof=1), "n": len(x)} for x in (a, b)]
    expected = stats.ttest_ind(a, b, equal_var=False).pvalue
    assert moments(*facts)["p"] == pytest.approx(expected)
    found = label_shift({"A": 30, "B": 10}, {"A": 10, "B": 10, "C": 4})
    assert found["p"] == pytest.approx(stats.chi2_contingency([[30, 10, 0], [10, 10, 4]]).pvalue)
    assert found["distance"] == pytest.approx(
        abs(np.array([0.75, 0.25]) - [10 / 24, 10 / 24]).max()
    )


def test_shares_of_rare_labels_are_not_told_nor_what_gives_them_away():
    counts, groups = {"A": 30, "B": 9, "C": 4, "D": 2}, {"A": 20, "B": 8, "C": 4, "D": 2}
    trained = {"A": 50, "B": 30, "C": 10, "D": 5, "E": 5}
    rare = rare_values(counts, groups, 5)
    assert rare == {"C", "D"}
    told = label_shift(trained, counts, rare)
    assert told["here"] == [30 / 45, 9 / 45, None, None, 0.0]
    assert told["trained"] == [0.5, 0.3, 0.1, 0.05, 0.05]
    pooled = [[50, 30, 5, 15], [30, 9, 0, 6]]
    assert told["p"] == pytest.approx(stats.chi2_contingency(pooled).pvalue)
    swapped = label_shift(trained, counts | {"C": 2, "D": 4}, rare)
    assert swapped == told, "what is told is the same however the rare ones share"
    # One alone would be what the others leave.
    assert rare_values(counts, groups | {"C": 5}, 5) == {"C", "D"}
    assert rare_values(counts, groups, 2) == set()
    assert rare_values({"A": 3}, {"A": 3}, 5) == {"A"}
    [table] = labels({"label": told})
    assert table["few"] and [row["here"] for row in table["rows"]] == [
        "66.7%", "20.0%", "few", "few", "0.0%",
    ]  # fmt: skip
    row = {"group": "g1", "label": "A", "label_lobe": "1"}
    assert label_groups([row, row, row | {"group": "g2"}], ["label"]) == {"label": {"A": 2}}


def test_a_temperature_is_found_again():
    random = np.random.default_rng(5)
    p = sharpened(random.dirichlet([1, 1, 1], 4000), 1.0)
    truth = np.array([random.choice(3, p=row) for row in p])
    assert loss([p], [truth]) == pytest.approx(log_loss(truth, p))
    # Said too sure by half: the truth is at temperature 2 of what is said.
    said = sharpened(p, 0.5)
    rows = [
        {"group": f"g{n // 2}", "fold": "ensemble", "label": CLASSES[t]}
        | {f"p_{name}": str(value) for name, value in zip(CLASSES, row, strict=True)}
        for n, (row, t) in enumerate(zip(said, truth, strict=True))
    ]
    found = recalibration(rows, {"": CLASSES}, 3)
    assert found["temperature"] == pytest.approx(2, rel=0.1)
    assert found["ece"]["after"] < 0.5 * found["ece"]["before"]
    assert error([said], [truth]) > 0.05
    assert recalibration(rows[:4], {"": CLASSES}, 3) is None


def study(made, **more):
    data = {"reader": "images", "root": "x", "table": {"path": "t.csv"}}
    return {"validate": {"bundle": str(made.bundle)}, "data": data} | more


def test_a_study_that_validates_takes_the_bundles_settings(made):
    filled = with_bundle(study(made), "site.yaml")
    assert filled["kind"] == "classification"
    assert filled["data"]["classes"]["order"] == CLASSES
    assert filled["image"] == made.params["image"]
    assert with_bundle({"kind": "zones"}, "site.yaml") == {"kind": "zones"}


def test_other_settings_and_other_classes_are_refused_by_name(made):
    with pytest.raises(FoldwiseError, match=r"site.yaml: image, training: .* Take this out"):
        with_bundle(study(made, image={}, training={}), "site.yaml")
    with pytest.raises(FoldwiseError, match=r"kind: zones, but .* are of kind classification"):
        with_bundle(study(made, kind="zones"), "site.yaml")
    other = copy.deepcopy(study(made))
    other["data"]["classes"] = {"order": ["A", "B"]}
    with pytest.raises(FoldwiseError, match=r"data.classes.order: A, B, but .* answer A, B, C"):
        with_bundle(other, "site.yaml")
