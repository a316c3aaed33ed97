"""A search by the real rules: one study whatever the jobs do, and nothing done twice."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from flow import ROOT, jobs_in, plan, rules_of, run, snakemake, write_study
from foldwise.hashing import digest
from foldwise.report.files import ANALYSIS_FIGURES
from foldwise.search.settings import SEARCH_PAGES
from foldwise.settings.changes import dotted
from studies import density_study, settings

SPACE = {
    "training.lr": {"type": "float", "low": 1e-3, "high": 0.1, "log": True},
    "model.dropout": {"type": "float", "low": 0.0, "high": 0.4, "step": 0.1},
}
SEARCH = {
    "trials": 5,
    "window": 2,
    "folds": 1,
    "sampler": {"name": "tpe", "startup": 2},
    "pruner": {"name": "median", "startup": 1, "warmup": 0},
    "space": SPACE,
}
TRAINING = {"epochs": 3, "batch_size": 8, "lr": 0.01}


def branches(**changes):
    return {"search": SEARCH | changes, "training": TRAINING}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A search that was run to its end, two jobs at a time."""
    folder = density_study(tmp_path_factory.mktemp("search"), patients=16, **branches())
    executed = run(folder, "search")
    assert {"suggest_trial", "train_trial", "trial_result", "best_params"} <= rules_of(executed)
    return folder


@pytest.fixture
def study(finished, tmp_path):
    """A copy to change; times of files are kept."""
    folder = tmp_path / "study"
    shutil.copytree(finished, folder, symlinks=True)
    return folder


def change(folder, **changes):
    write_study(folder, "mine", settings(**branches(**changes)))


def study_of(folder):
    """All that is reproduced: parameters, states, values and curves in the database."""
    with sqlite3.connect(folder / "results" / "mine" / "search" / "study.db") as database:
        tables = {
            "trials": "SELECT number, state FROM trials ORDER BY number",
            "params": "SELECT trial_id, param_name, param_value FROM trial_params ORDER BY 1, 2",
            "values": "SELECT trial_id, objective, value FROM trial_values ORDER BY 1, 2",
            "curves": "SELECT trial_id, step, intermediate_value FROM trial_intermediate_values "
            "ORDER BY 1, 2",
        }
        rows = {name: database.execute(query).fetchall() for name, query in tables.items()}
    assert len(rows["trials"]) == 5 and len(rows["params"]) == 10
    return digest(rows)


def begun(folder, patients=16):
    """The same study with nothing done but its data."""
    density_study(folder, patients=patients, **branches())
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("width", [1, 4])
def test_any_number_of_jobs_gives_the_same_study(finished, tmp_path, width):
    folder = begun(tmp_path)
    run(folder, "search", "--cores", str(width))
    assert study_of(folder) == study_of(finished)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_search_killed_or_stopped_at_any_time_goes_on_to_the_same_study(finished, tmp_path, how):
    folder = begun(tmp_path)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "2", "search"]
    for seconds in (25, 35, 45):
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(seconds)
        os.killpg(process.pid, how)
        process.wait(timeout=300)
        if how == signal.SIGKILL:
            snakemake(folder, "--unlock")
    run(folder, "search")
    assert study_of(folder) == study_of(finished)


def test_a_finished_search_has_nothing_to_do(finished):
    assert plan(finished, "search") == set()


def test_more_trials_run_no_old_one_again(study):
    change(study, trials=6, max_failed=0.9)
    assert plan(study, "search") == {
        "search",
        "suggest_trial 0005",
        "train_trial 1,0005",
        "trial_result 0005",
        "collect_search",
        "best_params",
        "best_config",
    }


def test_a_changed_space_is_told_of_and_made_anew(study):
    wider = SPACE | {"training.lr": {**SPACE["training.lr"], "low": 1e-4}}
    change(study, space=wider)
    done = snakemake(study, "--dry-run", "search")
    assert "it is a new search, and all trials are made anew" in done.stderr
    assert {f"suggest_trial {number:04d}" for number in range(5)} <= jobs_in(done.stdout)


def test_another_choice_of_model_in_the_space_leaves_the_baseline_alone(study):
    base = plan(study)
    names = {"type": "categorical", "choices": ["small_cnn", "resnet18"]}
    change(study, space=SPACE | {"model.name": names})
    assert plan(study) == base
    run_params = {job for job in plan(study, "search") if job.startswith("train_fold")}
    assert run_params == set()


def test_a_table_in_another_order_trains_nothing_again(study):
    table = study / "made" / "labels.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *reversed(rows)]) + "\n")
    assert rules_of(run(study, "search")) == {"cohort", "search"}


def test_a_trial_file_edited_by_hand_stops_what_would_build_on_it(study):
    path = study / "results" / "mine" / "runs" / "trial_0000" / "result.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"values": [1.0]}))
    change(study, trials=6)
    done = snakemake(study, "search", check=False)
    assert done.returncode and "changed or damaged since" in done.stdout + done.stderr
    assert str(path.relative_to(study)) in done.stdout + done.stderr
    path.unlink()
    run(study, "search")


def test_a_lost_database_is_made_again_from_the_trial_files(study):
    before = study_of(study)
    (study / "results" / "mine" / "search" / "study.db").unlink()
    # Made again with the same content: what follows from it stands.
    assert rules_of(run(study, "search")) == {"collect_search"}
    assert study_of(study) == before


