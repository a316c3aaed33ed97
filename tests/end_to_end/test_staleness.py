"""Exactly what is stale reruns: one small study is run once, then changed in one thing a test."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from flow import plan, rules_of, run, snakemake, write_study
from once import copied, finished_study, once
from studies import settings

TRAINING_ON = {"train_fold", "predict_fold", "evaluate_fold", "cv_summary"}
REPORT = {
    *("figure", "report_pack", "gradcam_fold", "run_record", "compare_reported", "run_cost"),
    *("cases", "calibrate", "conformal", "operating_points", "projections", "label_suspects"),
    "name_suspects",
}


@pytest.fixture
def study(tmp_path_factory, tmp_path):
    return copied(once(tmp_path_factory, finished_study), tmp_path / "study")


def changed(folder):
    """Rules that run after a change, by running; the report's rules are told apart."""
    return rules_of(run(folder, root=folder / "project"))


def planned(folder):
    return plan(folder, root=folder / "project")


def edit(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1))


def package(folder, name):
    return folder / "project" / "workflow" / "scripts" / "foldwise" / name


def test_nothing_is_stale_at_first(study):
    assert planned(study) == set()


def test_touched_images_rerun_the_cohort_alone(study):
    for path in (study / "made" / "archive").rglob("*.dcm"):
        os.utime(path)
    assert changed(study) == {"cohort"}
    assert planned(study) == set()


def test_a_reordered_table_reruns_the_cohort_alone(study):
    path = study / "made" / "labels.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert changed(study) == {"cohort", "name_suspects"}  # the list for a reader names rows


@pytest.mark.parametrize("name", ["private/id_map.csv", "private/texts.csv", "labels.csv"])
def test_a_lost_file_of_the_cohort_comes_back_and_nothing_else_runs(study, name):
    path = study / "results" / "mine" / name
    before = path.read_bytes()
    path.unlink()
    assert changed(study) == {"cohort"}
    assert path.read_bytes() == before
    assert planned(study) == set()


@pytest.mark.slow
def test_a_deleted_part_of_the_cache_is_decoded_again(study):
    path = next((study / "results" / "cache").rglob("*.npy"))
    before = path.read_bytes()
    path.unlink()
    assert changed(study) >= {"cache_shard", "audit"}
    assert path.read_bytes() == before
    assert planned(study) == set()


def test_a_damaged_part_of_the_cache_is_put_aside_and_the_same_command_makes_it_again(study):
    """Shown by a training that reads it; one pixel differs, size and times do not."""
    path = next((study / "results" / "cache").rglob("*.npy"))
    whole, times = path.read_bytes(), path.stat()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 255]))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    write_study(study, "mine", settings(training={"lr": 0.02}))
    stopped = snakemake(study, root=study / "project", check=False)
    assert stopped.returncode
    assert f"{path.relative_to(study)} is not what was decoded" in stopped.stdout + stopped.stderr
    executed = changed(study)
    assert {"cache_shard", "audit", "train_fold", "report_pack"} <= executed
    assert "cohort" not in executed
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("name", "follows"),
    [
        ("runs/cv/fold_1/results/ray_cv.jsonl", {"train_fold", "predict_fold", "cv_summary"}),
        ("runs/cv/fold_2/results/metrics/val_metrics.txt", {"evaluate_fold", "cv_summary"}),
        ("runs/cv/fold_1/results/gradcam/gradcam.npz", {"gradcam_fold"}),
        ("runs/cv/cases.json", {"cases", "report_pack"}),
        ("report/ledger.json", {"report_pack"}),
    ],
)
def test_a_lost_file_is_made_again_though_what_follows_from_it_stands(study, name, follows):
    (study / "results" / "mine" / name).unlink()
    assert follows <= rules_of(planned(study))


def test_a_comment_or_docstring_in_the_loop_reruns_nothing(study):
    path = package(study, "train/loop.py")
    edit(path, '"""', '"""Another first line. ')
    path.write_text(path.read_text() + "\n# The end.\n")
    assert planned(study) == set()


def test_loss_code_reruns_training_on(study):
    edit(
        package(study, "losses/classes.py"),
        "def cross_entropy(",
        "@(lambda same: same)\ndef cross_entropy(",
    )
    jobs = planned(study)
    assert rules_of(jobs) >= TRAINING_ON
    assert rules_of(jobs) <= TRAINING_ON | REPORT


def test_a_module_that_is_moved_reruns_nothing(study):
    package(study, "losses/plain").mkdir()
    package(study, "losses/plain/__init__.py").write_text("")
    package(study, "losses/classes.py").rename(package(study, "losses/plain/single.py"))
    package(study, "train/rates.py").rename(package(study, "train/speeds.py"))
    for path in package(study, "").rglob("*.py"):
        text = path.read_text().replace("losses.classes", "losses.plain.single")
        path.write_text(text.replace("train.rates", "train.speeds"))
    assert planned(study) == set()


SEARCH = {"trials": 1, "space": {"training.lr": {"type": "float", "low": 0.01, "high": 0.1}}}


