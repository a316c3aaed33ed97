"""Study files: defaults, number-like text, and errors that name place and next step."""

import pytest
import yaml

from foldwise.errors import FoldwiseError
from foldwise.settings.schema import check, schema
from foldwise.settings.study import dotted, load_study, run_settings

STUDY = """
kind: classification
data:
  reader: images
  root: pictures
  table: {path: labels.csv}
  columns: {image: image_path, label: density}
  classes: {mapping: {"1": A, "2": B}, order: [A, B]}
"""


def study_file(folder, **changes):
    settings = yaml.safe_load(STUDY)
    for path, value in changes.items():
        *branches, leaf = path.split("__")
        part = settings
        for branch in branches:
            part = part.setdefault(branch, {})
        part[leaf] = value
    (folder / "mine.yaml").write_text(yaml.safe_dump(settings))
    return load_study("mine", folder)


def test_defaults_are_filled_in_at_every_level(tmp_path):
    study = study_file(tmp_path)
    assert study["seed"] == 42
    assert study["training"]["schedule"]["name"] == "cosine"
    assert study["data"]["conflicts"]["pixels"] == "refuse"


def test_number_like_text_is_read_as_a_number(tmp_path):
    study = study_file(tmp_path, training__lr="1e-4", training__epochs="12")
    assert study["training"]["lr"] == 1e-4
    assert study["training"]["epochs"] == 12


def test_classes_stand_for_themselves_without_a_mapping(tmp_path):
    settings = study_file(tmp_path, data__classes__mapping={}, data__classes__order=["F", "G"])
    assert settings["data"]["classes"]["order"] == ["F", "G"]


def test_classes_may_be_written_as_numbers(tmp_path):
    classes = {"mapping": {1: 0, 2: 1}, "order": [0, 1], "drop": [5]}
    settings = study_file(tmp_path, data__classes=classes)
    wanted = {"mapping": {"1": "0", "2": "1"}, "order": ["0", "1"], "drop": ["5"]}
    assert settings["data"]["classes"] == wanted


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training__leraning_rate": 1}, ["training", "leraning_rate", "Known keys"]),
        ({"traning": {}}, ["'traning'", "Did you mean 'training'"]),
        ({"training__lr": "fast"}, ["training.lr", "'fast'", "number"]),
        ({"training__epochs": 0}, ["training.epochs", "minimum of 1"]),
        ({"model__name": "resnet5"}, ["model.name", "resnet5", "resnet50"]),
        ({"folds__n": 11}, ["folds.n", "11"]),
        ({"data__classes__order": ["A", "B", "C"]}, ["'C'", "never mapped to"]),
        ({"data__classes__order": ["A", False]}, ["order.1", "no and off", "quotes"]),
        ({"runs": {"cv": {"training.lrr": 1}}}, ["runs.cv", "training.lrr", "training.lr"]),
        ({"runs": {"cv": {"image.size": 64}}}, ["runs.cv", "image.size", "study of its own"]),
        ({"runs": {"cv": {"training.lr": -1}}}, ["runs.cv", "training.lr"]),
        ({"learning_curve": [40, 70]}, ["learning_curve: [40, 70] is 2 values", "3 are the least"]),
    ],
)
def test_bad_settings_are_named(tmp_path, changes, words):
    with pytest.raises(FoldwiseError) as error:
        study_file(tmp_path, **changes)
    for word in ["mine.yaml", *words]:
        assert word in str(error.value)


def test_missing_study_names_those_there(tmp_path):
    study_file(tmp_path)
    with pytest.raises(FoldwiseError, match="Did you mean 'mine'"):
        load_study("mint", tmp_path)


def test_syntax_error_tells_line(tmp_path):
    (tmp_path / "mine.yaml").write_text("kind: [\n")
    with pytest.raises(FoldwiseError, match="line 2"):
        load_study("mine", tmp_path)


def test_a_run_differs_in_its_changes_alone(tmp_path):
    study = study_file(tmp_path, runs={"cv": {}, "slow": {"training.schedule.name": "step"}})
    plain, slow = (dotted(run_settings(study, run)) for run in ("cv", "slow"))
    different = {key for key in plain if plain[key] != slow[key]}
    assert different == {"run", "training.schedule.name"}


def closed_places(part, place=()):
    """Dotted places of all settings that have keys of their own."""
    yield place
    for key, inner in part.get("properties", {}).items():
        if "properties" in inner:
            yield from closed_places(inner, (*place, key))


PLACES = list(closed_places(schema("study")))


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_the_schema_is_closed_at_every_level(place):
    settings = yaml.safe_load(STUDY)
    part = settings
    for key in place:
        part = part.setdefault(key, {})
    part["zzz"] = 1
    with pytest.raises(FoldwiseError, match="unknown key 'zzz'"):
        check("study", settings, "x")
    assert len(PLACES) > 12


@pytest.mark.parametrize("own", [[0.5, 0], [0.5, -1], [0.5], ["x", 1]])
def test_a_normalisation_that_divides_by_nothing_is_refused(tmp_path, own):
    with pytest.raises(FoldwiseError, match=r"model\.normalisation.*above 0"):
        study_file(tmp_path, model__normalisation=own)
    assert study_file(tmp_path, model__normalisation=[0, 0.2])["model"]["normalisation"] == [0, 0.2]
