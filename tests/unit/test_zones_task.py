"""Zones: flips, targets, the table and its metrics, settings that cannot be run."""

import numpy as np
import pytest
import torch
import yaml
from sklearn.metrics import cohen_kappa_score

from foldwise.errors import FoldwiseError
from foldwise.models.zoned import box_weights
from foldwise.settings.study import load_study, run_settings
from foldwise.settings.zones import CHEST
from foldwise.tasks.zones import Zones
from training import make_rows

SETTINGS = {"zones": list(CHEST), "mirror": [["right_sup", "left_sup"], ["right_inf", "left_inf"]]}
TASK = Zones(SETTINGS)
ROWS_OF_PAIRS = [list(CHEST[n : n + 2]) for n in (0, 2, 4)]
PAIRED = Zones({"zones": list(CHEST), "mirror": ROWS_OF_PAIRS})
DATA = {"reader": "zones", "root": "films", "table": {"path": "zones.csv"}}


def rows_of(number, seed=0):
    random = np.random.default_rng(seed)
    return [
        row | dict(zip(CHEST, map(str, random.integers(0, 5, 6)), strict=True))
        for row in make_rows(number)
    ]


def study_of(folder, **branches):
    (folder / "mine.yaml").write_text(yaml.safe_dump({"kind": "zones", "data": DATA} | branches))
    return load_study("mine", folder)


def test_a_flip_swaps_the_pairs_of_the_flipped_images_alone():
    score = torch.arange(12).reshape(2, 6)
    found = TASK.flip_targets({"score": score, "other": 1}, torch.tensor([True, False]))
    assert found["score"].tolist() == [[1, 0, 2, 3, 5, 4], [6, 7, 8, 9, 10, 11]]
    assert found["other"] == 1
    assert torch.equal(
        Zones({"zones": list(CHEST)}).flip_targets({"score": score}, torch.tensor([True, True]))[
            "score"
        ],
        score,
    )


def test_scores_become_targets_and_others_are_told():
    rows = rows_of(4)
    score = TASK.targets(rows)["score"]
    assert score.tolist() == [[int(row[zone]) for zone in CHEST] for row in rows]
    rows[2]["left_mid"] = "7"
    with pytest.raises(FoldwiseError, match=r"'7' in zone left_mid; a score is 0 to 3"):
        TASK.targets(rows)


def test_table_and_metrics():
    rows = rows_of(40)
    probability = np.random.default_rng(1).dirichlet(np.ones(5), (40, 6)).astype(np.float32)
    table = TASK.table(rows, {"probability": probability})
    assert list(table[0])[:6] == [
        "sample", "group", "exam", "fold", "label_right_sup", "predicted_right_sup",
    ]  # fmt: skip
    assert len(table[0]) == 4 + 6 * 7
    truth, guess = TASK.targets(rows)["score"].ravel(), probability.argmax(axis=2).ravel()
    assert [row[f"predicted_{zone}"] for row in table for zone in CHEST] == guess.tolist()
    both = (truth != 4) & (guess != 4)
    kappa = cohen_kappa_score(truth[both], guess[both], weights="quadratic", labels=[0, 1, 2, 3])
    assert TASK.score(table)["kappa"] == pytest.approx(kappa, abs=1e-9)


def test_model_has_a_softmax_a_zone():
    torch.manual_seed(0)
    model = TASK.build(
        {"model": {"name": "small_cnn", "weights": "none", "dropout": 0.2}}, 1
    ).eval()
    found = TASK.predict(model, {"image": torch.randn(3, 1, 32, 32)})
    assert found["probability"].shape == (3, 6, 5)
    np.testing.assert_allclose(found["probability"].sum(2).detach(), 1, rtol=1e-5)
    assert found["embedding"].shape[0] == 3


def zoned(name="small_cnn"):
    torch.manual_seed(0)
    settings = {"name": name, "weights": "none", "zone_windows": True, "dropout": 0.5}
    return PAIRED.build({"model": settings}, 1).eval()


def test_a_window_is_the_mean_of_its_part_of_the_last_map():
    model, image = zoned(), torch.randn(2, 1, 192, 128)  # a last map of six rows and four columns
    features = model.embed(image)
    maps = model.backbone.features(image)
    means = torch.nn.functional.adaptive_avg_pool2d(maps, (3, 2)).flatten(2)  # a row a pair
    places = [zone for pair in ROWS_OF_PAIRS for zone in pair]
    for number, zone in enumerate(CHEST, 1):
        own = features[:, number * 128 : (number + 1) * 128]
        torch.testing.assert_close(own, means[:, :, places.index(zone)])
    torch.testing.assert_close(features[:, :128], maps.mean((2, 3)))


