"""A study's search when the DAG is built: what a trial is told stays as trials are added."""

import copy
from pathlib import Path

import numpy as np
import pytest

from foldwise.errors import FoldwiseError
from foldwise.metrics import monitors
from foldwise.registry import MASK_LOSSES, TWO_HEAD_LOSSES, load, names
from foldwise.search.check import READS
from foldwise.search.plan import (
    Plan,
    as_seen_by,
    check_plan,
    plan_of,
    read_search,
    search_from_params,
    trial_base,
)
from foldwise.search.space import size
from foldwise.settings import study as config
from foldwise.settings.schema import check

STUDIES = Path(__file__).parents[2] / "config" / "studies"
SPACE = {
    "training.lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "model.dropout": {"type": "float", "low": 0, "high": 0.5, "step": 0.1},
}


@pytest.fixture(scope="module")
def study():
    return config.load_study("demo_density", STUDIES)


def searched(study, **raw):
    branch = check("search", {"space": SPACE, "trials": 10, "window": 2} | raw, "search")
    base = trial_base(study)
    return branch, read_search(branch, base, [1, 2, 3]), base


def checked(study, **raw):
    branch, search, base = searched(study, **raw)
    check_plan(study, Plan(branch, base, [1, 2, 3], search))


@pytest.mark.parametrize(
    "raw",
    [{}, {"phases": [{"trials": 4, "epochs": 2}, {"trials": 6}]}, {"max_failed": 0.1}],
)
def test_what_a_trial_is_told_stays_as_trials_are_added(study, raw):
    branch, search, base = searched(study, **raw)
    longer = copy.deepcopy(branch)
    if "phases" in raw:
        longer["phases"][-1]["trials"] = 20
        longer["phases"].append({"trials": 3, "epochs": 9})
    longer |= {"trials": 50, "max_failed": 0.9, "seeds": [1]}
    longer = check("search", longer, "search")
    longer_search = read_search(longer, base, [1, 2, 3])
    for number in range(10):
        seen = as_seen_by(branch, search, number)
        assert seen == as_seen_by(longer, longer_search, number)
        alone = read_search(seen, base, [1, 2, 3])
        assert alone.identity(number) == search.identity(number) == longer_search.identity(number)
        assert alone.phase(number).budget == search.phase(number).budget


def test_other_settings_of_the_study_make_another_search(study):
    other = copy.deepcopy(study)
    other["training"]["epochs"] += 1
    assert searched(study)[1].identity(0) != searched(other)[1].identity(0)


def test_faults_of_a_study_are_told_with_its_name(study):
    space = {
        "training.lrr": {"type": "float", "low": 1e-4, "high": 1e-2},
        "image.size": {"type": "categorical", "choices": [64, 96]},
        "model.dropout": {"type": "float", "low": 0, "high": 1.5},
        "model.name": {"type": "categorical", "choices": ["small_cnn", "resnet19"]},
    }
    with pytest.raises(FoldwiseError) as caught:
        checked(study, space=space)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("demo_density: search.space.training.lrr: unknown setting")
    assert "'image.size' cannot differ between runs" in lines[1]
    assert "model.dropout: 1.5 is greater than the maximum" in lines[2]
    assert "'resnet19'. Did you mean 'resnet18'?" in lines[3]


def test_a_sound_search_passes(study):
    checked(study)


@pytest.mark.parametrize(
    ("name", "metric", "direction"),
    [
        ("demo_segmentation", "objects_mae", "minimize"),
        ("demo_zones", "unknown_auc", "maximize"),
        ("demo_distillation", "location_auc", "maximize"),
    ],
)
def test_any_metric_of_the_study_may_judge_trials(name, metric, direction):
    study = config.load_study(name, STUDIES)
    study["search"] = check("search", {"space": SPACE, "objective": metric, "trials": 2}, "x")
    first = plan_of(study, [1, 2]).search.objectives[0]
    assert (first.metric, first.direction) == (metric, direction)


@pytest.mark.parametrize("kind", names("MEASURES"))
def test_monitors_are_those_of_the_measures(kind):
    assert load("MEASURES", kind).monitors == monitors(kind)


SHIPPED = {
    "segmentation_grid": ("demo_segmentation", 36),
    "segmentation_first": ("demo_segmentation", 108),
    "classification": ("demo_density", None),
    "distillation": ("demo_distillation", None),
    "zones": ("demo_zones", None),
}


@pytest.mark.parametrize("path", sorted((STUDIES.parent / "searches").glob("*.yaml")), ids=str)
def test_each_space_that_is_shipped_fits_a_study_of_its_kind(path):
    name, combinations = SHIPPED[path.stem]
    study = config.load_study(name, STUDIES)
    study["search"] = check("search", {"space": str(path), "folds": 1, "trials": 500}, "x")
    plan = plan_of(study, [1, 2, 3])
    check_plan(study, plan)
    assert size(plan.search.space) == combinations
    assert plan.search.trials == (combinations or 500)
    assert search_from_params(plan.of_trial(3)).space == plan.search.space


def test_a_space_file_that_is_not_there_is_named(study):
    study = study | {"search": {"space": "config/searches/none.yaml"}}
    with pytest.raises(FoldwiseError, match=r"no file config/searches/none.yaml"):
        plan_of(study, [1])


class Asked(dict):
    """Settings that remember what was asked of them."""

    def __init__(self, *values):
        super().__init__(*values)
        self.keys_read = set()

    def get(self, key, default=None):
        self.keys_read.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self.keys_read.add(key)
        return super().__getitem__(key)


@pytest.mark.parametrize("name", names("LOSSES"))
def test_a_search_knows_which_settings_a_loss_reads(name):
    """What nothing reads makes trials that repeat each other: found by making each loss."""
    settings = Asked(check("loss", {"name": name}, "test"))
    classes = (np.array([0, 1, 2]), ["A", "B", "C"])
    load("LOSSES", name)(settings, *(() if name in MASK_LOSSES | TWO_HEAD_LOSSES else classes))
    for key in set(settings) - {"name"}:
        # Only students have a teacher, and only one loss is a student's.
        of = {"loss.name": name, "training.teacher": "cv" if name in TWO_HEAD_LOSSES else None}
        rules = [rule for rule in READS if rule.key == f"loss.{key}" and rule.by in of]
        read = all(rule.reads(of[rule.by]) for rule in rules)
        assert read == (key in settings.keys_read), key


@pytest.mark.parametrize(
    ("name", "key", "values"),
    [
        ("demo_density", "model.norm", ["batch", "group"]),
        ("demo_density", "model.zone_windows", [True, False]),
        ("demo_density", "training.tiles.overlap", [0.1, 0.2]),
        ("demo_density", "model.dim", [64, 128]),
        ("demo_distillation", "model.weights", ["none", "imagenet"]),
    ],
)
def test_what_a_kind_of_network_does_not_read_is_not_searched(name, key, values):
    study = config.load_study(name, STUDIES)
    space = {key: {"type": "categorical", "choices": values}}
    with pytest.raises(FoldwiseError, match=f"{key}: nothing reads it"):
        checked(study, space=space)


def test_the_weights_of_embeddings_are_no_runs_own(study):
    """They are made once for a study: a run with others would be trained on the same ones."""
    embedded = study | {"model": study["model"] | {"embeddings": "resnet50"}}
    with pytest.raises(FoldwiseError, match=r"'model\.embedding_weights' cannot differ"):
        config.with_changes(embedded, "other", {"model.embedding_weights": "a.pt"}, "mine.yaml")
