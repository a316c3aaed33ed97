"""Proposals: reproducible, inside the space, without repeats, whatever the order of jobs."""

import platform
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cmaes
import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__ as cpu_dispatch
from numpy._core._multiarray_umath import __cpu_features__ as cpu_features
from scipy.stats import qmc

from foldwise.errors import FoldwiseError
from foldwise.hashing import stream_seed
from foldwise.search.propose.propose import propose
from foldwise.search.space import inside, numeric, size
from foldwise.search.trials import Observation, Result, read_all
from foldwise.settings.schema import schema
from foldwise.settings.unions import union_of
from searching import (
    FINITE,
    digest_of,
    run_search,
    run_shuffled,
    score,
    search_of,
)

EVERY = sorted(set(union_of(schema("search")["properties"]["sampler"]).choices) - {"grid"})
SMALL = {"tpe": {"startup": 4}, "gp": {"startup": 4}, "nsga2": {"population": 4}}


# A proposal of a Gaussian process takes .4 s, of one over several objectives 2: a few say as much.
FEW = {"gp": 4}


def sampler(name: str, **changes: int) -> dict:
    return {"name": name, **SMALL.get(name, {}), **changes}


def beyond_startup(name: str, trials: int) -> int:
    """So many trials, or as many as show a few proposals of a model that is slow."""
    return SMALL[name]["startup"] + FEW[name] if name in FEW else trials


def params_of(known: list[Observation]) -> list[dict]:
    return [dict(item.suggestion.params) for item in known]


@pytest.mark.parametrize("name", EVERY)
def test_same_inputs_give_the_same_trials_inside_the_space(name):
    trials = beyond_startup(name, 14)
    search = search_of(sampler=sampler(name), trials=trials)
    first, second = run_search(search), run_search(search)
    assert first == second
    assert all(inside(search.space, item) for item in params_of(first))
    other = run_search(search_of(seed=43, sampler=sampler(name), trials=trials))
    assert params_of(other) != params_of(first)


@pytest.mark.parametrize("name", [*EVERY, "grid"])
def test_a_finite_space_is_searched_without_repeats_and_to_its_end(name):
    late = {"startup": 12 - FEW[name]} if name in FEW else {}
    search = search_of(space=FINITE, sampler=sampler(name, **late), trials=50)
    assert search.trials == size(search.space) == 12
    tried = params_of(run_search(search))
    assert len({str(sorted(item.items())) for item in tried}) == 12


@pytest.mark.parametrize("name", [*EVERY, "grid"])
def test_a_proposal_ignores_values_younger_than_the_window(name):
    raw = {"space": FINITE} if name == "grid" else {}
    search = search_of(sampler=sampler(name), window=4, trials=12, **raw)
    known = run_search(search, 10)
    masked = [
        item if item.suggestion.number < search.seen(10) else Observation(item.suggestion)
        for item in known
    ]
    changed = [
        item
        if item.suggestion.number < search.seen(10)
        else replace(item, result=replace(item.result, values=(99.0,), state="COMPLETE"))
        for item in known
    ]
    assert propose(search, 10, known) == propose(search, 10, masked)
    assert propose(search, 10, known) == propose(search, 10, changed)


@pytest.mark.parametrize("name", ["tpe", "cmaes", "gp", "nsga2"])
def test_a_model_learns_from_the_values_that_it_may_know(name):
    late = {"startup": 12} if name in FEW else {}
    search = search_of(sampler=sampler(name, **late), window=1, trials=20)
    known = run_search(search, 16)
    flipped = [
        replace(item, result=replace(item.result, values=(-item.result.values[0],)))
        for item in known
    ]
    pairs = [(propose(search, n, known[:n]), propose(search, n, flipped[:n])) for n in (13, 15, 16)]
    assert any(true.params != false.params for true, false in pairs)


