"""Class weights against scikit-learn, predictions and their table against torch."""

import numpy as np
import pytest
import torch
from foldwise.errors import FoldwiseError
from foldwise.tasks.classification import Classification, class_weights
from sklearn.metrics import cohen_kappa_score
from sklearn.utils.class_weight import compute_class_weight
from training import CLASSES, Tiny, TinyTask, make_params, make_rows

LABELS = np.array([0] * 10 + [1] * 4 + [2] * 2)
COUNTS = np.bincount(LABELS)
TASK = TinyTask({"classes": CLASSES})


def test_balanced_weights_are_those_of_sklearn():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(class_weights(COUNTS, "balanced", CLASSES), expected)


def test_weights_of_a_power_have_mean_one():
    weights = class_weights(COUNTS, 0.5, CLASSES)
    assert weights.mean() == pytest.approx(1)
    assert weights[2] / weights[0] == pytest.approx(np.sqrt(10 / 2))


def test_no_weights_and_a_class_without_samples():
    assert class_weights(COUNTS, "none", CLASSES) is None
    with pytest.raises(FoldwiseError, match="no sample of class C"):
        class_weights(np.array([3, 4, 0]), "balanced", CLASSES)


def test_sampling_weights_give_each_class_an_equal_share():
    weights = TASK.sampling_weights({"label": LABELS})
    np.testing.assert_allclose(np.bincount(LABELS, weights), 1)


def test_an_unknown_label_is_told():
    rows = make_rows(3)
    rows[1]["label"] = "D"
    with pytest.raises(FoldwiseError, match=r"label 'D'.*A, B, C"):
        TASK.targets(rows)


def test_table_and_score():
    rows = make_rows(30)
    random = np.random.default_rng(0)
    probability = random.dirichlet([1, 1, 1], 30).astype(np.float32)
    table = TASK.table(rows, {"probability": probability})
    assert list(table[0]) == [
        "sample",
        "group",
        "exam",
        "fold",
        "label",
        "predicted",
        "p_A",
        "p_B",
        "p_C",
    ]
    read_back = np.array([[row[f"p_{name}"] for name in CLASSES] for row in table], np.float32)
    np.testing.assert_array_equal(read_back, probability)
    truth = [row["label"] for row in rows]
    predicted = [CLASSES[k] for k in probability.argmax(axis=1)]
    assert [row["predicted"] for row in table] == predicted
    kappa = cohen_kappa_score(truth, predicted, weights="quadratic")
    assert TASK.score(table)["kappa"] == pytest.approx(kappa, abs=1e-9)


def test_prediction_is_the_softmax_of_the_model():
    torch.manual_seed(0)
    net = Tiny(1, 3, 0.5).eval()
    image = torch.randn(5, 1, 16, 16)
    outputs = TASK.predict(net, {"image": image})
    torch.testing.assert_close(outputs["probability"], torch.softmax(net(image), 1))
    assert outputs["embedding"].shape == (5, 8)


def test_smoothing_and_weights_reach_the_loss():
    params = make_params(loss__label_smoothing=0.1, loss__class_weights="balanced")
    criterion = TASK.criterion(params, {"label": LABELS})
    logits, label = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    weights = torch.tensor(class_weights(COUNTS, "balanced", CLASSES), dtype=torch.float32)
    expected = torch.nn.functional.cross_entropy(logits, label, weights, label_smoothing=0.1)
    torch.testing.assert_close(criterion(logits, label), expected)


def test_monitors_are_metrics_that_the_score_has():
    rows = make_rows(9)
    probability = np.full((9, 3), 1 / 3, np.float32)
    score = TASK.score(TASK.table(rows, {"probability": probability}))
    assert set(Classification.monitors) <= set(score)
    with pytest.raises(FoldwiseError, match="'kapa' cannot choose"):
        TASK.monitor("kapa")
