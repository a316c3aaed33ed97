"""Trial files: what is written is read back, and what was tampered with is refused by name."""

import json

import pytest

from foldwise.errors import FoldwiseError
from foldwise.search.trials import (
    FoldOutcome,
    Observation,
    check_failures,
    combine,
    commonest_failure,
    read_all,
    read_observations,
    read_result,
    read_suggestion,
    trial_file,
    write_trial_file,
)
from searching import run_search, search_of


@pytest.fixture
def study(tmp_path):
    search = search_of(trials=6, pruner={"name": "median", "startup": 1, "warmup": 0})
    for item in run_search(search):
        number = item.suggestion.number
        write_trial_file(trial_file(tmp_path, number, "suggestion.json"), item.suggestion)
        write_trial_file(trial_file(tmp_path, number, "result.json"), item.result)
    return search, tmp_path


def test_files_come_back_as_they_were(study):
    search, runs = study
    assert read_all(runs, search) == run_search(search)


def test_results_younger_than_the_window_are_not_even_opened(study):
    search, runs = study
    for number in range(search.seen(5), 5):
        trial_file(runs, number, "result.json").write_text("not even JSON")
    assert [item.result is not None for item in read_observations(runs, 5, search)] == [
        True
    ] * 3 + [False] * 2


def edit(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


def test_a_result_edited_by_hand_is_refused_by_name(study):
    search, runs = study
    path = trial_file(runs, 0, "result.json")
    edit(path, values=[1.0])
    with pytest.raises(FoldwiseError, match=rf"{path} was edited.*Delete the file"):
        read_result(path, search)


def test_a_suggestion_edited_by_hand_is_refused_by_name(study):
    search, runs = study
    path = trial_file(runs, 2, "suggestion.json")
    edit(path, params={"training.lr": 0.5})
    with pytest.raises(FoldwiseError, match="was edited"):
        read_suggestion(path, search)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_file_cut_short_is_refused_by_name(study, share):
    search, runs = study
    path = trial_file(runs, 1, "result.json")
    text = path.read_text()
    path.write_text(text[: int(len(text) * share)])
    with pytest.raises(FoldwiseError, match=f"{path} is not valid JSON.*delete it"):
        read_observations(runs, 5, search)


def test_a_file_of_another_form_is_refused(study):
    search, runs = study
    path = trial_file(runs, 1, "result.json")
    path.write_text(trial_file(runs, 1, "suggestion.json").read_text())
    with pytest.raises(FoldwiseError, match="not a result of a trial"):
        read_result(path, search)


def test_trials_of_another_space_are_not_mixed_in(study):
    _, runs = study
    other = search_of(trials=6, window=2)
    with pytest.raises(FoldwiseError, match=r"another space or other settings.*runs/trial_"):
        read_observations(runs, 3, other)


def outcomes(*states, metrics=({"kappa": 0.5}, {"kappa": 0.7})):
    return [
        FoldOutcome(fold, state, f"why {fold}", metrics[fold - 1])
        for fold, state in enumerate(states, 1)
    ]


def test_values_are_means_over_folds_and_one_bad_fold_decides():
    search = search_of()
    suggestion = run_search(search, 1)[0].suggestion
    done = combine(suggestion, search.objectives, outcomes("COMPLETE", "COMPLETE"), 5)
    assert done.state == "COMPLETE" and done.values == (0.6,)
    failed = combine(suggestion, search.objectives, outcomes("PRUNED", "FAIL"), 5)
    assert (failed.state, failed.reason, failed.values) == ("FAIL", "fold 2: why 2", None)
    pruned = combine(suggestion, search.objectives, outcomes("COMPLETE", "PRUNED"), 5)
    assert (pruned.state, pruned.reason, pruned.values) == ("PRUNED", "fold 2: why 2", None)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_an_undefined_metric_is_a_failure_and_never_a_number(value):
    search = search_of()
    suggestion = run_search(search, 1)[0].suggestion
    folds = outcomes("COMPLETE", "COMPLETE", metrics=({"kappa": 0.5}, {"kappa": value}))
    result = combine(suggestion, search.objectives, folds, 5)
    assert (result.state, result.reason, result.values) == (
        "FAIL",
        "fold 2: kappa is not defined",
        None,
    )


def test_a_cost_is_an_objective_of_its_own():
    search = search_of(objective=["kappa", "parameters"])
    suggestion = run_search(search, 1)[0].suggestion
    metrics = ({"kappa": 0.5, "parameters": 12.0}, {"kappa": 0.7, "parameters": 12.0})
    done = outcomes("COMPLETE", "COMPLETE", metrics=metrics)
    assert combine(suggestion, search.objectives, done, 5).values == (0.6, 12.0)


def test_too_many_failures_stop_the_search_with_the_commonest_reason():
    search = search_of(max_failed=0.5)
    suggestion = run_search(search, 1)[0].suggestion
    good = combine(suggestion, search.objectives, outcomes("COMPLETE", "COMPLETE"), 5)
    bad = combine(suggestion, search.objectives, outcomes("COMPLETE", "FAIL"), 5)
    worse = combine(suggestion, search.objectives, outcomes("FAIL", "COMPLETE"), 5)
    enough = [good, good, bad, bad]
    check_failures([Observation(suggestion, result) for result in enough], search)
    with pytest.raises(FoldwiseError, match=r"3 of 5 trials failed.*\(2 times\): why 2"):
        check_failures([Observation(suggestion, result) for result in [*enough, worse]], search)


def test_reasons_that_differ_by_their_place_alone_are_one_reason():
    reasons = [f"fold 1: non finite (epoch {n}, step 3)" for n in (2, 5, 7)] + ["fold 2: other"]
    told = commonest_failure(["fold 1: other", *reasons])
    assert told == "Commonest reason (3 times): non finite (epoch 2, step 3)."
