"""Repeats of a run: what chance does to it, and what more patients may give."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit
from scipy.stats import t
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from flow import write_study
from foldwise.errors import FoldwiseError
from foldwise.evaluate.learning_curve import Size, learning_curve
from foldwise.evaluate.metrics.classification import Measures
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.power_law import fit
from foldwise.evaluate.seeds import components, noise, of_seeds
from foldwise.plan.evidence import parts_of, seeds_of
from foldwise.settings.study import check_seeds, load_study, origin, run_settings
from report_pages import build, reporting
from studies import settings

CLASSES = ["A", "B"]
TASK = Measures({"classes": CLASSES})


def folds_of(skill, seed, folds=4, patients=30, images=2):
    """Folds of made-up predictions, a share `skill` of which is right."""
    made = []
    for fold in range(1, folds + 1):
        labels = np.random.default_rng(fold).integers(0, 2, patients)
        right = np.random.default_rng([seed, fold]).random((patients, images)) < skill
        rows = [
            {"sample": f"s{fold}_{i}_{k}", "group": f"g{fold}_{i}", "label": CLASSES[label]}
            | {"p_A": str(0.3 + 0.4 * (right[i, k] == (label == 0)))}
            | {"p_B": str(0.7 - 0.4 * (right[i, k] == (label == 0)))}
            for i, label in enumerate(labels)
            for k in range(images)
        ]
        made.append(SimpleNamespace(fold=fold, predictions=rows, metrics=TASK.score(rows)))
    return made


def test_components_follow_from_the_mean_squares_of_statsmodels():
    random = np.random.default_rng(3)
    values = 0.7 + random.normal(0, 0.05, (3, 1)) + random.normal(0, 0.1, (1, 5))
    values = values + random.normal(0, 0.02, (3, 5))
    seed, fold = (place.ravel() for place in np.indices(values.shape))
    table = pd.DataFrame({"y": values.ravel(), "seed": seed, "fold": fold})
    squares = anova_lm(ols("y ~ C(seed) + C(fold)", table).fit())["mean_sq"]
    rest = squares["Residual"]
    got = components(values)
    assert got.rest == pytest.approx(rest)
    assert got.seed == pytest.approx((squares["C(seed)"] - rest) / 5)
    assert got.fold == pytest.approx((squares["C(fold)"] - rest) / 3)


def test_components_are_found_again_on_average():
    random = np.random.default_rng(1)
    many = []
    for _ in range(400):
        values = random.normal(0, 3, (6, 1)) + random.normal(0, 2, (1, 5))
        found = components(values + random.normal(0, 1, (6, 5)))
        many.append((found.seed, found.fold, found.rest))
    assert np.mean(many, axis=0) == pytest.approx([9, 4, 1], rel=0.15)


def test_two_trainings_lie_within_the_noise_as_often_as_it_says():
    random = np.random.default_rng(5)
    inside = []
    for _ in range(3000):
        first, second, *seeds = random.normal(0.7, 0.02, 5)
        inside.append(abs(first - second) <= noise(seeds))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)
    two = t.ppf(0.975, 1) * np.sqrt(2) * np.std([0.7, 0.72], ddof=1)
    assert noise([0.7, 0.72]) == pytest.approx(two)


def test_seeds_are_told_with_their_split():
    runs = {seed: folds_of(0.8, seed) for seed in (7, 1, 2)}
    found = of_seeds(runs, TASK, Bootstrap(1, "patient", 100), "accuracy")
    own = found["metrics"]["accuracy"]
    means = [np.mean([fold.metrics["accuracy"] for fold in run]) for run in runs.values()]
    assert list(own["by_seed"].values()) == pytest.approx(means)
    assert own["std"] == pytest.approx(np.std(means, ddof=1))
    assert sum(own["shares"].values()) == pytest.approx(1)
    assert "Over 3 seeds accuracy" in found["text"] and "patients" in found["text"]
    two = of_seeds(
        {seed: runs[seed] for seed in (7, 1)}, TASK, Bootstrap(1, "patient", 20), "accuracy"
    )
    assert "hardly known" in two["text"] and "hardly known" not in found["text"]
    one_fold = of_seeds(
        {s: run[:1] for s, run in runs.items()}, TASK, Bootstrap(1, "patient", 20), "accuracy"
    )
    assert one_fold["metrics"]["accuracy"]["shares"] is None


def law(n, a, b, c):
    return a - b * n**-c


@pytest.mark.parametrize("truth", [(0.9, 2.0, 0.5), (0.8, 0.9, 0.25), (0.75, -0.3, 0.5)])
def test_a_curve_is_found_again_and_is_that_of_scipy(truth):
    n = np.array([20.0, 40, 60, 80, 100])
    found = fit(n, law(n, *truth)[None], (0.0, 1.0))
    assert found.at(200)[0] == pytest.approx(law(200, *truth), abs=1e-3)
    noisy = law(n, *truth) + np.random.default_rng(2).normal(0, 0.004, 5)
    bounds = ([0, -np.inf, 0.05], [1, np.inf, 3.0])
    expected, _ = curve_fit(law, n, noisy, p0=truth, bounds=bounds, maxfev=20_000)
    got = fit(n, noisy[None], (0.0, 1.0))
    ours, theirs = (((noisy - y) ** 2).sum() for y in (got.at(n)[:, 0], law(n, *expected)))
    assert ours <= theirs * 1.01 + 1e-9
    assert got.at(200)[0] == pytest.approx(law(200, *expected), abs=5e-3)


def test_no_curve_leaves_the_limits_of_its_metric():
    rising = np.array([[0.5, 0.7, 0.8, 0.95, 1.0]])
    assert fit([20, 40, 60, 80, 100], rising, (0.0, 1.0)).a[0] <= 1.0


def test_the_learning_curve_foretells_and_checks_itself():
    skills = {25: 0.62, 50: 0.74, 75: 0.79, 100: 0.82}
    sizes = [Size(p, folds_of(s, p, patients=80), p, 2 * p) for p, s in skills.items()]
    found = learning_curve(sizes, TASK, Bootstrap(1, "patient", 200), "accuracy")
    values = [one["value"] for one in found["sizes"]]
    assert values == sorted(values)
    assert found["twice"]["groups"] == 200
    low, high = found["twice"]["interval"]
    assert low < found["twice"]["value"] < high <= 1
    assert found["left_out"]["measured"] == values[-1]
    assert "foretell" in found["text"]
    flat = [Size(p, folds_of(0.7, 1), p, 2 * p) for p in skills]
    said = learning_curve(flat, TASK, Bootstrap(1, "patient", 100), "accuracy")["text"]
    assert "not resolved" in said
    same = [Size(p, folds_of(1.0, 1), p, 2 * p) for p in skills]
    nothing = learning_curve(same, TASK, Bootstrap(1, "patient", 50), "accuracy")
    assert nothing["sizes"] == [] and "no curve is fitted" in nothing["text"]


def test_repeats_are_runs_by_name(tmp_path):
    write_study(tmp_path, "mine", settings(seeds=[1, 2], learning_curve=[50, 20, 80]))
    study = load_study("mine", tmp_path / "config" / "studies")
    assert [run for _, run in seeds_of(study)] == ["cv", "cv_seed1", "cv_seed2"]
    parts = [(20, "cv_part20"), (50, "cv_part50"), (80, "cv_part80"), (100, "cv")]
    assert list(parts_of(study)) == parts
    assert origin(study, "cv_part20") == ("cv", "part", 20) and origin(study, "cv") == ("cv", "", 0)
    own, part, seed = (run_settings(study, run) for run in ("cv", "cv_part20", "cv_seed2"))
    assert part == own | {"run": "cv_part20", "part": 0.2}
    assert seed == own | {"run": "cv_seed2", "seed": 2} and "part" not in own
    with pytest.raises(FoldwiseError, match="seed of run cv itself"):
        check_seeds(study | {"seeds": [study["seed"]]}, "study.yaml")


def test_the_page_tells_of_seeds_and_of_the_learning_curve(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = reporting(baselines=[]) | {"seeds": [2, 3], "learning_curve": [25, 50, 75]}
    out = build(tmp_path, study=study)
    text = (out / "report.md").read_text()
    assert "## Seeds" in text and "Over 3 seeds" in text and "## Learning curve" in text
    assert "200, by the curve" in text and (out / "figures" / "learning_curve.png").is_file()
    monkeypatch.chdir(tmp_path.joinpath("plain").mkdir() or tmp_path / "plain")
    plain = build(tmp_path / "plain", study=reporting(baselines=[]))
    assert "## Seeds" not in (plain / "report.md").read_text()
