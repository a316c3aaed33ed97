"""What was saved is what is read: weights, states, and every file that a job recorded."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from foldwise.errors import FoldwiseError
from foldwise.files import read_json, write_csv, write_json, write_text
from foldwise.hashing import digest
from foldwise.origin import check_inputs, note_origin
from foldwise.search.trials import FoldOutcome, write_trial_file
from foldwise.train.predict import load_model
from foldwise.train.sealed import load_sealed, save_sealed, value_digest
from training import make_images, make_job, make_params, make_rows, train, weights

SCRIPT = Path(__file__).parents[2] / "workflow/scripts/verify.py"
VALUE = {
    "state_dict": {"a": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(3)},
    "half": torch.ones(4, dtype=torch.bfloat16),
    "none": torch.empty(0),
    "best": [0.5, None, (1, 2)],
    "groups": {0: {"lr": 0.1}},
}


def load_of(folder):
    rows = make_rows(36)
    job = make_job(folder, make_params(), make_images(rows), (rows[:24], rows[24:]))
    return load_model(job, folder / "best_model.pt")


def test_what_was_saved_comes_back_and_equal_values_are_equal_bytes(tmp_path):
    for name in ("one.pt", "two.pt"):
        save_sealed(tmp_path / name, VALUE)
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "two.pt").read_bytes()
    back = load_sealed(tmp_path / "one.pt")
    assert value_digest(back) == value_digest(VALUE) and set(back) == set(VALUE)


def test_the_digest_follows_each_part():
    changes = [
        VALUE | {"state_dict": {"a": torch.arange(6.0), "n": torch.tensor(3)}},
        VALUE | {"half": torch.ones(4, dtype=torch.float16)},
        VALUE | {"best": [0.5, None, (1, 3)]},
        VALUE | {"groups": {1: {"lr": 0.1}}},
        {name: value for name, value in VALUE.items() if name != "none"},
    ]
    assert len({value_digest(value) for value in [VALUE, *changes]}) == len(changes) + 1


def test_ten_flipped_exponents_of_a_model_are_noticed(tmp_path):
    """torch.load reads such a file without a word, and predicts other results."""
    path = train(tmp_path) / "best_model.pt"
    model = weights(path.parent)
    data, needle = bytearray(path.read_bytes()), model["two.0.weight"].numpy().tobytes()
    start = bytes(data).index(needle)
    for place in range(start + 3, start + 43, 4):
        data[place] ^= 0x04
    path.write_bytes(bytes(data))
    assert not torch.equal(weights(path.parent)["two.0.weight"], model["two.0.weight"])
    with pytest.raises(FoldwiseError, match=r"best_model\.pt was damaged.*Delete it and run"):
        load_of(path.parent)


def test_a_model_that_was_cut_short_is_named(tmp_path):
    path = train(tmp_path) / "best_model.pt"
    whole = path.read_bytes()
    for share in (0, 0.01, 0.5, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(FoldwiseError, match=r"best_model\.pt was cut short.*Delete it and run"):
            load_of(path.parent)


def test_no_flipped_bit_passes_for_another_value(tmp_path):
    path, drawn = tmp_path / "a.pt", random.Random(5)
    save_sealed(path, VALUE)
    whole, refused = path.read_bytes(), 0
    for _ in range(300):
        data = bytearray(whole)
        data[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
        path.write_bytes(bytes(data))
        try:
            # What is neither content nor needed to find it may change: padding, dates.
            assert value_digest(load_sealed(path)) == value_digest(VALUE)
        except FoldwiseError:
            refused += 1
    assert refused > 30


def test_a_state_with_a_flipped_bit_is_not_gone_on_from(tmp_path, caplog):
    whole = train(tmp_path / "whole")
    out = train(tmp_path / "damaged")
    (path,) = (tmp_path / "damaged" / "state").glob("*.pt")
    state = load_sealed(path)
    needle = state["model"]["two.0.weight"].contiguous().numpy().tobytes()
    data = bytearray(path.read_bytes())
    assert needle in data
    data[bytes(data).index(needle) + 3] ^= 0x04
    path.write_bytes(bytes(data))
    with caplog.at_level("INFO", "foldwise"):
        train(tmp_path / "damaged")
    assert "cannot be read: starting anew" in caplog.text
    assert (out / "best_model.pt").read_bytes() == (whole / "best_model.pt").read_bytes()


def job_of(rule, output, inputs=(), run="trial_0003"):
    log = [f"results/s/logs/{run}/{rule}.log"]
    return SimpleNamespace(rule=rule, params={"code": "c"}, output=output, input=inputs, log=log)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of results with files of all kinds that are checked."""
    monkeypatch.chdir(tmp_path)
    base = Path("results/s")
    trial = base / "runs/trial_0003"
    write_json(trial / "params.json", {"training": {"lr": 0.1}})
    note_origin(job_of("suggest_trial", [f"{trial}/params.json"]))
    out = trial / "fold_1/results"
    write_csv(out / "val_predictions.csv", ["p"], [{"p": 0.5}])
    np.save(out / "maps_val.npy", np.arange(5))
    note_origin(job_of("predict_fold", [f"{out}/val_predictions.csv", f"{out}/maps_val.npy"]))
    save_sealed(out / "best_model.pt", VALUE)
    write_trial_file(out / "outcome.json", FoldOutcome(1, "COMPLETE"))
    write_text(base / "private/id_map.csv", "sample,file\ns,CANARY\n")
    note_origin(job_of("cohort", ["results/s/private/id_map.csv"], run="."))
    shard = digest(["c"])
    write_csv(base / "cohort.csv", ["shard"], [{"shard": shard}])
    cache = Path("results/cache/k")
    write_text(cache / f"{shard}.txt", "c\n")
    np.save(cache / f"{shard}.npy", np.zeros(4))
    decoded = job_of("cache_shard", [f"{cache}/{shard}.npy"])
    decoded.log = [f"{cache}/logs/{shard}.log"]
    note_origin(decoded)
    return base


