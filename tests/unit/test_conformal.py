"""Conformal sets: p-values of crepes, coverage as stated, groups never on both sides."""

import numpy as np
import pytest
from crepes import ConformalClassifier
from scipy import stats

from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.reliability.conformal import conformal, crossed_p_values, least_groups, p_values
from foldwise.reliability.parts import crossed, parts_of
from foldwise.reliability.triage import NOBODY, groups_needed, p_value, threshold_for

QUICK = Bootstrap(1, "patient", 50)
TASK = {"classes": ["A", "B", "C"]}


def table(n=600, folds=4, images=2, seed=0, shares=(1, 1, 1)):
    """Images of a group lie near one another, so that they are no independent samples."""
    random = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        group = i // images
        own = np.random.default_rng([seed, group]).dirichlet(shares)
        p = 0.7 * own + 0.3 * random.dirichlet(np.ones(3))
        label = random.choice(3, p=p)
        named = {"sample": f"s{i}", "group": f"g{group}", "exam": f"e{i}"}
        named |= {"fold": str(1 + group % folds), "label": "ABC"[label]}
        rows.append(named | {f"p_{c}": repr(float(v)) for c, v in zip("ABC", p, strict=True)})
    return rows


def test_p_values_are_those_of_crepes():
    random = np.random.default_rng(0)
    # Rounded: ties count.
    scores, asked = np.round(random.random(80), 2), np.round(random.random((30, 3)), 2)
    oracle = ConformalClassifier()
    oracle.fit(scores)
    expected = oracle.predict_p(asked, all_classes=True, smoothing=False)
    assert p_values(scores, np.ones(80), asked) == pytest.approx(expected, abs=1e-12)


def test_p_values_of_each_class_are_those_of_crepes_with_classes_as_bins():
    part = parts_of(table(images=1), TASK)[0]
    mine = crossed_p_values(part, by_class=True)
    for fitted, judged in crossed(part):
        truth, p = part.labels[fitted], part.probabilities[fitted]
        oracle = ConformalClassifier()
        oracle.fit(1 - p[np.arange(len(p)), truth], bins=truth)
        asked = 1 - part.probabilities[judged]
        bins = np.tile(np.arange(3), (len(asked), 1))
        columns = [
            oracle.predict_p(
                asked[:, [k]], bins=bins[:, k], all_classes=True, smoothing=False
            ).ravel()
            for k in range(3)
        ]
        assert mine[judged] == pytest.approx(np.stack(columns, axis=1), abs=1e-12)


@pytest.mark.parametrize("error", [0.1, 0.3])
def test_coverage_is_as_stated_over_many_draws_of_patients(error):
    covered = []
    for seed in range(12):
        part = parts_of(table(400, images=4, seed=seed), TASK)[0]
        sets = crossed_p_values(part, by_class=False) > error
        covered.append(sets[np.arange(len(sets)), part.labels].mean())
    assert 1 - error - 0.02 < np.mean(covered) < 1 - error + 0.04


def test_a_rare_class_is_covered_by_its_own_limit():
    rows = table(1200, images=1, shares=(6, 6, 1))
    (part,) = conformal(rows, TASK, 0.2, QUICK)["parts"]
    whole, own = (part["sets"][kind]["by_class"]["C"]["value"] for kind in ("all", "by_class"))
    assert whole < 0.7 and own > 0.72
    assert sum(part["sets"]["all"]["sizes"].values()) == 1200


def test_too_few_groups_are_told_with_the_number_that_would_do():
    (part,) = conformal(table(16), TASK, 0.1, QUICK)["parts"]
    assert part["few"].startswith("6 groups remain") and "takes 9" in part["few"]
    assert not part["sets"]
    assert least_groups(0.05) == 19


def test_a_class_of_too_few_groups_is_in_every_set_and_named():
    rows = [row for row in table(400) if row["label"] != "C"] + [
        row for row in table(400) if row["label"] == "C"
    ][:4]
    (part,) = conformal(rows, TASK, 0.1, QUICK)["parts"]
    assert part["sets"]["by_class"]["rare"] == ["C"]
    assert part["sets"]["by_class"]["by_class"]["C"]["value"] == 1


def test_triage_lets_stand_what_is_shown_to_hold_the_error():
    confidence = np.array([0.9] * 30 + [0.8] * 30 + [0.7] * 30 + [0.6] * 30)
    right, group = confidence > 0.75, np.arange(120)
    # Of the first 60 none is wrong, of 90 a third; those of one confidence go together.
    assert threshold_for(confidence, right, group, 0.25, 0.95) == 0.8
    assert threshold_for(confidence, ~right, group, 0.1, 0.95) == NOBODY
    # Sixty without an error show 10 % (.9^60 = .002), and not 5 % (.95^60 = .05).
    assert threshold_for(confidence, right, group, 0.1, 0.95) == 0.8
    assert threshold_for(confidence, right, group, 0.05, 0.95) == NOBODY
    # Four images each of the same patients show less: there are thirty of them in all.
    assert threshold_for(confidence, right, group // 4, 0.1, 0.95) == NOBODY
    assert groups_needed(0.1, 0.95) == 44


def test_the_test_of_triage_is_the_binomial_one_and_never_below_it():
    wrong = np.arange(50) < 2
    exact = stats.binomtest(2, 50, 0.1, alternative="less").pvalue
    assert p_value(wrong, np.arange(50), 0.1) == pytest.approx(exact)
    # Two images a group, one of them wrong in four groups: as much wrong, in less certain parts.
    halves = np.tile([True, False], 50) & (np.arange(100) < 8)
    assert p_value(halves, np.arange(100) // 2, 0.1) > exact
    assert p_value(np.ones(50, bool), np.arange(50), 0.1) == 1


@pytest.mark.parametrize("images", [1, 3])
def test_triage_keeps_its_promise_in_as_many_draws_as_it_says(images):
    random, broken, decided = np.random.default_rng(3), 0, 0
    for _ in range(300):
        hard = random.normal(size=120)[:, None]
        # Wrong with probability 1 - confidence, so that the true error above a limit is a mean.
        confidence = stats.norm.cdf(1.3 + 0.6 * hard + 0.3 * random.normal(size=(120, images)))
        right = random.random((120, images)) < confidence
        group = np.arange(120).repeat(images)
        limit = threshold_for(confidence.ravel(), right.ravel(), group, 0.1, 0.9)
        above = confidence[confidence >= limit]
        decided += len(above) > 0
        broken += len(above) > 0 and 1 - above.mean() > 0.1
    assert decided > 100 and broken <= 30


def test_triage_of_a_study_decides_some_at_its_error():
    (part,) = conformal(table(2000), TASK, 0.3, QUICK)["parts"]
    assert part["triage"]["error"]["value"] <= 0.35
    assert 0 < part["triage"]["decided"]["value"] < 1
