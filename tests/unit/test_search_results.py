"""What is made of trial files: database, tables, plots, best configuration, status."""

import csv
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
import yaml

from foldwise.errors import FoldwiseError
from foldwise.evaluate.optimism import selection_bias
from foldwise.search.chosen import best_config, best_params, tuned_params, with_places_left_out
from foldwise.search.optimism import optimism, savings
from foldwise.search.plan import trial_base
from foldwise.search.plots import write_pages
from foldwise.search.ranking import best, ranked
from foldwise.search.results import in_short, write_results, write_trial_histories
from foldwise.search.settings import OTHER_NAMES, SEARCH_PAGES
from foldwise.search.storage import write_database
from foldwise.search.trials import FoldOutcome
from foldwise.settings import study as config
from foldwise.settings.schema import check
from searching import run_search, search_of, timed

STUDIES = Path(__file__).parents[2] / "config" / "studies"


@pytest.fixture(scope="module")
def pruned():
    search = search_of(trials=24, sampler="random", pruner={"name": "median", "warmup": 0})
    return search, timed(run_search(search))


@pytest.fixture(scope="module")
def several():
    search = search_of(trials=15, sampler="random", objective=["kappa", "parameters"])
    return search, timed(run_search(search))


def load(path, name="demo"):
    return optuna.load_study(study_name=name, storage=f"sqlite:///{path}")


def test_optuna_loads_the_trials_as_they_stand_in_the_files(tmp_path, pruned):
    search, known = pruned
    write_database(tmp_path / "study.db", "demo", search, known)
    study = load(tmp_path / "study.db")
    assert [trial.number for trial in study.trials] == list(range(24))
    for trial, item in zip(study.trials, known, strict=True):
        assert trial.params == item.suggestion.params
        assert trial.state.name == item.result.state
        assert trial.intermediate_values == item.result.intermediate()
        assert trial.values == (list(item.result.values) if item.result.values else None)
        assert trial.datetime_start.hour == 2 and trial.duration.seconds >= 2
    assert {trial.state.name for trial in study.trials} == {"COMPLETE", "PRUNED"}
    assert study.best_trial.number == best(known, search).suggestion.number


def test_the_database_is_made_again_in_the_same_bytes_even_if_lost_or_locked(tmp_path, pruned):
    search, known = pruned
    path = tmp_path / "study.db"
    write_database(path, "demo", search, known)
    first = path.read_bytes()
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    write_database(path, "demo", search, known)
    holder.close()
    assert path.read_bytes() == first
    path.unlink()
    write_database(path, "demo", search, known)
    assert path.read_bytes() == first


def test_values_of_other_budgets_stand_in_studies_of_their_own(tmp_path):
    phases = [{"sampler": "random", "trials": 6, "epochs": 2}, {"trials": 3, "epochs": 9}]
    search = search_of(phases=phases)
    known = run_search(search)
    write_database(tmp_path / "study.db", "demo", search, known)
    names = optuna.get_all_study_names(f"sqlite:///{tmp_path}/study.db")
    assert sorted(names) == ["demo", "demo.2_epochs.1_of_data"]
    assert len(load(tmp_path / "study.db").trials) == 3
    assert load(tmp_path / "study.db").trials[0].user_attrs["run"] == "trial_0006"


def test_the_pareto_front_is_that_of_optuna(tmp_path, several):
    search, known = several
    write_database(tmp_path / "study.db", "demo", search, known)
    study = load(tmp_path / "study.db")
    order = ranked(known, search)
    front = {item.suggestion.number for rank, item in order if rank == 1}
    assert front == {trial.number for trial in study.best_trials} and len(order) == 15
    assert study.metric_names == ["kappa", "parameters"]


def test_tables_and_summary_say_what_the_trials_say(tmp_path, pruned):
    search, known = pruned
    write_results(tmp_path, "demo", search, known)
    rows = list(csv.DictReader((tmp_path / "search_results_final.csv").open()))
    values = [float(row["kappa"]) for row in rows if row["rank"]]
    assert values == sorted(values, reverse=True) and len(rows) == 24
    assert [row["state"] for row in rows[len(values) :]] == ["PRUNED"] * (24 - len(values))
    found = json.loads((tmp_path / "study_summary.json").read_text())
    assert found["states"] == {"COMPLETE": len(values), "PRUNED": 24 - len(values), "FAIL": 0}
    chosen = best_params("demo", search, known)
    assert chosen["best_value"] == values[0] == found["best"]["values"][0]
    assert f"trial_{chosen['best_trial']:04d}" == rows[0]["trial"]
    lines = in_short("demo", search, known).splitlines()
    assert lines[0] == "demo: best 5 of 24 trials"
    assert len(lines) == 6 and lines[1].startswith(f"1. {rows[0]['trial']}: kappa ")
    few = [item for item in known if item.result.state == "COMPLETE"][:3]
    assert in_short("demo", search, few).startswith("demo: best 3 of 3 trials\n1. ")
    history = list(csv.DictReader((tmp_path / "history_trials.csv").open()))
    assert len(history) == sum(len(f.curve) for item in known for f in item.result.folds)