def test_an_edited_params_file_of_a_trial_is_refused_by_name(results):
    path = f"{results}/runs/trial_0003/params.json"
    job = job_of("train_trial", [], [path, "elsewhere/table.csv"])
    check_inputs(job)
    write_json(path, {"training": {"lr": 0.2}})
    with pytest.raises(FoldwiseError, match=r"trial_0003/params\.json: not what rule suggest_tria"):
        check_inputs(job)


def test_a_private_file_is_checked_and_its_digest_stays_with_it(results):
    path = results / "private/id_map.csv"
    (record,) = [r for r in results.rglob("*.origin.json") if str(path) in read_json(r)["files"]]
    assert record.parent == path.parent
    check_inputs(job_of("audit", [], [str(path)]))
    path.write_text("sample,file\n")
    with pytest.raises(FoldwiseError, match=r"id_map\.csv: not what rule cohort wrote"):
        check_inputs(job_of("audit", [], [str(path)]))


def verified(results):
    spec = importlib.util.spec_from_file_location("verify", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.verify(results)


def test_a_study_is_verified_and_each_damage_is_named(results, tmp_path):
    damaged, number = verified(results)
    assert damaged == [] and number == 8
    shard = digest(["c"])
    paths = [
        results / "runs/trial_0003/params.json",
        results / "runs/trial_0003/fold_1/results/val_predictions.csv",
        results / "runs/trial_0003/fold_1/results/maps_val.npy",
        results / "runs/trial_0003/fold_1/results/outcome.json",
        results / "runs/trial_0003/fold_1/results/best_model.pt",
        results / "private/id_map.csv",
        tmp_path / f"results/cache/k/{shard}.txt",
        tmp_path / f"results/cache/k/{shard}.npy",
    ]
    for path in paths:
        whole = path.read_bytes()
        changed = whole.replace(b"0", b"1").replace(b"c\n", b"d\n")[:-1]
        path.write_bytes(whole[:-20] if path.suffix == ".pt" else changed)
        named, _ = verified(results)
        assert [one.resolve() for one, _ in named] == [path.resolve()], path
        path.write_bytes(whole)
    command = [sys.executable, str(SCRIPT), str(results)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    paths[1].write_text("p\n0.6\n")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "val_predictions.csv: not what rule" in done.stdout
    assert "1 of 8 files differ" in done.stderr
