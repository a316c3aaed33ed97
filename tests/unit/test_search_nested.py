"""An outer fold is a study of its own, and its judge chooses nothing."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from foldwise.errors import FoldwiseError
from foldwise.evaluate.optimism import measured_against_promised
from foldwise.search.chosen import nested_params
from foldwise.search.nested import inside
from foldwise.search.plan import another_search, outer_study, plan_of, trial_base
from foldwise.search.trials import trial_file
from foldwise.settings import study as config
from foldwise.settings.schema import check
from training import make_params, make_rows, train

STUDIES = Path(__file__).parents[2] / "config" / "studies"
SPACE = {"training.lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True}}


@pytest.fixture
def study():
    settings = config.load_study("demo_density", STUDIES)
    search = {"space": SPACE, "folds": 3, "inner_folds": 2, "window": 2, "trials": 4}
    settings["search"] = check("search", search, "search")
    return settings


def test_an_outer_fold_is_the_study_with_folds_of_its_own(study):
    inner = outer_study(study, 2)
    assert inner["name"] == "demo_density.outer_2"
    assert inner["folds"]["n"] == 2 and inner["search"]["folds"] == 2
    assert {key for key in study if inner[key] != study[key]} == {"name", "folds", "search"}
    assert plan_of(inner, [1, 2]).search.folds == (1, 2)
    assert study["search"]["folds"] == 3


def test_the_patients_that_judge_are_not_inside():
    rows = make_rows(8)
    fold = [
        {"sample": row["sample"], "part": "val" if n < 4 else "train"} for n, row in enumerate(rows)
    ]
    assert [row["sample"] for row in inside(rows, fold)] == ["s004", "s005", "s006", "s007"]
    fold[5]["part"] = "val"
    with pytest.raises(FoldwiseError, match="1 groups on both sides"):
        inside(rows, fold)


def test_the_judging_fold_chooses_no_epoch(study):
    base = trial_base(study)
    chosen = {"changes": {"training.lr": 0.005}, "epochs": 6, "best_value": 0.5}
    params = nested_params(base, chosen, "nested_1")
    assert params["training"]["stop_after"] == 6 and params["training"]["lr"] == 0.005
    assert {**params["training"], "stop_after": None, "lr": base["training"]["lr"]} == base[
        "training"
    ]


def test_training_that_stops_after_an_epoch_keeps_its_last_weights(tmp_path):
    early = make_params(training__stop_after=2, training__epochs=4)
    folder = train(tmp_path / "early", early)
    history = json.loads((folder / "train_history.json").read_text())
    assert [entry["epoch"] for entry in history["epochs"]] == [1, 2]
    assert (history["best"]["epoch"], history["ended"]) == (2, "stop_after")
    # Whatever the validation part holds, the weights are the same.
    rows = make_rows(36)
    for row in rows[24:]:
        row["label"] = "A"
    other = train(tmp_path / "other", early, rows=rows)
    weights = [
        torch.load(f / "best_model.pt", weights_only=True)["state_dict"] for f in (folder, other)
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_what_was_promised_stands_beside_what_was_found():
    folds = [SimpleNamespace(fold=k, metrics={"kappa": v}) for k, v in ((1, 0.5), (2, 0.6))]
    chosen = [
        {"best_value": v, "epochs": 3, "best_params": {"training.lr": 0.1}} for v in (0.7, 0.8)
    ]
    found = measured_against_promised(folds, chosen, "kappa")
    assert (found["measured"], found["promised"]) == (0.55, 0.75)
    assert found["flattery"] == pytest.approx(0.2)
    assert "kappa is 0.55 on average" in found["text"]


def test_a_promise_without_its_proof_is_not_counted_as_flattery():
    values = ((1, 0.5), (2, None))
    folds = [SimpleNamespace(fold=k, metrics={"kappa": v}) for k, v in values]
    chosen = [{"best_value": v, "epochs": 3, "best_params": {}} for v in (0.6, 0.9)]
    found = measured_against_promised(folds, chosen, "kappa")
    assert (found["measured"], found["promised"]) == (0.5, 0.6)
    assert found["flattery"] == pytest.approx(0.1)
    nothing = measured_against_promised(folds[1:], chosen[1:], "kappa")
    assert (nothing["measured"], nothing["promised"], nothing["flattery"]) == (None, 0.9, None)


def test_trials_of_another_search_are_told_of(study, tmp_path):
    search = plan_of(study, [1, 2, 3]).search
    runs = tmp_path / "runs"
    assert another_search(runs, search) == ""
    path = trial_file(runs, 0, "suggestion.json")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"identity": search.identity(0)}))
    assert another_search(runs, search) == ""
    study["training"]["epochs"] += 1
    other = plan_of(study, [1, 2, 3]).search
    assert "it is a new search, and all trials are made anew" in another_search(runs, other)