def test_each_trial_has_a_table_of_its_epochs(tmp_path):
    epochs = [{"epoch": 1, "train_loss": 1.5, "kappa": None}, {"epoch": 2, "train_loss": 0.5}]
    histories = {"trial_0000": [{"fold": 1, "epochs": epochs}, {"fold": 2, "epochs": epochs[:1]}]}
    write_trial_histories(tmp_path, histories | {"trial_0001": [{"fold": 1, "epochs": []}]})
    rows = list(csv.DictReader((tmp_path / "history_trial_0000.csv").open()))
    assert [(row["fold"], row["epoch"], row["train_loss"]) for row in rows] == [
        ("1", "1", "1.5"),
        ("1", "2", "0.5"),
        ("2", "1", "1.5"),
    ]
    assert {row["kappa"] for row in rows} == {""}
    assert (tmp_path / "history_trial_0001.csv").read_text().split() == ["fold,epoch"]


def test_the_best_configuration_is_a_study_file_as_it_is(tmp_path):
    settings = config.load_study("demo_density", STUDIES)
    space = {
        "training.lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
        "model.dropout": {"type": "float", "low": 0, "high": 0.5, "step": 0.1},
    }
    search = search_of(space=space, phases=[{"trials": 4, "epochs": 5}])
    known = run_search(search)
    chosen, found = best(known, search), best_params("demo", search, known)
    (tmp_path / "best_config.yaml").write_text(best_config(settings, found))
    study = config.load_study("best_config", tmp_path)
    resolved = config.dotted(config.run_settings(study, "cv"))
    assert {key: resolved[key] for key in chosen.suggestion.params} == chosen.suggestion.params
    assert resolved["training.epochs"] == 5
    tuned = tuned_params(trial_base(settings), found, "tuned", 42)
    assert tuned == config.run_settings(study, "tuned")
    assert check("study", yaml.safe_load((tmp_path / "best_config.yaml").read_text()), "x")
    plain = yaml.safe_load(best_config(with_places_left_out(settings), found))
    assert check("study", plain, "x") and "demo/density" not in str(plain)
    assert plain["training"]["lr"] == chosen.suggestion.params["training.lr"]


def test_without_a_complete_trial_the_message_says_where_to_look():
    search = search_of(trials=2)
    known = run_search(search)
    failed = [
        replace(item, result=replace(item.result, state="FAIL", values=None, reason="x"))
        for item in known
    ]
    message = r"last phase is complete \(2 FAIL\)\. Commonest reason \(2 times\): x"
    with pytest.raises(FoldwiseError, match=message):
        best(failed, search)


@pytest.mark.parametrize("which", ["pruned", "several"])
def test_pages_hold_their_own_script_and_ask_no_network(tmp_path, which, request):
    search, known = request.getfixturevalue(which)
    write_pages(tmp_path, "demo", search, known)
    first = {page: (tmp_path / f"{page}.html").read_bytes() for page in SEARCH_PAGES}
    for page, content in first.items():
        text = content.decode()
        assert "<script src" not in text and 'src="http' not in text
        assert ("Plotly.newPlot" in text) != ("No plot:" in text), page
    assert (b"No plot" in first["pareto_front"]) == (which == "pruned")
    for other, page in OTHER_NAMES.items():
        assert f'href="{page}.html"' in (tmp_path / f"{other}.html").read_text()
    write_pages(tmp_path, "demo", search, known)
    assert first == {page: (tmp_path / f"{page}.html").read_bytes() for page in SEARCH_PAGES}


def test_the_bias_correction_takes_off_what_luck_put_on():
    # 30 equally good trials in 5 folds: whatever the best has above 0 is luck.
    rng, seen, corrected = np.random.default_rng(1), [], []
    for _ in range(300):
        scores = rng.normal(size=(30, 5))
        chosen = int(scores.mean(axis=1).argmax())
        seen.append(scores[chosen].mean())
        corrected.append(seen[-1] - selection_bias(scores, chosen))
    assert np.mean(seen) > 0.8
    # The method's authors find it to overcorrect where trials do not differ: never flattering.
    assert np.mean(corrected) < 0.05


def test_one_fold_gives_no_estimate_and_says_so():
    search = search_of(count=1, trials=4)
    found = optimism(run_search(search), search)
    assert found["bias"] is None and "nested" in found["text"]


def test_savings_are_missing_epochs_at_measured_pace():
    search = search_of(trials=2, window=1)
    first, second = run_search(search)
    curve = tuple((epoch, 0.1) for epoch in range(1, 11))
    whole = tuple(FoldOutcome(k, "COMPLETE", "", {"kappa": 0.1}, curve, 50.0) for k in (1, 2))
    cut = (
        FoldOutcome(1, "PRUNED", "", {}, curve[:4], 8.0),
        FoldOutcome(2, "SKIPPED"),
    )
    known = [
        replace(first, result=replace(first.result, folds=whole)),
        replace(second, result=replace(second.result, folds=cut, state="PRUNED", values=None)),
    ]
    # 6 + 10 epochs not run, at this trial's 2 s each.
    assert savings(known) == {
        "epochs_trained": 24,
        "epochs_spared": 16.0,
        "seconds_trained": 108.0,
        "seconds_spared": 32.0,
        "share_spared": round(32 / 140, 4),
    }
