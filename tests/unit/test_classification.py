"""Class weights against scikit-learn, predictions and their table against torch."""

import numpy as np
import pytest
import torch
from sklearn.metrics import cohen_kappa_score
from sklearn.utils.class_weight import compute_class_weight

from foldwise.errors import FoldwiseError
from foldwise.files import read_json
from foldwise.tasks.classification import Classification
from foldwise.train.embed import write_embeddings
from training import CLASSES, Memory, Tiny, TinyTask, make_params, make_rows, train

HISTORY = "train_history.json"
LABELS = np.array([0] * 10 + [1] * 4 + [2] * 2)
TASK = TinyTask({"classes": CLASSES})


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


def test_settings_reach_the_loss():
    params = make_params(loss__label_smoothing=0.1, loss__class_weights="balanced")
    criterion = TASK.criterion(params, {"label": LABELS})
    logits, label = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    balanced = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    weights = torch.tensor(balanced, dtype=torch.float32)
    expected = torch.nn.functional.cross_entropy(logits, label, weights, label_smoothing=0.1)
    torch.testing.assert_close(criterion(logits, label), expected)


@pytest.mark.parametrize("name", ["cross_entropy", "focal", "ordinal"])
def test_a_real_network_and_each_loss_train(tmp_path, name):
    params = make_params(32, loss__name=name, training__epochs=8, training__lr=0.003)
    told = read_json(train(tmp_path, params, task=Classification(params["task"])) / HISTORY)
    assert told["best"]["score"] > 0.5


def test_joined_features_reach_the_head(tmp_path):
    rows = make_rows(36)
    random = np.random.default_rng(0)
    told = np.array([CLASSES.index(row["label"]) for row in rows])
    features = np.eye(3)[told] * 3 + random.normal(0, 0.1, (36, 3))
    write_embeddings(tmp_path / "embeddings", [row["content"] for row in rows], features)
    params = make_params(32, training__epochs=10, training__lr=0.01)
    task = Classification(params["task"] | {"embeddings": str(tmp_path / "embeddings")})
    noise = Memory(
        random.integers(0, 256, (36, 1, 32, 32), dtype=np.uint8), [row["content"] for row in rows]
    )
    folder = train(tmp_path, params, task=task, rows=rows, images=noise)
    assert read_json(folder / HISTORY)["best"]["score"] > 0.8
    missing = make_rows(37)
    with pytest.raises(FoldwiseError, match="1 of 37 samples have no row"):
        task.targets(missing)


def test_the_monitor_is_one_of_the_measures():
    assert TASK.monitor(None) == ("kappa", "max")
    assert TASK.monitor("log_loss") == ("log_loss", "min")
    with pytest.raises(FoldwiseError, match=r"'kapa' cannot choose.*mean 'kappa'"):
        TASK.monitor("kapa")
