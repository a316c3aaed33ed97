"""Settings from the command line: checked like the file, recorded, and never a place."""

import pytest

from flow import write_study
from foldwise.errors import FoldwiseError
from foldwise.settings.changes import parse_changes
from foldwise.settings.study import load_study, run_settings
from studies import settings


@pytest.fixture
def folder(tmp_path):
    write_study(tmp_path, "mine", settings(runs={"cv": {}, "slow": {"training.lr": 0.001}}))
    return tmp_path / "config/studies"


def test_settings_of_the_command_line_stand_in_the_place_of_the_files(folder):
    study = load_study("mine", folder, "training.epochs=1 data.subset=0.5 loss.name=focal seed=3")
    assert (study["seed"], study["data"]["subset"], study["loss"]["gamma"]) == (3, 0.5, 2)
    assert (
        run_settings(study, "slow")["training"] | {"epochs": 1, "lr": 0.001}
        == (run_settings(study, "slow")["training"])
    )


def test_values_are_yaml_and_may_be_quoted():
    changes = parse_changes(
        "data.views=[CC,MLO] report.title='a b' training.warmup_epochs=2 a.b=1e-4"
    )
    assert changes == {
        "data.views": ["CC", "MLO"],
        "report.title": "a b",
        "training.head_only_epochs": 2,
        "a.b": "1e-4",
    }


def test_a_key_that_nothing_stated_may_be_set(folder):
    study = load_study("mine", folder, "'runs.more={training.lr: 1e-4}' data.classes.mapping.9=B")
    assert run_settings(study, "more")["training"]["lr"] == 0.0001
    assert study["data"]["classes"]["mapping"]["9"] == "B"


def test_a_branch_that_the_study_does_not_state_is_set_as_a_whole(folder):
    given = "'search={trials: 3, space: {training.lr: {type: float, low: 1e-4, high: 0.1}}}'"
    assert load_study("mine", folder, given)["search"]["trials"] == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("training.epoch=2", ["--config set", "training.epoch", "Did you mean 'training.epochs'"]),
        ("training.epochs=two", ["--config set", "training.epochs: expected a whole number"]),
        ("training.epochs", ["is no `key=value`"]),
        ("loss.gamma=2", ["cross_entropy does not read it"]),
        ("data.root=/archive", ["data.root names a place"]),
        ("data.table.path=x", ["names a place"]),
        ("training.lr='1", ["Close each quote"]),
        ("training.lr=[1", ["--config set: training.lr line 2", "not valid YAML"]),
        (
            "search.trials=3",
            ["'search.trials' has no place", "states no 'search'", "'search={...}'"],
        ),
        ("search.space.training.lr=3", ["states no 'search'"]),
        ("search.trails=3", ["unknown setting 'search.trails'", "Did you mean 'search.trials'"]),
    ],
)
def test_what_cannot_be_set_is_told(folder, text, words):
    with pytest.raises(FoldwiseError) as caught:
        load_study("mine", folder, text)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
