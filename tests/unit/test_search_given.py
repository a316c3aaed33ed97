"""Best parameters from a file: ours, and what other programs write."""

import pytest

from foldwise.errors import FoldwiseError
from foldwise.files import write_json
from foldwise.search.given import NAMES, read_given
from foldwise.settings.schema import paths, schema


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        # Ours: the changes hold the epochs of the last phase beside the parameters.
        (
            {"best_params": {"training.lr": 0.1}, "changes": {"training.lr": 0.1, "seed": 3}},
            {"training.lr": 0.1, "seed": 3},
        ),
        ({"training.lr": 0.1, "model.dropout": 0.2}, {"training.lr": 0.1, "model.dropout": 0.2}),
        (
            {"best_value": 0.8, "best_params": {"learning_rate": 1e-3, "optimizer": "AdamW"}},
            {"training.lr": 1e-3, "training.optimizer": "adamw"},
        ),
        (
            {"hyperparameters": {"loss_type": "Focal Tversky", "batch_size": 8}},
            {"loss.name": "focal_tversky", "training.batch_size": 8},
        ),
    ],
)
def test_files_of_best_parameters_are_read_as_changes(tmp_path, content, changes):
    write_json(tmp_path / "best.json", content)
    assert read_given(tmp_path / "best.json") == changes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ({"best_params": {}}, "no parameters"),
        ([0.1], "no parameters"),
        ({"best_params": {"learning_rat": 0.1}}, "'learning_rat' is no setting here. Did you mean"),
        ({"best_params": {"beta": 100}}, "'beta' is no setting here"),
    ],
)
def test_what_cannot_be_meant_is_one_message(tmp_path, content, message):
    path = tmp_path / "best.json"
    if content is not None:
        write_json(path, content)
    with pytest.raises(FoldwiseError, match=message):
        read_given(path)


def test_short_names_lead_to_settings_that_there_are():
    known = paths(schema("study"))
    assert set(NAMES.values()) <= set(known)