def test_a_run_a_search_and_a_baseline_rerun_nothing_of_the_others(study):
    """Another loss, sampler and method: none is code of the run that is there."""
    runs = {"cv": {}, "ordinal": {"loss.name": "ordinal"}}
    write_study(study, "mine", settings(runs=runs, search=SEARCH))
    jobs = planned(study)
    assert {"train_fold 1,ordinal", "train_fold 2,ordinal"} <= jobs
    # The page alone knows which runs and searches the study has.
    assert {job for job in jobs if not job.endswith("ordinal")} <= {"report_pack"}
    runs["ordinal"]["training.lr"] = 0.3
    write_study(study, "mine", settings(runs=runs))
    jobs = planned(study)
    assert {"train_fold 1,ordinal", "train_fold 2,ordinal"} <= jobs
    assert {job for job in jobs if not job.endswith("ordinal")} <= {"report_pack"}
    write_study(study, "mine", settings(report={"baselines": [], "gradcam_per_class": 1}))
    assert rules_of(planned(study)) <= {"report_pack", "compare_reported"}


@pytest.mark.slow
def test_a_stopped_training_goes_on_though_runs_a_search_and_a_baseline_change(study):
    """A run is added, one changed and one removed; a search is added, baselines are removed."""
    long = {"epochs": 200, "early_stopping": {"patience": None}}
    runs = {"cv": {}, "ordinal": {"loss.name": "ordinal"}, "slow": {"training.lr": 0.001}}
    write_study(study, "mine", settings(training=long, runs=runs))
    stop_training(study, model := "results/mine/runs/cv/fold_1/results/best_model.pt")
    runs = {"cv": {}, "ordinal": {"loss.name": "ordinal", "training.lr": 0.3}}
    runs |= {"focal": {"loss.name": "focal"}}
    shown = {"baselines": [], "gradcam_per_class": 1}
    write_study(study, "mine", settings(training=long, runs=runs, search=SEARCH, report=shown))
    run(study, model, root=study / "project")
    log = (study / "results/mine/logs/cv/train_fold/fold_1.log").read_text()
    assert "Going on after epoch" in log and "starting anew" not in log


def stop_training(study, model):
    """Start Snakemake for this model, and send Ctrl-C once some epochs are trained."""
    told = study / model.replace("best_model.pt", "ray_cv.jsonl")
    told.unlink()
    command = [sys.executable, "-m", "snakemake", "-s", str(study / "project" / "Snakefile")]
    command += ["--cores", "2", model]
    job = subprocess.Popen(command, cwd=study, start_new_session=True, stderr=subprocess.DEVNULL)
    while not told.exists() or told.read_text().count("\n") < 3:
        assert job.poll() is None
        time.sleep(0.02)
    os.killpg(job.pid, signal.SIGINT)
    assert job.wait(timeout=120)


def test_a_new_title_reruns_the_page_alone(study):
    write_study(study, "mine", settings(report={"title": "Another", "gradcam_per_class": 1}))
    assert rules_of(planned(study)) == {"report_pack"}


def test_a_learning_rate_reruns_training_on(study):
    write_study(study, "mine", settings(training={"lr": 0.02}))
    jobs = rules_of(planned(study))
    assert {"run_params", *TRAINING_ON} <= jobs
    assert jobs <= {"run_params"} | TRAINING_ON | REPORT


def test_another_studys_file_reruns_nothing(study):
    other = settings(training={"lr": 0.5})
    write_study(study, "other", other)
    write_study(study, "mine", settings())
    assert planned(study) == set()


def test_one_label_reruns_folds_on_and_decodes_nothing(study):
    path = study / "made" / "labels.csv"
    with open(path, newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[0]["Classification"] = "1" if rows[0]["Classification"] in "34" else "4"
    with open(path, "w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    expected = planned(study)
    executed = run(study, root=study / "project")
    # Before the cohort has run a plan may list too much, and must not list too little.
    assert executed <= expected
    jobs = rules_of(executed)
    assert {"cohort", "audit", "folds", *TRAINING_ON} <= jobs
    assert "cache_shard" not in jobs


@pytest.mark.slow
def test_one_more_patient_decodes_that_patient_alone(study):
    before = set((study / "results" / "cache").rglob("*.npy"))
    for exam in (study / "made" / "hidden").iterdir():
        shutil.move(exam, study / "made" / "archive" / exam.name)
    jobs = run(study, root=study / "project")
    assert sum(job.startswith("cache_shard") for job in jobs) == 1
    after = set((study / "results" / "cache").rglob("*.npy"))
    assert len(after - before) == 1
    assert before <= after


def test_a_deleted_model_reruns_that_fold_and_what_follows(study):
    (study / "results/mine/runs/cv/fold_1/results/best_model.pt").unlink()
    jobs = planned(study)
    assert {"train_fold 1,cv", "predict_fold 1,cv", "evaluate_fold 1,cv"} <= jobs
    assert "train_fold 2,cv" not in jobs
    assert {"cv_summary cv"} <= jobs


def test_figure_code_reruns_figures_alone(study):
    edit(package(study, "report/style.py"), "DPI = 300", "DPI = 200")
    jobs = rules_of(planned(study))
    assert jobs == {"figure", "report_pack"}
