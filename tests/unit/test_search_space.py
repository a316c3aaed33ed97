"""Spaces and settings: what is read, what is refused, what is counted."""

import itertools

import numpy as np
import pytest
from scipy import stats

from foldwise.errors import FoldwiseError
from foldwise.search.check import check_search
from foldwise.search.plan import check_batches
from foldwise.search.propose import draws
from foldwise.search.propose.draws import untried
from foldwise.search.read_space import parse_space
from foldwise.search.space import Parameter, combination_at, combinations, inside, rank_of, size
from searching import FINITE, SPACE, search_of


def categorical(*choices, **more):
    return {"type": "categorical", "choices": list(choices), **more}


def real(low=0.0, high=1.0, **more):
    return {"type": "float", "low": low, "high": high, **more}


BAD_SPACES = [
    ({"a": {"type": "flot", "low": 0, "high": 1}}, r"unknown type 'flot'.*'float'"),
    ({"a": {"low": 0, "high": 1}}, r"search.space.a: write \{type"),
    ({"a": real(hihg=3)}, r"unknown key 'hihg'.*'high'"),
    ({"a": real("x")}, r"'low' is 'x'"),
    ({"a": {"type": "int", "low": 1.5, "high": 3}}, r"'low' is 1.5; write a number \(int\)"),
    ({"a": real(2, 1)}, r"low 2.0 is not below high 1.0"),
    ({"a": real(0, 1, log=True)}, r"log needs low above 0"),
    ({"a": real(0, 1, step=0.3)}, r"end at 0.9, not at high 1.0"),
    ({"a": real(1, 2, step=0.5, log=True)}, r"exclude each other"),
    ({"a": categorical()}, r"write a list of values"),
    ({"a": categorical(8, 16, 8)}, r"choice 8 stands twice"),
    ({"a": categorical([1])}, r"not a plain value"),
    ({"a": real(when={"b": 1})}, r"'b' is not searched"),
    ({"a": real(when={"b": 2}), "b": categorical(1, 3)}, r"'b' is never 2.*1, 3"),
    ({"a": real(when={"b": 0.5}), "b": real()}, r"'b' is continuous"),
    ({}, "nothing to search"),
    (
        {"a": categorical(1, when={"b": 1}), "b": categorical(1, when={"a": 1})},
        r"a, b wait for each other",
    ),
]


@pytest.mark.parametrize(("raw", "message"), BAD_SPACES)
def test_a_fault_of_the_space_is_told_with_its_place(raw, message):
    with pytest.raises(FoldwiseError, match=message):
        parse_space(raw)


def test_all_faults_are_told_at_once():
    with pytest.raises(FoldwiseError) as caught:
        parse_space({"a": real(2, 1), "b": categorical(1, 1)})
    assert str(caught.value).count("\n") == 1


def test_numbers_that_yaml_reads_as_text_are_numbers():
    assert parse_space({"a": real("1e-5", "1E-1")})[0].low == 1e-5
    assert parse_space({"a": categorical("1e-4", "16", "b0")})[0].choices == (1e-4, "16", "b0")


def test_combinations_are_those_of_a_plain_product_with_conditions_applied():
    space = parse_space(FINITE)
    product = itertools.product(["small_cnn", "resnet18"], [8, 12, 16], [0.0, 0.1, 0.2])
    wanted = {
        (name, batch, dropout if name == "resnet18" else None) for name, batch, dropout in product
    }
    found = [
        (item["model.name"], item["training.batch_size"], item.get("model.dropout"))
        for item in combinations(space)
    ]
    assert set(found) == wanted and len(found) == len(wanted) == size(space)
    assert all(inside(space, item) for item in combinations(space))
    assert size(parse_space(SPACE)) is None


def test_a_child_may_stand_before_its_parent():
    space = parse_space({"a": real(when={"b": 1}), "b": categorical(1, 2)})
    assert [item.key for item in space] == ["b", "a"]
    assert not inside(space, {"b": 2, "a": 0.5}) and not inside(space, {"b": 1})


PARAMETERS = [
    Parameter("x", "float", 1e-5, 0.1, log=True),
    Parameter("x", "float", -2.0, 3.0),
    Parameter("x", "float", 0.0, 0.5, step=0.1),
    Parameter("x", "int", 1, 64, log=True),
    Parameter("x", "int", 16, 128, step=16),
    Parameter("x", "categorical", choices=("a", "b", None)),
]


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_units_map_into_the_range_and_back(parameter):
    units = np.linspace(0, 0.999999, 400)
    values = [parameter.from_unit(unit) for unit in units]
    assert all(parameter.contains(value) for value in values)
    back = [parameter.from_unit(parameter.to_unit(value)) for value in values]
    assert back == pytest.approx(values, rel=1e-5) if parameter.values() is None else back == values
    if parameter.values() is not None:
        assert set(values) == set(parameter.values())


