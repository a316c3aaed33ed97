"""Kinds of study: their own defaults, what they refuse, what their tasks are told."""

import pytest
import yaml

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.settings.kinds import KINDS
from foldwise.settings.study import load_study, run_settings

PAIRS = {
    "kind": "segmentation",
    "data": {"reader": "pairs", "root": "tiles", "table": {"path": "tiles.csv"}},
    "image": {"size": 128},
}


def study_of(folder, **branches):
    (folder / "mine.yaml").write_text(yaml.safe_dump(PAIRS | branches))
    return load_study("mine", folder)


def test_every_kind_is_one_of_the_registry_and_names_what_is_there():
    assert set(KINDS) == set(registry.TASKS)
    for kind in KINDS.values():
        assert set(kind.models) <= set(registry.names("MODELS"))
        assert set(kind.losses) <= set(registry.names("LOSSES"))


def test_a_kind_has_defaults_of_its_own(tmp_path):
    study = study_of(tmp_path)
    assert (study["model"]["name"], study["loss"]["name"]) == ("unet", "combined")
    assert (study["folds"]["strata"], study["folds"]["bins"]) == ("foreground", 5)
    named = study_of(tmp_path, folds={"strata": "view"}, model={"name": "resunet", "width": 8})
    assert (named["folds"]["strata"], named["folds"]["bins"]) == ("view", None)
    assert (named["model"]["name"], named["model"]["width"]) == ("resunet", 8)


def test_a_task_is_told_what_it_reads(tmp_path):
    tiles = {"size": 64, "overlap": 0.5}
    runs = {"cv": {}, "low": {"model.threshold": 0.3}}
    study = study_of(tmp_path, training={"tiles": tiles}, runs=runs)
    told = {"threshold": 0.5, "tiles": tiles | {"per_image": 1}}
    assert run_settings(study, "cv")["task"] == told
    assert run_settings(study, "low")["task"]["threshold"] == 0.3


@pytest.mark.parametrize(
    ("branches", "words"),
    [
        ({"model": {"name": "resnet18"}}, ["model.name", "'resnet18'", "unet"]),
        ({"loss": {"name": "focal"}}, ["loss.name", "binary_focal"]),
        ({"data": PAIRS["data"] | {"reader": "images"}}, ["data.reader", "pairs"]),
        ({"training": {"sampler": "weighted"}}, ["training.sampler", "shuffle"]),
        ({"model": {"embeddings": "resnet50"}}, ["model.embeddings", "segmentation", "null"]),
        ({"image": {"size": 100}}, ["image.size", "multiple of 16", "96 or 112"]),
        ({"training": {"tiles": {"size": 40}}}, ["training.tiles.size", "32 or 48"]),
        (
            {"training": {"stages": [{"size": [64, 72], "epochs": 1}]}},
            ["training.stages", "72", "64 or 80"],
        ),
    ],
)
def test_what_a_kind_cannot_run_with_is_refused(tmp_path, branches, words):
    with pytest.raises(FoldwiseError) as error:
        study_of(tmp_path, **branches)
    for word in ["mine.yaml", *words]:
        assert word in str(error.value)


def test_tiles_need_an_answer_that_is_a_picture(tmp_path):
    data = {"reader": "images", "root": "x", "table": {"path": "y"}}
    data["classes"] = {"mapping": {"1": "A", "2": "B"}, "order": ["A", "B"]}
    with pytest.raises(FoldwiseError, match=r"training\.tiles\.size: .*classification"):
        study_of(tmp_path, kind="classification", data=data, training={"tiles": {"size": 64}})


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [("small_cnn", 28, "too small.*32 or more"), ("vit_b_16", 100, "multiple of 16.*96 or 112")],
)
def test_sides_that_a_network_cannot_take_are_refused(tmp_path, name, size, said):
    data = {"reader": "images", "root": "x", "table": {"path": "y"}}
    data["classes"] = {"order": ["A", "B"]}
    with pytest.raises(FoldwiseError, match=rf"image\.size: {size} is .*{said}"):
        study_of(
            tmp_path, kind="classification", data=data, model={"name": name}, image={"size": size}
        )
    stages = {"stages": [{"size": [size, 64], "epochs": 1}]}
    with pytest.raises(FoldwiseError, match=rf"training\.stages: {size} is .*{said}"):
        study_of(
            tmp_path, kind="classification", data=data, model={"name": name}, training=stages,
            image={"size": 128},
        )  # fmt: skip


def test_the_levels_of_a_unet_decide_the_sides(tmp_path):
    deep = {"name": "unet", "levels": 6}
    with pytest.raises(FoldwiseError, match=r"image\.size: 160 is no multiple of 64.*128 or 192"):
        study_of(tmp_path, model=deep, image={"size": 160})
    assert study_of(tmp_path, model=deep, image={"size": 192})["model"]["levels"] == 6


def test_names_of_torchvision_and_timm_and_what_their_weights_want(tmp_path):
    data = {
        "reader": "images",
        "root": "x",
        "table": {"path": "y"},
        "classes": {"order": ["A", "B"]},
    }
    mine = {"kind": "classification", "data": data}
    for name in ("convnext_tiny", "timm/resnet10t"):
        assert study_of(tmp_path, **mine, model={"name": name})["model"]["name"] == name
    with pytest.raises(FoldwiseError, match="Did you mean 'convnext_tiny'"):
        study_of(tmp_path, **mine, model={"name": "convnext_tny"})
    with pytest.raises(FoldwiseError, match="unknown segmentation model 'timm/resnet10t'"):
        study_of(tmp_path, model={"name": "timm/resnet10t"})
    large = {"name": "efficientnet_v2_l", "weights": "imagenet", "normalisation": "imagenet"}
    with pytest.raises(FoldwiseError, match=r"model\.normalisation: imagenet, but .* with half"):
        study_of(tmp_path, **mine, model=large)
    study_of(tmp_path, **mine, model=large | {"normalisation": "half"})


def test_labels_whose_columns_would_be_one_are_refused(tmp_path):
    heads = {"place": {"order": ["A", "fine_B"]}, "place_fine": {"order": ["A", "B"]}}
    data = {"reader": "text", "root": "x", "table": {"path": "t.csv"}, "heads": heads}
    data["columns"] = {"texts": ["caption"]}
    model = {"text": {"name": "bert"}}
    with pytest.raises(FoldwiseError, match="class 'fine_B' of place and the label place_fine"):
        study_of(tmp_path, kind="distillation", data=data, model=model, image={"size": 64})
    heads["place"]["order"] = ["A", "B"]
    study_of(tmp_path, kind="distillation", data=data, model=model, image={"size": 64})