def test_a_study_without_a_search_is_told_how_to_have_one(study):
    write_study(study, "mine", settings(training=TRAINING))
    done = snakemake(study, "--dry-run", "search", check=False)
    assert done.returncode
    assert "has a search. Add `search:` to a study's file" in done.stdout + done.stderr


@pytest.mark.slow
def test_the_best_configuration_is_a_study_that_runs(study):
    search = study / "results" / "mine" / "search"
    private = study / "results/mine/private/best_config.yaml"
    shutil.copy(private, study / "config" / "studies" / "best.yaml")
    text = (search / "best_config.yaml").read_text()
    assert "made/archive" not in text and "made/labels.csv" not in text
    (study / "config" / "config.yaml").write_text("studies: [best]\n")
    executed = run(study, "results/best/runs/cv/cv_summary.json")
    assert {"train_fold 1,cv", "train_fold 2,cv", "cv_summary cv"} <= executed
    chosen = json.loads((search / "mine_best_params.json").read_text())["best_params"]
    params = dotted(json.loads((study / "results/best/runs/cv/params.json").read_text()))
    assert {key: params[key] for key in chosen} == chosen


def test_given_parameters_are_trained_and_compared_without_a_search(study):
    write_study(study, "mine", settings(training=TRAINING))
    given = {"best_params": {"learning_rate": 0.02, "dropout": 0.1}}
    (study / "given_best_params.json").write_text(json.dumps(given))
    executed = run(study, "tuned", "--config", "hyperparams=given_best_params.json")
    assert {"train_fold 1,tuned", "train_fold 2,tuned", "compare_runs"} <= executed
    params = json.loads((study / "results/mine/runs/tuned/params.json").read_text())
    assert params["training"]["lr"] == 0.02 and params["model"]["dropout"] == 0.1
    text = (study / "results/mine/search/comparison.md").read_text()
    assert "How lucky the search was: not known" in text


def test_the_best_trial_is_kept_as_a_full_run_with_a_report_of_its_own(study):
    change(study, keep=1)
    best = json.loads((study / "results/mine/search/mine_best_params.json").read_text())
    number, folder = f"{best['best_trial']:04}", study / "results/mine/runs"
    executed = run(study, "search")
    # The search itself judges by fold 1 alone.
    assert f"train_trial 2,{number}" in executed
    assert {"suggest_trial", "collect_search"}.isdisjoint(rules_of(executed))
    for name in ("val_predictions.csv", "embeddings_val.npy", "optuna_trial.json"):
        assert [path.parts[-4] for path in folder.glob(f"*/fold_2/results/{name}")] == [
            f"trial_{number}"
        ]
    for form in ("txt", "json", "yaml"):
        assert (folder / f"trial_{number}/fold_2/results/metrics/val_metrics.{form}").is_file()
    assert (folder / f"trial_{number}/cv_summary.json").is_file()
    assert plan(study, "search") == set()
    executed = run(study, "pack", "--config", f"run=trial_{number}")
    assert {"pack_figure", "pack_page"} <= rules_of(executed) and "train_trial" not in executed
    pack = study / f"results/mine/packs/trial_{number}"
    assert f"trial_{number}" in (pack / "index.html").read_text()
    assert (pack / "assets/mine_confusion_seed7.png").is_file()
    assert not (study / "results/mine/report").exists()


@pytest.mark.slow
def test_snakemakes_own_report_has_the_plots_and_the_analysis_by_their_titles(study):
    assert "search_analysis" in rules_of(run(study, "analysis"))
    snakemake(study, "search", "analysis", "--report", "report.html")
    page = (study / "report.html").read_text()
    for title in (*SEARCH_PAGES.values(), *ANALYSIS_FIGURES.values()):
        assert f'"title": "{title}"' in page
    assert '"mine"' in page and '"search"' in page
    # What is shown is within: the page needs no folder beside it.
    inside = [f"{name}.html" for name in SEARCH_PAGES]
    inside += [f"{name}.png" for name in ANALYSIS_FIGURES]
    assert [name for name in inside if f"filename={name};base64," not in page] == []


@pytest.mark.slow
def test_tuned_and_nested_are_one_command_each(study):
    change(study, inner_folds=2, seeds=[9])
    executed = run(study, "tuned")
    assert {"train_fold 1,tuned", "train_fold 2,tuned_seed9", "compare_runs"} <= executed
    text = (study / "results" / "mine" / "search" / "comparison.md").read_text()
    assert (
        "Seed 7:" in text and "Seed 9:" in text and "Over 2 seeds quadratic kappa differs" in text
    )
    executed = run(study, "nested")
    assert {"train_fold 1,nested_1", "train_fold 2,nested_2", "nested_summary"} <= executed
    nested = json.loads((study / "results/mine/search/nested_summary.json").read_text())
    assert [row["outer"] for row in nested["search"]["outer"]] == [1, 2]
    assert plan(study, "nested") == set()


def test_the_status_command_tells_and_writes_what_there_is(study):
    command = [sys.executable, str(ROOT / "workflow/scripts/search_status.py"), "results/mine"]
    done = subprocess.run(
        [*command, "--last", "2", "--database", "live.db"],
        cwd=study,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 trials planned:") and "best so far: kappa" in done.stdout
    assert "trial_0004" in done.stdout and "trial_0001  " not in done.stdout
    with sqlite3.connect(study / "live.db") as database:
        assert database.execute("SELECT count(*) FROM trials").fetchone() == (5,)
