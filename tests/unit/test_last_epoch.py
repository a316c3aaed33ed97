"""`training.stop_after: auto`: decided once for a study, by how many groups it has."""

from pathlib import Path

import pytest

from foldwise.files import read_json, write_csv
from foldwise.settings.schema import check
from foldwise.settings.training import FEW_GROUPS, read_settings, with_end
from foldwise.train.job import FoldFiles, fold_job
from training import make_params, train


@pytest.mark.parametrize(
    ("groups", "stages", "last"),
    [
        (FEW_GROUPS - 1, [], 3),
        (FEW_GROUPS, [], None),
        (10, [{"size": 8, "epochs": 2}, {"size": 16, "epochs": 5}], 7),
    ],
)
def test_a_small_study_keeps_the_last_epoch_of_all_stages(groups, stages, last):
    params = make_params(training__stop_after="auto", training__stages=stages)
    assert read_settings(with_end(params, groups)).stop_after == last
    assert params["training"]["stop_after"] == "auto"  # the file's own content stays


@pytest.mark.parametrize("said", [None, 2])
def test_what_is_said_is_done(said):
    params = make_params(training__stop_after=said)
    assert with_end(params, 10) is params


def test_auto_is_the_default_and_a_classical_method_has_no_epochs():
    assert check("training", {}, "test")["stop_after"] == "auto"
    params = {"run": "baseline_x", "training": {"monitor": None}}
    assert with_end(params, 10) is params


def cohort_of(folder: Path, groups: int) -> FoldFiles:
    """Two images a group; a fifth of the groups validates, and ten more are held out."""
    rows, parts = [], []
    for number in range(2 * (groups + 10)):
        group = number // 2
        part = "holdout" if group >= groups else "val" if group % 5 == 0 else "train"
        rows.append({"sample": f"s{number}", "content": f"c{number:04}", "group": f"g{group}"})
        rows[-1]["label"] = "AB"[group % 2]
        parts.append({"sample": f"s{number}", "part": part})
    write_csv(folder / "cohort.csv", list(rows[0]), rows)
    write_csv(folder / "fold_1.csv", list(parts[0]), parts)
    return FoldFiles(folder / "cohort.csv", folder / "fold_1.csv", "none")


@pytest.mark.parametrize(("groups", "last"), [(FEW_GROUPS - 1, 3), (FEW_GROUPS, None)])
def test_a_job_decides_by_the_groups_of_all_folds(tmp_path, groups, last):
    params = make_params(training__stop_after="auto")
    files = cohort_of(tmp_path, groups)
    for part in ({}, {"part": 0.25}):  # a learning curve's runs end as the whole one does
        job = fold_job(params | part, files, 1, tmp_path, used=())
        assert job.params["training"]["stop_after"] == last


def test_the_last_epoch_is_kept_though_an_earlier_one_was_better(tmp_path):
    params = make_params(
        training__stop_after="auto", training__epochs=6, training__early_stopping__patience=1
    )
    results = train(tmp_path, with_end(params, 24))
    history = read_json(results / "train_history.json")
    assert (history["ended"], history["best"]["epoch"], len(history["epochs"])) == (
        "stop_after",
        6,
        6,
    )
