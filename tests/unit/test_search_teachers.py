"""Settings of the teacher in a search: a run for each combination of them, for all trials."""

import copy

import pytest
import yaml

from foldwise.errors import FoldwiseError
from foldwise.search.chosen import best_config, nested_params, tuned_params
from foldwise.search.plan import check_plan, plan_of, trial_params
from foldwise.search.trials import Suggestion
from foldwise.settings.study import load_study, with_changes
from foldwise.settings.teachers import changed, check_changes, split, variant, variants
from foldwise.train.job import own_answers

LISTED = {"type": "categorical", "choices": [0.001, 0.004]}
SPACE = {"teacher.training.lr": LISTED, "training.lr": {"type": "float", "low": 1e-4, "high": 1e-2}}


def study_with(space):
    """The demo of distillation with a search."""
    study = load_study("demo_distillation")
    search = copy.deepcopy(load_study("demo_density")["search"])
    search |= {"space": space, "trials": 3, "window": 2, "phases": [], "pruner": {"name": "none"}}
    return study | {"search": search}


@pytest.fixture
def study():
    return study_with(SPACE)


def proposed(number, **params):
    return Suggestion(number, "made", "tpe", params)


def test_trials_that_share_a_teachers_settings_share_the_teacher(study):
    base = plan_of(study, [1, 2]).base
    made = [
        trial_params(base, proposed(n, **{"teacher.training.lr": rate, "training.lr": lr}))
        for n, (rate, lr) in enumerate([(0.001, 0.01), (0.001, 0.002), (0.004, 0.01)])
    ]
    names = [one["teacher"]["run"] for one in made]
    assert names[0] == names[1] != names[2]
    assert all(one["training"]["teacher"] == name for one, name in zip(made, names, strict=True))
    # The student keeps its own rate.
    assert [one["training"]["lr"] for one in made] == [0.01, 0.002, 0.01]
    known = variants(study, {"training.lr": LISTED["choices"]}, {})
    assert set(known) == set(names)
    # What the teacher states itself stays, such as that it has none.
    assert all(one["training.teacher"] is None and one["model.dim"] == 64 for one in known.values())
    assert [known[name]["training.lr"] for name in names[1:]] == [0.001, 0.004]


def test_a_teachers_model_is_told_to_its_student(study):
    base = plan_of(study, [1, 2]).base
    found = changed(base, {"teacher.model.dim": 48}, "x")
    assert (found["teacher"]["model"]["dim"], found["model"]["dim"]) == (48, 32)
    assert base["teacher"]["model"]["dim"] == 64
    known = variants(study, {"model.dim": [48]}, {})
    ((run, changes),) = known.items()
    assert run == found["teacher"]["run"]
    assert with_changes(study, run, changes, "")["model"] == found["teacher"]["model"]


def test_the_best_is_trained_with_its_teacher_and_is_a_study_that_runs(study):
    base = plan_of(study, [1, 2]).base
    best = {"teacher.training.lr": 0.004, "training.lr": 0.01}
    chosen = {"best_trial": 1, "changes": best, "epochs": 3}
    run = variant("teacher", {"training.lr": 0.004})
    for params in (tuned_params(base, chosen, "tuned", 1), nested_params(base, chosen, "nested_1")):
        assert params["teacher"]["run"] == params["training"]["teacher"] == run
    assert params["training"]["stop_after"] == 3
    loaded = yaml.safe_load(best_config(load_study("demo_distillation"), chosen))
    assert loaded["runs"]["teacher"]["training.lr"] == 0.004
    assert loaded["runs"]["teacher"]["model.dim"] == 64
    assert loaded["training"]["lr"] == 0.01
    # Given in a file, the same teacher is known without any search.
    assert list(variants(study, {}, best)) == [run]
    assert split(best)[1] == {"training.lr": 0.004}


def test_a_job_reads_the_answers_of_its_own_teacher():
    paths = [f"results/s/runs/{run}/fold_1/results/taught.npz" for run in ("teacher_ab", "teacher")]
    assert own_answers({"teacher": {"run": "teacher"}}, paths) == paths[1]
    assert own_answers({"teacher": {"run": "teacher_ab"}}, paths) == paths[0]
    assert own_answers({}, []) is None


@pytest.mark.parametrize(
    ("key", "entry", "words"),
    [
        ("teacher.training.lr", SPACE["training.lr"], ["once for each of its settings", "List"]),
        ("teacher.training.l", LISTED, ["training.l", "Did you mean"]),
        ("teacher.training.lr", {"type": "categorical", "choices": ["fast"]}, ["training.lr"]),
        ("teacher.seed", {"type": "categorical", "choices": [1, 2]}, ["luckiest draw"]),
        ("teacher.image.size", {"type": "categorical", "choices": [32]}, ["cannot differ"]),
    ],
)
def test_what_a_teacher_cannot_be_searched_by_is_told(key, entry, words):
    study = study_with(SPACE | {key: entry})
    with pytest.raises(FoldwiseError) as caught:
        check_plan(study, plan_of(study, [1, 2]))
    assert f"search.space.{key}" in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_space_of_listed_settings_of_a_teacher_is_accepted(study):
    check_plan(study, plan_of(study, [1, 2]))


def test_a_study_without_a_teacher_is_told_to_name_one(study):
    alone = study | {"training": study["training"] | {"teacher": None}}
    with pytest.raises(FoldwiseError, match="the study has no teacher"):
        check_changes(alone, "tuned", {"teacher.training.lr": 0.1}, "given.json")
    assert variants(alone, {"training.lr": [0.1]}, {}) == {}