def test_a_logarithmic_draw_is_loguniform():
    parameter, rng = PARAMETERS[0], np.random.default_rng(0)
    values = [parameter.from_unit(unit) for unit in rng.random(2000)]
    assert stats.kstest(values, stats.loguniform(1e-5, 0.1).cdf).pvalue > 0.01


BAD_SETTINGS = [
    ({"window": 0}, r"search: window: 0 is less than the minimum of 1"),
    ({"sampler": "tpee"}, r"sampler.name: 'tpee' is not known. Did you mean 'tpe'"),
    (
        {"sampler": {"name": "tpe", "startups": 3}},
        r"sampler: unknown key 'startups'. Did you mean 'startup'",
    ),
    ({"sampler": "grid"}, r"a grid needs listed values, but training.lr, training.momentum are"),
    ({"pruner": "medain"}, r"pruner.name: 'medain' is not known. Did you mean 'median'"),
    ({"objective": "kapa"}, r"unknown objective 'kapa'.*'kappa'"),
    ({"objective": ["parameters"]}, r"parameters is a cost. Name a metric of the study first"),
    ({"objective": ["parameters", "kappa"]}, r"parameters is a cost"),
    ({"objective": [{"metric": "kappa", "direction": "max"}]}, r"unknown direction 'max'"),
    ({"objective": [{"metrics": "kappa"}]}, r"Write a metric's name, or \{metric"),
    (
        {"sampler": {"name": "tpe", "startup": "ten"}},
        r"sampler.startup: expected a whole number, found 'ten'",
    ),
    (
        {"sampler": {"name": "qmc", "sequence": "sobel"}},
        r"sampler.sequence: 'sobel' is not known. Did you mean 'sobol'",
    ),
    (
        {"pruner": {"name": "median", "startup": -1}},
        r"pruner.startup: -1 is less than the minimum of 0",
    ),
    (
        {"pruner": {"name": "halving", "factor": 1}},
        r"pruner.factor: 1 is less than the minimum of 2",
    ),
    (
        {"pruner": {"name": "percentile", "percentile": 150}},
        r"pruner.percentile: 150 is greater than the maximum of 100",
    ),
    ({"folds": [1, 1]}, r"search.folds: \[1, 1\].*once each"),
    ({"objective": ["kappa", "kappa"]}, r"name each metric once"),
    ({"objective": ["kappa", "loss"], "pruner": "median"}, r"there are 2 objectives"),
    ({"folds": [1, 7]}, r"search.folds: \[1, 7\].*folds 1 to 2"),
    ({"folds": 3}, r"search.folds: 3"),
    ({"folds": 1, "across_folds": "first_fold"}, r"needs two folds"),
    ({"across_folds": "wilcoxon"}, r"after 1 of 2 folds no signed-rank p-value is below 0.5"),
    (
        {"pruner": {"name": "halving", "patience": 2}},
        r"unknown key 'patience': halving does not read it, none, median, percentile do",
    ),
    ({"phases": [{"sampler": "best", "trials": 2}]}, r"there is none"),
]


@pytest.mark.parametrize(("raw", "message"), BAD_SETTINGS)
def test_a_fault_of_the_settings_is_told_with_its_place(raw, message):
    with pytest.raises(FoldwiseError, match=message):
        search_of(**raw)


SETTINGS = {
    "training.lr": 0.001,
    "training.optimizer": "adam",
    "training.momentum": 0.9,
    "training.backbone_lr": None,
    "training.batch_size": 16,
    "training.epochs": 10,
    "training.head_only_epochs": 0,
    "training.sampler": "shuffle",
    "training.stages": [],
    "training.lr_warmup_epochs": 0,
    "training.tiles.size": None,
    "image.size": 64,
    "training.schedule.name": "cosine",
    "training.schedule.patience": 5,
    "model.trainable_blocks": "all",
    "model.name": "small_cnn",
    "model.dropout": 0.2,
    "loss.class_weights": "none",
}


def refuse(changes):
    for key, value in changes.items():
        if key not in SETTINGS:
            return f"unknown setting '{key}'."
        if key == "training.lr" and value > 1:
            return f"{value} is above 1."
    return ""


