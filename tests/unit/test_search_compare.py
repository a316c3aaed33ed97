"""Runs compared on the same folds, and what models cost."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torchvision
from scipy import stats

from foldwise.errors import FoldwiseError
from foldwise.evaluate.compare import as_text, check_defined, compare, over_seeds
from foldwise.evaluate.cost import milliseconds, multiply_adds, parameters
from foldwise.evaluate.metrics.classification import Measures
from foldwise.evaluate.metrics.heads import Measures as HeadMeasures
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.wording import significant

CLASSES = ["A", "B"]
TASK = Measures({"classes": CLASSES})


def run_of(skill, seed=0, folds=5, patients=40):
    """Folds of made-up predictions of which a share `skill` is right beyond chance."""
    made = []
    for fold in range(1, folds + 1):
        rng, luck = np.random.default_rng([seed, fold]), np.random.default_rng([seed, fold, 9])
        labels = rng.integers(0, 2, patients)
        right = luck.random(patients) < skill
        predicted = np.where(right, labels, 1 - labels)
        rows = [
            {"sample": f"s{fold}_{i}", "group": f"g{fold}_{i}", "exam": "", "fold": str(fold)}
            | {"label": CLASSES[label], "p_A": str(0.8 - 0.6 * p), "p_B": str(0.2 + 0.6 * p)}
            for i, (label, p) in enumerate(zip(labels, predicted, strict=True))
        ]
        made.append(
            SimpleNamespace(
                fold=fold,
                metrics=TASK.score(rows),
                predictions=rows,
                n_train=160,
                n_val=40,
                history=None,
            )
        )
    return made


def test_a_real_difference_is_resolved_and_a_small_one_is_not():
    found = compare(run_of(0.6), run_of(0.9), TASK, Bootstrap(1, "patient", 300), "accuracy")
    assert "better by" in found["verdict"] and "the difference is resolved" in found["verdict"]
    assert found["verdict"].startswith("Accuracy 0.")
    found = compare(run_of(0.80), run_of(0.82), TASK, Bootstrap(1, "patient", 300), "accuracy")
    assert "not resolved" in found["verdict"]


def test_groups_that_are_exams_are_called_so():
    exams = compare(run_of(0.6), run_of(0.9), TASK, Bootstrap(1, "accession", 100), "accuracy")
    patients = compare(run_of(0.6), run_of(0.9), TASK, Bootstrap(1, "patient", 100), "accuracy")
    assert "over exams)" in exams["verdict"] and "over patients)" in patients["verdict"]
    assert exams["metrics"] == patients["metrics"]
    said = as_text({1: exams}, None, "")
    assert "Of 200 exams the baseline" in said and "patient" not in said


def test_numbers_are_those_of_scipy():
    first, second = run_of(0.7), run_of(0.85)
    found = compare(first, second, TASK, Bootstrap(1, "patient", 200), "accuracy")
    accuracy = [np.array([fold.metrics["accuracy"] for fold in run]) for run in (first, second)]
    assert found["metrics"]["accuracy"]["difference"] == pytest.approx(
        (accuracy[1] - accuracy[0]).mean()
    )
    # The corrected t is the ordinary one times sqrt((1/J) / (1/J + n_test/n_train)).
    plain = stats.ttest_rel(accuracy[1], accuracy[0]).statistic * np.sqrt(0.2 / (0.2 + 0.25))
    assert found["metrics"]["accuracy"]["p"] == pytest.approx(2 * stats.t.sf(abs(plain), 4))
    right = [
        np.array([(float(row["p_B"]) > 0.5) == (row["label"] == "B") for row in fold.predictions])
        for run in (first, second)
        for fold in run
    ]
    one, other = np.concatenate(right[:5]), np.concatenate(right[5:])
    only = int((one & ~other).sum()), int((~one & other).sum())
    assert (found["mcnemar"]["only_first"], found["mcnemar"]["only_second"]) == only
    assert found["mcnemar"]["p"] == pytest.approx(stats.binomtest(only[0], sum(only)).pvalue)
    assert found["mcnemar"]["groups"] == 200


def test_each_of_several_labels_has_a_test_of_its_own():
    """One label as in the runs above, and one that both runs always have right."""
    measures = HeadMeasures({"heads": {"place": CLASSES, "kind": CLASSES}})
    first, second = run_of(0.7), run_of(0.9)
    for fold in (*first, *second):
        fold.predictions = [with_two_labels(row) for row in fold.predictions]
        fold.metrics = measures.score(fold.predictions)
    found = compare(first, second, measures, Bootstrap(1, "patient", 100), "mean_f1")
    alone = compare(run_of(0.7), run_of(0.9), TASK, Bootstrap(1, "patient", 100), "accuracy")[
        "mcnemar"
    ]
    assert found["mcnemar"] is None
    none = {"groups": 200, "only_first": 0, "only_second": 0, "p": 1}
    assert found["mcnemar_of"] == {"place": alone, "kind": none}


def with_two_labels(row):
    sure = {f"p_kind_{name}": str(int(name == row["label"])) for name in CLASSES}
    place = {f"p_place_{name}": row[f"p_{name}"] for name in CLASSES}
    named = {name: row[name] for name in ("sample", "group", "exam", "fold")}
    return named | {"label_place": row["label"], "label_kind": row["label"]} | place | sure


def test_a_label_whose_name_begins_another_has_its_own_columns():
    """`place` and `place_fine`: the second's probabilities are none of the first's classes."""
    measures = HeadMeasures({"heads": {"place": CLASSES, "place_fine": CLASSES}})
    first, second = run_of(0.7), run_of(0.9)
    for fold in (*first, *second):
        for row in fold.predictions:
            label, p_a, p_b = (row.pop(name) for name in ("label", "p_A", "p_B"))
            row |= {"label_place": label, "p_place_A": p_a, "p_place_B": p_b}
            row |= {"label_place_fine": label, "p_place_fine_A": "0.99", "p_place_fine_B": "0.01"}
        fold.metrics = measures.score(fold.predictions)
    found = compare(first, second, measures, Bootstrap(1, "patient", 100), "mean_f1")["mcnemar_of"]
    alone = compare(run_of(0.7), run_of(0.9), TASK, Bootstrap(1, "patient", 100), "accuracy")[
        "mcnemar"
    ]
    assert found["place"] == alone
    assert found["place_fine"] == {"groups": 200, "only_first": 0, "only_second": 0, "p": 1}


def test_a_metric_that_is_better_when_lower_is_told_so():
    found = compare(run_of(0.6), run_of(0.9), TASK, Bootstrap(1, "patient", 100), "log_loss")
    assert found["metrics"]["log_loss"]["difference"] < 0 and "better by" in found["verdict"]


def test_the_order_of_rows_does_not_matter():
    first, second = run_of(0.7), run_of(0.8)
    shuffled = run_of(0.8)
    for fold in shuffled:
        fold.predictions = fold.predictions[::-1]
    args = (TASK, Bootstrap(1, "patient", 100), "accuracy")
    assert compare(first, second, *args) == compare(first, shuffled, *args)


def test_other_samples_are_refused():
    first, second = run_of(0.7), run_of(0.8)
    second[2].predictions = second[2].predictions[1:]
    with pytest.raises(FoldwiseError, match="do not hold the same samples"):
        compare(first, second, TASK, Bootstrap(1, "patient", 10), "accuracy")


def test_an_objective_without_a_value_is_named():
    first, second = run_of(0.7), run_of(0.8)
    first[0].metrics["auc"] = None
    with pytest.raises(FoldwiseError, match="'auc' is not defined in every fold"):
        check_defined(compare(first, second, TASK, Bootstrap(1, "patient", 10), "auc"))


def test_seeds_are_put_together():
    found = over_seeds(
        {
            seed: compare(
                run_of(0.7, seed), run_of(0.9, seed), TASK, Bootstrap(1, "patient", 10), "kappa"
            )
            for seed in (1, 2)
        }
    )
    assert found["std"] is not None and found["text"].startswith("2 of 2 seeds")


def test_costs_are_those_published_for_resnet18():
    # torchvision's table: 11,689,512 parameters, 1.814 billion multiply-adds at 224 pixels.
    model, images = torchvision.models.resnet18().eval(), torch.zeros(2, 3, 224, 224)
    assert parameters(model) == 11_689_512
    assert multiply_adds(lambda: model(images), 2) == pytest.approx(1.814e9, rel=2e-3)
    small = torch.zeros(1, 3, 64, 64)
    assert 0 < milliseconds(lambda: model(small), 1, torch.device("cpu")) < 1000


def test_a_verdict_says_which_intervals_and_tests_disagree():
    """Folds that vary and patients that agree: over folds not resolved, over patients clear."""
    first, second = run_of(0.7, folds=3, patients=100), run_of(0.8, folds=3, patients=100)
    for fold, gained in zip(second, (0, 12, 25), strict=True):
        before = first[fold.fold - 1].predictions
        fold.predictions = [dict(row) for row in before]
        wrong = [i for i, r in enumerate(before) if (float(r["p_A"]) > 0.5) != (r["label"] == "A")]
        for i in wrong[:gained]:
            row = fold.predictions[i]
            row["p_A"], row["p_B"] = row["p_B"], row["p_A"]
        fold.metrics = TASK.score(fold.predictions)
    found = compare(first, second, TASK, Bootstrap(1, "patient", 500), "accuracy")
    row, said = found["metrics"]["accuracy"], found["verdict"]
    assert row["low"] < 0 < row["high"] and row["groups_low"] > 0
    assert "the two intervals disagree" in said and "do not tell the two apart" not in said
    assert found["sign_flip"]["p"] < 1e-5 and "sign-flip test over patients" in said
    assert "(no)" in said and "(yes)" in said and "few degrees of freedom" in said
    assert found["sign_flip"]["images_gained"] == 37


def sharpened(run, by):
    """The run with the same answers, surer of them."""
    for fold in run:
        fold.predictions = [dict(row) for row in fold.predictions]
        for row in fold.predictions:
            first = row["p_A"] > row["p_B"]
            row["p_A"], row["p_B"] = (str(by), str(1 - by))[:: 1 if first else -1]
        fold.metrics = TASK.score(fold.predictions)
    return run


def test_a_verdict_names_the_tests_that_see_no_difference_where_intervals_do():
    """Probabilities that are better with not one answer changed: no test of answers can see it."""
    surer = sharpened(run_of(0.95, patients=100), 0.9)
    found = compare(run_of(0.95, patients=100), surer, TASK, Bootstrap(1, "patient", 300), "brier")
    row, said = found["metrics"]["brier"], found["verdict"]
    assert row["high"] < 0 and row["groups_high"] < 0 and found["sign_flip"]["p"] == 1
    assert "the difference in Brier score is resolved, one in right answers is not, by" in said
    assert "the sign-flip test over patients (p 1)" in said and "answer a patient (p 1)." in said
    assert "the difference is resolved" not in said


def test_a_difference_that_all_folds_share_is_not_tested_and_says_why():
    first, second = run_of(0.6), run_of(0.6)
    for fold in second:
        fold.predictions = [dict(row) for row in fold.predictions]
        wrong = [r for r in fold.predictions if (r["p_A"] > "0.5") != (r["label"] == "A")]
        for row in wrong[:8]:
            row["p_A"], row["p_B"] = row["p_B"], row["p_A"]
        fold.metrics = TASK.score(fold.predictions)
    found = compare(first, second, TASK, Bootstrap(1, "patient", 300), "accuracy")
    row = found["metrics"]["accuracy"]
    assert row["difference"] == pytest.approx(0.2) and row["groups_low"] > 0
    assert row["p"] is None and row["low"] is None
    assert "one and the same value" in row["no_interval"] and row["no_interval"] in found["verdict"]
    assert "not resolved, over folds there is neither interval nor test" in found["verdict"]
    assert "sign-flip test over patients p" in found["verdict"]
    alike = compare(first, first, TASK, Bootstrap(1, "patient", 50), "accuracy")
    assert "equal: not resolved, these data do not tell the two apart" in alike["verdict"]


def test_numbers_in_sentences_have_no_exponent_and_keep_their_sign():
    shown = [significant(v) for v in (-6.49e-05, 0.0123456, 1234.5, 12345678, 0, -0.5, 9.6e-7)]
    assert shown == ["-0.00006", "0.0123", "1,234", "12,345,678", "0", "-0.5", "0.000001"]


def test_signs_over_groups_take_a_patients_images_together():
    first, second = run_of(0.7), run_of(0.9)
    for fold in (*first, *second):
        for i, row in enumerate(fold.predictions):
            row["group"] = f"g{fold.fold}_{i // 4}"
    found = compare(first, second, TASK, Bootstrap(1, "patient", 50), "accuracy")["sign_flip"]
    gains = [
        sum((r["p_A"] > "0.5") == (r["label"] == "A") for r in rows)
        for run in (first, second)
        for fold in run
        for rows in [fold.predictions[i : i + 4] for i in range(0, 40, 4)]
    ]
    one, other = np.array(gains[:50]), np.array(gains[50:])
    expected = stats.permutation_test(
        (other, one),
        lambda x, y, axis: (x - y).sum(axis=axis),
        permutation_type="samples",
        n_resamples=20000,
        rng=np.random.default_rng(1),
        vectorized=True,
    ).pvalue
    assert found["groups"] == 50
    assert found["p"] == pytest.approx(expected, abs=0.005)


def test_runs_are_set_side_by_side_by_their_last_epochs():
    first, second = run_of(0.7), run_of(0.9)
    for fold in second:
        epochs = [{"epoch": i, "lr_head": 0.1, "accuracy": 0.9 - 0.05 * i} for i in (1, 2)]
        fold.history = {
            "fold": fold.fold,
            "best": {"epoch": 1},
            "ended": "all epochs",
            "epochs": epochs,
        }
    found = compare(first, second, TASK, Bootstrap(1, "patient", 50), "accuracy")
    assert found["last_epoch"]["second"] == pytest.approx(0.8)
    assert found["last_epoch"]["first"] == found["metrics"]["accuracy"]["first"]
    assert "At equal footing" in found["verdict"] and "(second run)" in found["verdict"]
    for fold in second:
        fold.history["ended"] = "stop_after"
    again = compare(first, second, TASK, Bootstrap(1, "patient", 50), "accuracy")
    assert again["last_epoch"] is None and "At equal footing" not in again["verdict"]