def test_a_box_that_cuts_cells_takes_its_share_of_each():
    weights = box_weights([(0, 1 / 3, 0, 0.5), (0, 1, 0, 1)], 4, 4)
    rows = torch.tensor([0.75, 0.25, 0, 0])  # a third of four rows: one, and a third of the next
    columns = torch.tensor([0.5, 0.5, 0, 0])
    torch.testing.assert_close(weights[0], (rows[:, None] * columns).flatten())
    torch.testing.assert_close(weights[1], torch.full((16,), 1 / 16))


@pytest.mark.parametrize("name", ["custom_1", "densenet121", "vit_b_32"])
def test_every_network_can_have_windows(name):
    model = zoned(name)
    model.trainable(1)
    found = PAIRED.predict(model, {"image": torch.randn(2, 1, 64, 64)})
    assert found["probability"].shape == (2, 6, 5)
    assert found["embedding"].shape == (2, model.width)
    found["probability"][0, 0, 0].backward()
    assert model.head[0][1].weight.grad.any() and not any(
        parameter.grad is not None and parameter.grad.any()
        for parameter in model.blocks()[0].parameters()
    )


def test_asked_both_ways_a_mirror_image_has_its_answers_mirrored():
    image = torch.randn(3, 1, 64, 64)
    for both, same in ((True, True), (False, False)):
        task = Zones(PAIRED.settings | {"both_ways": both})
        plain, turned = (
            task.predict(zoned(), {"image": one})["probability"] for one in (image, image.flip(3))
        )
        assert torch.allclose(turned[:, task.mirrored_order], plain, atol=1e-6) == same


def test_unknown_weighs_as_set():
    logits, score = torch.zeros(1, 6, 5), torch.tensor([[4, 0, 1, 2, 3, 4]])
    logits[0, 0, 4] = 3.0
    for weight in (0.1, 1.0):
        loss = TASK.criterion(
            {"loss": {"name": "zone_cross_entropy", "unknown_weight": weight}},
            {"score": score.numpy()},
        )
        weights = torch.tensor([1, 1, 1, 1, weight])
        wanted = torch.nn.functional.cross_entropy(logits[0], score[0], weight=weights)
        assert loss(logits, score).item() == pytest.approx(wanted.item(), rel=1e-6)


def test_kind_has_the_chest_by_default_and_tells_the_task(tmp_path):
    told = run_settings(study_of(tmp_path), "cv")
    assert told["task"]["zones"] == list(CHEST)
    assert told["task"]["mirror"] == [
        ["right_sup", "left_sup"],
        ["right_mid", "left_mid"],
        ["right_inf", "left_inf"],
    ]
    assert (told["loss"]["name"], told["loss"]["unknown_weight"]) == ("zone_cross_entropy", 0.3)
    assert study_of(tmp_path)["folds"]["strata"] == "unknown_zones"
    named = study_of(tmp_path, folds={"strata": "total_score", "bins": 4})
    assert named["folds"]["bins"] == 4


@pytest.mark.parametrize(
    ("branches", "words"),
    [
        ({"data": DATA | {"columns": {"zones": ["A", "B"]}}}, ["flip_horizontal", "data.mirror"]),
        (
            {"data": DATA | {"columns": {"zones": ["A"]}, "mirror": [["A", "C"]]}},
            ["'C' is no zone"],
        ),
        (
            {"data": DATA | {"mirror": [list(CHEST[:2]), list(CHEST[1:3])]}},
            ["'left_sup' is in two"],
        ),
        ({"data": DATA | {"columns": {"zones": []}}}, ["data.columns.zones is empty"]),
        ({"data": DATA | {"classes": {"mapping": {"0": "A"}, "order": ["A"]}}}, ["data.classes"]),
        ({"data": DATA | {"reader": "images"}}, ["data.reader", "zones"]),
        (
            {"kind": "segmentation", "data": DATA | {"reader": "pairs", "mirror": [["A", "B"]]}},
            ["data.mirror", "scores no zones"],
        ),
    ],
)
def test_what_zones_cannot_run_with_is_refused(tmp_path, branches, words):
    with pytest.raises(FoldwiseError) as error:
        study_of(tmp_path, **branches)
    for word in ["mine.yaml", *words]:
        assert word in str(error.value)


def test_own_zones_without_a_flip_need_no_pairs(tmp_path):
    data = DATA | {"columns": {"zones": ["A", "B"]}}
    study = study_of(tmp_path, data=data, augment={"flip_horizontal": 0})
    assert study["data"]["mirror"] is None
