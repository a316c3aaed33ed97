"""The summary in its stated form, intervals around pooled numbers, and every warning."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from foldwise.evaluate.cautions import cautions
from foldwise.evaluate.fold import measure_levels
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.selection import cautions as selection_cautions
from foldwise.evaluate.selection import selection
from foldwise.evaluate.summary import FoldResult, join_logs, limits_of, summarise
from foldwise.files import write_json
from foldwise.registry import load

CLASSES = ["A", "B"]


BINARY = load("MEASURES", "classification")({"classes": CLASSES})


def fold(number: int, right: float, n: int = 20) -> FoldResult:
    """A fold of n patients in which the share `right` is predicted as it is."""
    rows = []
    for i in range(n):
        truth = i % 2
        p = 0.8 if i < right * n else 0.2
        p_of = (p, 1 - p) if truth == 0 else (1 - p, p)
        names = {"sample": f"s{number}_{i}", "group": f"g{number}_{i}", "exam": ""}
        label = {"label": CLASSES[truth]}
        rows.append(names | label | {f"p_{c}": repr(v) for c, v in zip(CLASSES, p_of, strict=True)})
    levels = measure_levels(rows, BINARY)
    metrics = {**levels["image"]["metrics"], "levels": levels}
    return FoldResult(number, metrics, rows, n_train=80, n_val=n)


@pytest.fixture(scope="module")
def summary():
    return summarise(
        [fold(1, 0.9), fold(2, 0.6), fold(3, 0.75)], BINARY, Bootstrap(42, "patient", 300)
    )


def test_it_has_the_form_that_readers_expect(summary):
    accuracy = [entry["accuracy"] for entry in summary["folds"]]
    assert accuracy == [0.9, 0.6, 0.75]
    assert [entry["fold"] for entry in summary["folds"]] == [1, 2, 3]
    assert summary["accuracy"]["mean"] == pytest.approx(np.mean(accuracy))
    assert summary["accuracy"]["std"] == pytest.approx(np.std(accuracy, ddof=1))


def test_pooled_metrics_are_of_all_predictions(summary):
    pooled = summary["pooled"]["image"]
    assert pooled["n"] == 60
    accuracy = pooled["metrics"]["accuracy"]
    assert accuracy["value"] == pytest.approx(45 / 60)
    low, high = accuracy["interval"]
    assert 0.6 < low < 0.75 < high < 0.87


def test_warnings_name_instability(summary):
    assert [w["kind"] for w in summary["warnings"]] == ["instability"]


def test_a_collapsed_fold_is_named():
    bad = fold(2, 0.5)
    for row in bad.predictions:
        row["p_A"], row["p_B"] = "0.9", "0.1"
    levels = measure_levels(bad.predictions, BINARY)
    bad.metrics.update({**levels["image"]["metrics"], "levels": levels})
    got = summarise([fold(1, 0.9), bad], BINARY, Bootstrap(1, "patient", 0))
    assert "Fold 2 predicts a single class." in [w["text"] for w in got["warnings"]]


def test_a_class_that_no_fold_ever_says_is_named():
    """Of three classes one is never said, which F1 alone shows as a lower mean."""
    measures = load("MEASURES", "classification")({"classes": ["A", "B", "C"]})
    folds = [with_third_class(fold(1, 0.9), measures), with_third_class(fold(2, 0.8), measures)]
    got = summarise(folds, measures, Bootstrap(1, "patient", 0))["warnings"]
    assert {"kind": "never", "text": "No image of any fold is called C."} in got
    for row in folds[0].predictions[-2:]:
        row |= {"p_A": "0.0", "p_B": "0.0", "p_C": "1.0"}
    folds[0].metrics["levels"] = measure_levels(folds[0].predictions, measures)
    got = summarise(folds, measures, Bootstrap(1, "patient", 0))["warnings"]
    text = "No image of C is called so in any fold: its recall is 0."
    assert {"kind": "missed", "text": text} in got
    for row in folds[0].predictions[-2:]:
        row |= {"p_A": "1.0", "p_B": "0.0", "p_C": "0.0"}
    heads = load("MEASURES", "distillation")({"heads": {"body_part": ["A", "B", "C"]}})
    for one in folds:
        for row in one.predictions:
            row["label_body_part"] = row.pop("label")
            row |= {f"p_body_part_{name}": row.pop(f"p_{name}") for name in "ABC"}
        levels = measure_levels(one.predictions, heads)
        one.metrics.clear()
        one.metrics.update({**levels["image"]["metrics"], "levels": levels})
    got = summarise(folds, heads, Bootstrap(1, "patient", 0))["warnings"]
    assert "No image of any fold is called C (body part)." in [one["text"] for one in got]


def with_third_class(one, measures):
    for row in one.predictions[:3]:
        row["label"] = "C"
    for row in one.predictions:
        row["p_C"] = "0.0"
    levels = measure_levels(one.predictions, measures)
    metrics = {**levels["image"]["metrics"], "levels": levels}
    return FoldResult(one.fold, metrics, one.predictions, one.n_train, one.n_val)


def test_a_metric_that_a_fold_lacks_is_said():
    odd = fold(2, 0.9)
    odd.metrics["auc"] = None
    got = summarise([fold(1, 0.9), odd], BINARY, Bootstrap(1, "patient", 0))
    assert got["auc"]["n_folds"] == 1
    assert any("AUC: defined in 1 of 2 folds" in w["text"] for w in got["warnings"])


def test_equal_input_gives_equal_bytes(summary, tmp_path):
    again = summarise(
        [fold(1, 0.9), fold(2, 0.6), fold(3, 0.75)], BINARY, Bootstrap(42, "patient", 300)
    )
    write_json(tmp_path / "a.json", summary)
    assert json.loads((tmp_path / "a.json").read_text()) == again == summary


def test_pooled_accuracy_agrees_with_scikit_learn(summary):
    rows = [row for k, r in ((1, 0.9), (2, 0.6), (3, 0.75)) for row in fold(k, r).predictions]
    truth = [row["label"] for row in rows]
    guess = [max(CLASSES, key=lambda c: float(row[f"p_{c}"])) for row in rows]
    value = summary["pooled"]["image"]["metrics"]["accuracy"]["value"]
    assert value == accuracy_score(truth, guess)


def test_limits_of_metrics():
    assert limits_of("band_kappa") == limits_of("mean_score_r") == (-1, 1)
    assert limits_of("modality_macro_f1") == limits_of("pooled_soft_dice") == (0, 1)
    assert limits_of("mean_score_mae") == (0, np.inf)
    assert limits_of("balanced_accuracy_adjusted") == (-1, 1)
    assert limits_of("objects_bias") == (-np.inf, np.inf)


def test_one_log_over_all_folds(tmp_path):
    for k in (10, 2):
        (tmp_path / f"{k}.log").write_text(f"epoch of fold {k}\n")
    join_logs(
        {10: tmp_path / "10.log", 2: tmp_path / "2.log", 3: tmp_path / "none"}, tmp_path / "run.log"
    )
    text = (tmp_path / "run.log").read_text()
    assert text.index("fold 2 =") < text.index("epoch of fold 2") < text.index("fold 3 =")
    assert text.index("(no log)") < text.index("epoch of fold 10")


def history(number, values, kept, rates=None, ended="all epochs"):
    """A train_history.json of which epoch `kept` was kept."""
    rates = rates or [0.1 * (len(values) - i) for i in range(len(values))]
    epochs = [
        {"epoch": i, "lr_head": rate, "accuracy": value}
        for i, (value, rate) in enumerate(zip(values, rates, strict=True), 1)
    ]
    return {"fold": number, "best": {"epoch": kept}, "ended": ended, "epochs": epochs}


def test_kept_and_last_epoch_are_set_side_by_side():
    found = selection([history(1, [0.5, 0.9, 0.7], 2), history(2, [0.6, 0.5, 0.8], 3)], "accuracy")
    assert found["kept"] == pytest.approx(0.85) and found["last"] == pytest.approx(0.75)
    assert found["gain"] == pytest.approx(0.1)
    assert "0.850 on average" in found["text"] and "0.750" in found["text"]
    assert [one["kept_epoch"] for one in found["folds"]] == [2, 3]


def test_a_kept_epoch_that_came_too_soon_is_warned_of():
    falling = [1.0, 1.0, 0.9, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05]
    first = history(1, [0.9] + [0.5] * 9, 1, falling)
    high = history(2, [0.5] * 3 + [0.9] + [0.5] * 6, 4, falling)
    sound = history(3, [0.5] * 8 + [0.9, 0.9], 9, falling)
    said = selection_cautions(selection([first, high, sound], "accuracy"), 500, "patients")
    assert len(said) == 2
    assert said[0].startswith("Fold 1 kept an epoch from the first tenth") and "1 of 10" in said[0]
    assert said[1].startswith("Fold 2 kept") and "before the learning rate had come down" in said[1]
    flat = history(4, [0.5] * 3 + [0.9] + [0.5] * 6, 4, [0.1] * 10)
    assert selection_cautions(selection([flat], "accuracy"), 500, "patients") == []
    few = selection_cautions(selection([flat], "accuracy"), 60, "exams")
    assert len(few) == 1 and "60 exams are few" in few[0] and "training.stop_after" in few[0]


def test_where_no_epoch_was_chosen_nothing_is_said():
    fixed = [history(1, [0.5, 0.4], 2, ended="stop_after")]
    assert selection(fixed, "accuracy") is None
    assert selection_cautions(None, 10, "patients") == []


def test_names_that_other_programs_use_stand_beside_ours(summary):
    assert summary["kappa_quadratic"] == summary["kappa"]
    assert summary["auc_ovr"] == summary["auc"]


def test_instability_is_of_the_studys_own_metric_and_says_what_to_read():
    measures = load("MEASURES", "segmentation")({})
    over = {"jaccard": {"std": 0.2, "n_folds": 3}, "dice": {"std": 0.3, "n_folds": 3}}
    pooled = {"image": {"details": {"objects_true": 0, "collapsed": False}}}
    found = cautions([], over, pooled, "jaccard", "patients")
    found = [one for one in found if one["kind"] == "instability"]
    assert len(found) == 1 and found[0]["text"].startswith("Jaccard 0.200: standard deviation")
    assert "Read next" in found[0]["text"] and "jaccard" in measures.monitors
    log_loss = {"log_loss": {"std": 0.5, "n_folds": 3}}
    kinds = [one["kind"] for one in cautions([], log_loss, pooled, "log_loss", "patients")]
    assert "instability" not in kinds


def test_unknown_that_no_zone_is_called_is_said_in_words():
    measures = load("MEASURES", "zones")({"zones": ["left"]})
    rows = [
        {"sample": str(i), "group": str(i), "label_left": str(i % 5)}
        | {f"p_left_{k}": str(float(k == min(i % 5, 3))) for k in range(5)}
        for i in range(20)
    ]
    levels = measure_levels(rows, measures)
    one = FoldResult(1, {**levels["image"]["metrics"], "levels": levels}, rows, 80, 20)
    texts = [
        w["text"] for w in summarise([one, one], measures, Bootstrap(1, "patient", 0))["warnings"]
    ]
    assert "No zone of any fold is called unknown, though 8 are: its recall is 0." in texts


def test_few_wrong_patients_and_small_classes_are_said_with_the_number_that_would_do():
    got = summarise([fold(1, 0.95), fold(2, 0.95)], BINARY, Bootstrap(1, "patient", 0))["warnings"]
    texts = [one["text"] for one in got if one["kind"] == "few"]
    assert len(texts) == 1 and texts[0].startswith("Only 2 of 40 patients")
    assert "about 100 patients would do" in texts[0]
    got = summarise([fold(1, 0.5, n=14)], BINARY, Bootstrap(1, "patient", 0))["warnings"]
    texts = [one["text"] for one in got if one["kind"] == "few"]
    assert any(t.startswith("Class A has 7 patients") and "about 20 patients" in t for t in texts)


def test_calibration_error_has_an_interval_of_the_pooled_predictions_alone(summary):
    assert summary["ece"]["interval"] == [None, None]
    assert "biased upward" in summary["ece"]["no_interval"]
    low, high = summary["pooled"]["image"]["metrics"]["ece"]["interval"]
    assert 0 <= low < high