def printed(**environment: str) -> str:
    """Trials of several samplers, as another process with this environment finds them."""
    code = (
        "import sys; sys.path[:0] = ['workflow/scripts', 'tests']\n"
        "from searching import FINITE, run_search, search_of\n"
        "for name in ['tpe', 'cmaes', 'nsga2', 'qmc', 'random']:\n"
        "    for seed in (1, 2):\n"
        "        search = search_of(seed=seed, sampler=name, trials=24)\n"
        "        print([dict(k.suggestion.params) for k in run_search(search)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=Path(__file__).parents[2],
        env={"OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    assert done.stdout.count("\n") == 10
    return done.stdout


def test_proposals_do_not_depend_on_the_salt_of_a_process_or_on_the_processor():
    here = printed(PYTHONHASHSEED="1")
    assert printed(PYTHONHASHSEED="2") == here
    if platform.machine() != "x86_64":
        pytest.skip("there is one way only to compute here")
    # An old processor: no vector instructions beyond what numpy was built for, other kernels.
    features = " ".join(f for f in cpu_dispatch if cpu_features.get(f))
    old = {"NPY_DISABLE_CPU_FEATURES": features, "OPENBLAS_CORETYPE": "Sandybridge"}
    assert printed(**old, ATEN_CPU_CAPABILITY="default") == here


@pytest.mark.parametrize("orders", [range(10), pytest.param(range(10, 50), marks=pytest.mark.slow)])
@pytest.mark.parametrize("kills", [0.0, 0.3])
def test_a_hundred_orders_of_jobs_give_one_study(tmp_path, kills, orders):
    search = search_of(
        sampler=sampler("tpe"),
        trials=8,
        pruner={"name": "median", "startup": 2, "warmup": 1},
        across_folds={"name": "first_fold", "startup": 2},
    )
    seen = set()
    for order in orders:
        runs = tmp_path / str(order)
        run_shuffled(search, runs, random.Random(order), kills)
        seen.add(digest_of(read_all(runs, search)))
    in_memory = run_search(search)
    assert seen == {digest_of(in_memory)}
    states = {item.result.state for item in in_memory}
    assert states == {"COMPLETE", "PRUNED"}


STOPPING = [
    *({"pruner": {"name": name, "startup": 1, "warmup": 0}} for name in ("median", "percentile")),
    {"pruner": {"name": "halving", "factor": 2}},
    {"pruner": {"name": "hyperband", "factor": 2}},
    {"pruner": {"name": "none", "patience": 1}},
    {"pruner": {"name": "median", "startup": 1, "warmup": 0, "patience": 1}},
    {"across_folds": {"name": "first_fold", "startup": 1}},
    {"across_folds": {"name": "wilcoxon", "p": 0.3, "startup": 1}},
]


@pytest.mark.parametrize("raw", STOPPING, ids=str)
def test_every_rule_that_stops_trials_stops_the_same_in_any_order(tmp_path, raw):
    search = search_of(count=4, sampler="random", trials=14, window=4, **raw)
    in_memory = run_search(search)
    assert {item.result.state for item in in_memory} == {"COMPLETE", "PRUNED"}
    for order in range(5):
        run_shuffled(search, tmp_path / str(order), random.Random(order), kills=0.2)
        assert read_all(tmp_path / str(order), search) == in_memory


def test_more_trials_keep_those_that_there_are():
    short, long = search_of(trials=6), search_of(trials=11)
    assert run_search(long)[:6] == run_search(short)


def test_another_setting_is_another_search():
    base = search_of()
    for changed in (
        search_of(window=2),
        search_of(seed=1),
        search_of(sampler="random"),
        search_of(space=FINITE),
        search_of(pruner="median"),
        search_of(objective="loss"),
        search_of(count=3),
    ):
        assert changed.identity(0) != base.identity(0)


def test_cma_es_is_that_of_the_library_run_without_replay():
    search = search_of(sampler="cmaes", window=1, trials=30)
    moved = numeric(search.space)
    direct = cmaes.CMA(
        mean=np.full(3, 0.5),
        sigma=1 / 6,
        bounds=np.tile([0.0, 1.0], (3, 1)),
        n_max_resampling=30,
        seed=0,
    )
    told = []
    for item in run_search(search):
        params = item.suggestion.params
        direct.reseed_rng(stream_seed(42, "trial", item.suggestion.number, 0) % 2**32)
        asked = direct.ask()
        wanted = [parameter.from_unit(unit) for parameter, unit in zip(moved, asked, strict=True)]
        assert wanted == [params[parameter.key] for parameter in moved]
        point = np.array([parameter.to_unit(params[parameter.key]) for parameter in moved])
        told.append((point, -item.result.values[0]))
        if len(told) == direct.population_size:
            direct.tell(told)
            told = []
    assert direct.generation >= 3


def test_quasi_random_points_are_those_of_scipy():
    space = {key: {"type": "float", "low": 0, "high": 1} for key in ("a.b", "a.c")}
    search = search_of(space=space, sampler="qmc", trials=8)
    stream = np.random.default_rng(stream_seed(42, "sequence", 0))
    wanted = qmc.Sobol(2, scramble=True, rng=stream).random(8)
    got = [[params["a.b"], params["a.c"]] for params in params_of(run_search(search))]
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_phases_go_on_from_the_same_trials_with_budgets_apart():
    phases = [
        {"sampler": "random", "trials": 8, "epochs": 2, "subset": 0.5},
        {"sampler": {"name": "tpe", "startup": 6}, "trials": 8, "epochs": 2, "subset": 0.5},
        {"sampler": "best", "trials": 3, "epochs": 9},
    ]
    search = search_of(phases=phases, window=2)
    known = run_search(search)
    assert [item.suggestion.epochs for item in known] == [2] * 16 + [9] * 3
    assert [item.suggestion.sampler for item in known][6:10] == ["random"] * 2 + ["tpe"] * 2
    complete = [item for item in known[:15] if item.result.state == "COMPLETE"]
    ranked = sorted(complete, key=lambda item: -item.result.values[0])
    assert known[16].suggestion.params == ranked[0].suggestion.params
    assert params_of(known[16:])[2] in params_of(ranked[:4])
    # The last phase's values, however good, change nothing of what short trials taught.
    assert search.identity(3) == search_of(phases=phases[:1], window=2).identity(3)


def test_a_phase_of_another_budget_is_guided_by_the_old_values_until_it_has_enough():
    phases = [
        {"sampler": "random", "trials": 20, "epochs": 2},
        {"sampler": {"name": "tpe", "startup": 5}, "trials": 10, "epochs": 9},
    ]
    search = search_of(phases=phases, window=1)
    known = run_search(search, 21)
    flipped = [
        replace(item, result=replace(item.result, values=(-item.result.values[0],)))
        for item in known
    ]
    assert propose(search, 21, known).params != propose(search, 21, flipped).params


def test_failed_trials_are_avoided_by_the_model_and_never_numbers():
    search = search_of(sampler={"name": "tpe", "startup": 6}, window=1, trials=40)
    known = []
    for number in range(40):
        suggestion = propose(search, number, known)
        bad = suggestion.params["training.batch_size"] > 64
        value = None if bad else (score(suggestion.params),)
        state = "FAIL" if bad else "COMPLETE"
        result = Result(number, suggestion.identity, state, "fold 1: memory", value, (), 6)
        known.append(Observation(suggestion, result))
    failed = [item.result.state == "FAIL" for item in known]
    assert sum(failed[20:]) < sum(failed[:10]) * 2


def test_several_objectives_are_searched_by_tpe_gp_and_nsga2():
    for name in ("tpe", "gp", "nsga2", "random"):
        search = search_of(
            sampler=sampler(name),
            objective=["kappa", {"metric": "parameters"}],
            trials=beyond_startup(name, 12),
        )
        known = run_search(search)
        assert all(len(item.result.values) == 2 for item in known)
        assert known == run_search(search)


def test_a_gap_in_the_trials_is_refused():
    search = search_of()
    known = run_search(search, 3)
    with pytest.raises(FoldwiseError, match="trials 0 to 3"):
        propose(search, 4, known)
