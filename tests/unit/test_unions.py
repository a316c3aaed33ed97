"""Unions by name: the keys of what is chosen, defaults once, names of today and usual names."""

import pytest
import yaml

from foldwise.errors import FoldwiseError
from foldwise.registry import names
from foldwise.settings.changes import dotted, override, study_unions
from foldwise.settings.names import hint
from foldwise.settings.schema import check, complete, schema
from foldwise.settings.study import load_study, run_settings
from studies import settings


def load(folder, **changes):
    (folder / "mine.yaml").write_text(yaml.safe_dump(settings(**changes)))
    return load_study("mine", folder)


@pytest.mark.parametrize("chooser", study_unions())
def test_each_choice_alone_is_complete_and_sound(chooser):
    union = study_unions()[chooser]
    for choice, keys in union.choices.items():
        branch = complete(schema("study"), override_of(chooser, choice))
        flat = dotted(branch)
        wanted = {union.dotted(key): inner["default"] for key, inner in keys.items()}
        assert {path: flat[path] for path in wanted} == wanted
        others = {union.dotted(key) for key in set(union.keys) - set(keys)}
        assert not others & set(flat)


def override_of(chooser, choice):
    nested = choice
    for step in reversed(chooser.split(".")):
        nested = {step: nested}
    return nested


def test_every_loss_and_fusion_has_an_entry():
    assert set(study_unions()["loss.name"].choices) == set(names("LOSSES"))
    assert set(study_unions()["model.fusion.name"].choices) == set(names("FUSIONS"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loss": {"gamma": 3}}, ["loss: unknown key 'gamma': cross_entropy does not", "focal"]),
        ({"loss": {"name": "focal", "gama": 3}}, ["'gama'", "Did you mean 'gamma'"]),
        ({"loss": "focl"}, ["loss.name: 'focl' is not known", "'focal'"]),
        ({"training": {"momentum": 0.5}}, ["'momentum': adamw does not read it, sgd does"]),
        ({"training": {"schedule": {"factor": 0.1}}}, ["cosine does not", "plateau, step do"]),
        ({"runs": {"cv": {"loss.gamma": 3}}}, ["runs.cv", "'loss.gamma'", "focal"]),
        ({"training": {"learning_rate": 1}}, ["Did you mean 'lr'"]),
        ({"lr": 0.1}, ["top level", "Did you mean 'training.lr'"]),
        ({"runs": {"cv": {"training.bs": 3}}}, ["Did you mean 'training.batch_size'"]),
        ({"training": {"batch_size": 1}}, ["normalises by the batch", "2 or more"]),
        ({"training": {"lr_warmup_epochs": 2, "epochs": 2}}, ["still be rising"]),
        (
            {"search": {"space": {}, "sampler": {"name": "tpe", "sigma": 0.1}}},
            ["search.sampler: unknown key 'sigma': tpe does not read it, cmaes does"],
        ),
    ],
)
def test_a_key_that_the_chosen_one_does_not_read_is_unknown(tmp_path, changes, words):
    with pytest.raises(FoldwiseError) as caught:
        load(tmp_path, **changes)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_a_run_of_another_loss_has_its_keys_and_its_defaults(tmp_path):
    study = load(
        tmp_path,
        loss={"name": "focal", "gamma": 3, "class_weights": "auto"},
        runs={"cv": {}, "plain": {"loss.name": "cross_entropy", "loss.label_smoothing": 0.1}},
    )
    assert run_settings(study, "cv")["loss"] == {
        "name": "focal",
        "gamma": 3,
        "class_weights": "balanced",
    }
    assert run_settings(study, "plain")["loss"] == {
        "name": "cross_entropy",
        "label_smoothing": 0.1,
        "class_weights": "balanced",
    }


def test_what_was_left_at_its_default_takes_the_other_ones():
    study = check("study", {"kind": "segmentation", "data": DATA, "loss": "combined"}, "x")
    other = override(study, {"loss.name": "combined_tversky"}, "x")["loss"]
    assert (study["loss"]["overlap_share"], other["overlap_share"]) == (0.7, 0.6)
    stated = override(study, {"loss.overlap_share": 0.5}, "x")
    other = override(stated, {"loss.name": "combined_tversky"}, "x")["loss"]
    assert other["overlap_share"] == 0.5
    assert "alpha" not in override(study, {"loss.name": "dice"}, "x")["loss"]


DATA = {"reader": "pairs", "root": "x", "table": {"path": "t.csv"}}


def test_an_old_name_is_read_and_told_once(tmp_path, capsys):
    study = load(
        tmp_path,
        training={"epochs": 9, "warmup_epochs": 2},
        runs={"cv": {}, "more": {"training.warmup_epochs": 3}},
    )
    epochs = [run_settings(study, run)["training"]["head_only_epochs"] for run in study["runs"]]
    assert epochs == [2, 3]
    with pytest.raises(FoldwiseError, match="unknown key 'warmup_epochs'"):
        check("training", {"warmup_epochs": 2, "head_only_epochs": 3}, "x")


def test_hints_look_in_the_branch_that_was_named():
    known = ["training.lr", "search.trials", "model.name", "loss.name"]
    assert hint("training.learning_rate", known) == " Did you mean 'training.lr'?"
    assert hint("model.backbone", known) == " Did you mean 'model.name'?"
    assert hint("backbone", known) == ""
    assert hint("n_trials", ["trials"]) == " Did you mean 'trials'?"
    assert hint("quux", known) == ""