BAD_SEARCHES = [
    ({"space": {"training.rl": real()}}, {}, r"space.training.rl: unknown setting"),
    ({"space": {"training.lr": real(0.1, 10)}}, {}, r"space.training.lr: 10.0 is above 1"),
    ({"space": {"seed": categorical(1, 2)}}, {}, r"luckiest draw"),
    ({"space": {"training.momentum": real(0.1, 0.9)}}, {}, r"since training.optimizer is adam"),
    (
        {
            "space": {
                "training.momentum": real(0.1, 0.9),
                "training.optimizer": categorical("adam", "sgd"),
            }
        },
        {},
        r"Add `when: \{training.optimizer: \[sgd\]\}`",
    ),
    (
        {"space": {"training.backbone_lr": real(0.1, 0.9)}},
        {"model.trainable_blocks": 0},
        r"since model.trainable_blocks is 0",
    ),
    (
        {"space": {"training.head_only_epochs": {"type": "int", "low": 0, "high": 12}}},
        {},
        r"3 combinations cannot run, the head-only epochs fill all epochs.*head_only_epochs 10",
    ),
    ({"pruner": {"name": "median", "warmup": 9}}, {}, r"first decides after epoch 10"),
    ({"pruner": {"name": "halving", "first": 4, "factor": 4, "skip": 1}}, {}, r"epoch 16"),
    (
        {
            "space": {"training.epochs": categorical(5, 10)},
            "phases": [{"trials": 2, "epochs": 3}],
        },
        {},
        r"a phase sets epochs",
    ),
    ({"space": {"model.name": categorical("a")}, "sampler": "cmaes"}, {}, r"there is none"),
    ({"sampler": "cmaes", "objective": ["kappa", "loss"]}, {}, r"one objective only"),
]


@pytest.mark.parametrize(("raw", "changes", "message"), BAD_SEARCHES)
def test_what_would_waste_trials_is_refused_before_anything_starts(raw, changes, message):
    with pytest.raises(FoldwiseError, match=message):
        check_search(search_of(**raw), SETTINGS | changes, refuse)


def test_a_sound_search_passes():
    check_search(search_of(pruner="median"), SETTINGS, refuse)
    check_batches(search_of(), SETTINGS, 128, "search")


def test_a_batch_larger_than_the_training_part_is_refused():
    search = search_of(space={"training.batch_size": categorical(8, 512)})
    with pytest.raises(FoldwiseError, match=r"a batch of 512 .* training part of 100 images"):
        check_batches(search, SETTINGS, 100, "search")
    halved = search_of(phases=[{"trials": 2, "subset": 0.5}])
    with pytest.raises(FoldwiseError, match=r"a batch of 128 .* training part of 100 images"):
        check_batches(halved, SETTINGS, 200, "search")


def test_a_combination_is_found_by_its_number():
    space = parse_space(FINITE)
    listed = list(combinations(space))
    assert [combination_at(space, rank) for rank in range(size(space))] == listed
    assert [rank_of(space, item) for item in listed] == list(range(size(space)))


def test_a_space_too_large_to_list_is_drawn_from():
    switches = {f"k{n}": categorical(0, 1) for n in range(80)}
    space = parse_space(switches | {"child": categorical(1, 2, when={"k0": 1})})
    assert size(space) == 3 * 2**79
    rng, tried = np.random.default_rng(0), []
    for _ in range(20):
        tried.append(untried(space, tried, rng))
        assert inside(space, tried[-1])
    assert len({rank_of(space, item) for item in tried}) == 20
    assert np.mean([item["k0"] for item in tried]) == pytest.approx(2 / 3, abs=0.3)


def test_what_is_left_is_drawn_as_from_a_list():
    space = parse_space(FINITE)
    every = list(combinations(space))
    for taken in ([], every[::2], every[:5], every[1:]):
        left = [item for item in every if item not in taken]
        place = int(np.random.default_rng(3).integers(len(left)))
        assert untried(space, taken, np.random.default_rng(3)) == left[place]
    with pytest.raises(FoldwiseError, match="All 12 combinations"):
        untried(space, every, np.random.default_rng(3))


def test_a_grid_too_large_to_list_comes_by_each_once():
    for count in (draws.LISTED + 7, 10):
        ranks = draws.shuffled_ranks(np.random.default_rng(1), count)
        seen = np.fromiter(ranks, dtype=np.int64)
        assert len(seen) == count and (np.sort(seen) == np.arange(count)).all()
