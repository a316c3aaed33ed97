"""Records for other tools: the keys their readers expect, and Ray's own reader on our lines."""

import json
import subprocess

import pytest

from foldwise.files import write_json, write_text
from foldwise.search.records import commit, fold_record, trial_record
from training import make_params, train

KEYS = ["git_commit", "hyperparameters", "objective_name", "objective_value", "timestamp"]


def test_the_record_has_the_predecessors_keys():
    record = trial_record("trial_0003", {"training.lr": 0.1}, "kappa", 0.5)
    assert sorted(record) == [*KEYS, "trial_id"]
    assert record["trial_id"] == "trial_0003" and record["timestamp"].endswith("+00:00")


def test_the_record_of_a_fold_is_that_of_its_kept_weights(tmp_path):
    params = make_params()
    folder = train(tmp_path, params)
    history = json.loads((folder / "train_history.json").read_text())
    record = fold_record(params, history)
    kept = history["epochs"][history["best"]["epoch"] - 1]
    assert record["objective_value"] == kept[record["objective_name"]]
    assert record["hyperparameters"]["training.lr"] == 0.01 and record["fold"] == 1
    assert not any(key.startswith(("task", "image")) for key in record["hyperparameters"])


def test_the_commit_is_gits_own(tmp_path):
    assert commit(tmp_path) == "unknown"
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *words], check=True)
    head = subprocess.run(
        ["git", "-C", str(tmp_path), "rev-parse", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    assert commit(tmp_path) == head


@pytest.mark.slow
def test_ray_tune_reads_the_lines_as_its_own(tmp_path):
    from ray import tune  # `.venv/bin/uv pip install ray pyarrow`, as CONTRIBUTING.md says.

    texts = []
    for number, lr in enumerate((0.01, 0.001)):
        name = f"trial_{number:04d}"
        params = make_params(run=name, training__lr=lr)
        folder = train(tmp_path / name, params)
        texts.append((name, params, (folder / f"ray_{name}.jsonl").read_text()))
    folder = tmp_path / "experiment"
    for name, params, text in texts:
        write_text(folder / name / "result.json", text)
        write_json(folder / name / "params.json", params)
    trials = [ray_trial(folder, name, params, text) for name, params, text in texts]
    analysis = tune.ExperimentAnalysis(
        str(folder / "none.json"), trials=trials, default_metric="kappa", default_mode="max"
    )
    for name, params, text in texts:
        frame, lines = analysis.trial_dataframes[name], list(map(json.loads, text.splitlines()))
        assert frame["training_iteration"].tolist() == [1, 2, 3]
        assert frame["kappa"].tolist() == [line["kappa"] for line in lines]
        assert frame["config/training/lr"].tolist() == [params["training"]["lr"]] * 3
        assert analysis.get_all_configs()[name]["training"]["lr"] == params["training"]["lr"]
    last = {name: json.loads(text.splitlines()[-1])["kappa"] for name, _, text in texts}
    assert analysis.best_trial.trial_id == max(last, key=last.get)


def ray_trial(folder, name, params, text):
    """A finished trial as Ray knows it, whose results are the files in its folder."""
    from ray.train._internal.storage import StorageContext
    from ray.tune.experiment import Trial

    storage = StorageContext(str(folder.parent), folder.name, trial_dir_name=name)
    trial = Trial("foldwise", trial_id=name, config=params, stub=True, storage=storage)
    trial.update_last_result(json.loads(text.splitlines()[-1]))
    trial.set_status(Trial.TERMINATED)
    return trial
