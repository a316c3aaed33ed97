"""A search told while it runs, from the files of its trials alone."""

import json
import multiprocessing
import os
import time
from dataclasses import replace

import pytest

from foldwise.errors import FoldwiseError
from foldwise.search.status import (
    Standing,
    best_so_far,
    seconds_at_work,
    seconds_left,
    standings,
    table,
)
from foldwise.search.status import settings as told_settings
from foldwise.search.trials import trial_file, write_trial_file
from foldwise.train.process.lock import FoldLock
from foldwise.train.process.stop import Stop
from searching import run_search, search_of, timed


@pytest.fixture(scope="module")
def pruned():
    search = search_of(trials=24, sampler="random", pruner={"name": "median", "warmup": 0})
    return search, timed(run_search(search))


@pytest.fixture
def midway(tmp_path, pruned):
    search, known = pruned
    for item in known[:5]:
        path = trial_file(tmp_path, item.suggestion.number, "suggestion.json")
        write_trial_file(path, item.suggestion)
        if item.suggestion.number < 3:
            write_trial_file(path.with_name("result.json"), item.result)
    ray = tmp_path / "trial_0003" / "fold_2" / "results" / "ray_trial_0003.jsonl"
    ray.parent.mkdir(parents=True)
    line = {"timestamp": 5, "training_iteration": 4, "kappa": 0.25, "time_total_s": 8.0}
    ray.write_text(json.dumps(line) + '\n{"timestamp": 6, "training_')
    return tmp_path, known, search


def test_the_status_is_read_from_files_alone(midway):
    runs, known, search = midway
    trials = standings(runs)
    assert [item.state for item in trials][3:] == ["running", "waiting"]
    assert (trials[3].fold, trials[3].epoch, trials[3].value) == (2, 4, 0.25)
    complete = [item for item in known[:3] if item.result.state == "COMPLETE"]
    top = max(complete, key=lambda item: item.result.values[0])
    assert best_so_far(trials).suggestion.number == top.suggestion.number
    assert table(runs).startswith("5 trials planned: 3 COMPLETE")
    text = table(runs, search)
    assert text.startswith("24 trials planned: 3 COMPLETE")
    assert "trial_0003  running   2     4       0.25" in text
    assert "no epoch has ended for" in text and "no epoch" not in table(runs, search, now=30)
    assert "trial_0003" not in table(runs, replace_trials(search, 2))


def hold(folder, begun):
    lock = FoldLock(folder, Stop())  # its file is open as long as there is the object
    lock.wait()
    begun.set()
    time.sleep(60)


def test_a_stopped_search_is_not_called_running(midway):
    """Its last line stays as it is; what has gone with the process is the lock of the fold."""
    runs, _, search = midway
    begun = multiprocessing.get_context("fork").Event()
    job = multiprocessing.get_context("fork").Process(
        target=hold, args=(runs / "trial_0003" / "fold_2" / "state", begun)
    )
    job.start()
    assert begun.wait(20)
    assert "1 running, 1 waiting" in table(runs, search)
    job.kill()
    job.join()
    text = table(runs, search)
    assert "0 running, 2 waiting" in text and "left" not in text
    assert "no trial is being trained now; `snakemake search` goes on" in text
    assert "trial_0003  waiting   2     4       0.25" in text


def replace_trials(search, count):
    return replace(search, phases=(replace(search.phases[0], trials=count),))


def test_the_status_leaves_out_what_another_search_left_behind(midway):
    runs, _, _ = midway
    with pytest.raises(FoldwiseError, match="no trial yet"):
        table(runs, search_of(trials=24, sampler="random", window=9))
    path = runs / "trial_0003" / "suggestion.json"
    late = path.stat().st_mtime + 60
    os.utime(path, (late, late))
    assert standings(runs)[3].state == "waiting"


def test_time_left_is_at_the_pace_of_the_clock_without_pauses(pruned):
    # Two at a time, 100 s each, of which 20 s are lost between one and the next; and a night.
    _, known = pruned
    trials = []
    for number, item in enumerate(known[:10]):
        begin = 60.0 * number + (30000 if number >= 6 else 0)
        trials.append(Standing(item.suggestion, item.result, "COMPLETE", None, None, None, 100.0))
        trials[-1] = replace(trials[-1], spans=((begin, begin + 100),))
    assert seconds_at_work(span for item in trials for span in item.spans) == 400 + 280
    assert seconds_left(trials, 10) == 0
    assert seconds_left(trials, 20) == pytest.approx(680)
    half = replace(trials[9], result=None, state="running", seconds=50.0)
    assert seconds_left([*trials[:9], half], 20) == pytest.approx(680 / 9.5 * 10.5)
    assert seconds_left([half], 20) is None


def test_settings_that_end_alike_are_told_by_their_whole_names(midway):
    _, known, _ = midway
    params = {"model.name": "unet", "loss.name": "dice", "training.lr": 0.1}
    item = Standing(replace(known[0].suggestion, params=params), None, "waiting")
    assert told_settings(item) == "model.name unet, loss.name dice, lr 0.1"


def test_no_trial_yet_says_how_to_begin(tmp_path):
    with pytest.raises(FoldwiseError, match="snakemake search"):
        table(tmp_path)
