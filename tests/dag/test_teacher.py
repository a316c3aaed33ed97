"""The plan of studies with a teacher: once a fold and setting, however many learn from it."""

import yaml

from flow import ROOT, jobs_in, snakemake, write_study


def planned(folder, study, *targets):
    config = ["--configfile", str(ROOT / "config" / "config.yaml")]
    studies = ["--config", f"folder={ROOT / 'config' / 'studies'}", f'studies=["{study}"]']
    done = snakemake(folder, "--dry-run", *config, *studies, "--", *targets)
    return jobs_in(done.stdout)


def test_each_fold_has_its_own_teacher_once_for_all_runs_and_trials(tmp_path):
    jobs = planned(tmp_path, "medpix", "all", "search")
    taught = {job for job in jobs if job.startswith("teach_")}
    assert taught == {f"teach_crossed {fold},teacher" for fold in range(1, 6)}
    assert {f"train_fold {fold},teacher" for fold in range(1, 6)} <= jobs
    assert sum(job.startswith("train_trial") for job in jobs) == 100


def test_trials_wait_for_each_teacher_of_the_space_and_each_is_trained_once(tmp_path):
    study = yaml.safe_load((ROOT / "config/studies/demo_distillation.yaml").read_text())
    listed = {"type": "categorical", "choices": [0.001, 0.002]}
    study["search"] = {
        "trials": 6,
        "window": 2,
        "folds": 1,
        "space": {
            "teacher.training.lr": listed,
            "teacher.model.fusion.layers": listed | {"choices": [1, 2, 3]},
            "training.lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
        },
    }
    write_study(tmp_path, "mine", study)
    done = snakemake(tmp_path, "--dry-run", "search")
    jobs = jobs_in(done.stdout)
    asked = sorted(job for job in jobs if job.startswith("teach_"))
    assert len(asked) == 6 and all(job.startswith("teach_fold 1,teacher_") for job in asked)
    trained = sorted(job for job in jobs if job.startswith("train_fold"))
    assert [job.split(",")[1] for job in trained] == [job.split(",")[1] for job in asked]
    assert sum(job.startswith("train_trial") for job in jobs) == 6
    # The named teacher itself teaches no trial.
    assert "train_fold 1,teacher" not in jobs
    jobs = jobs_in(snakemake(tmp_path, "--dry-run", "all").stdout)
    assert not any("teacher_" in job for job in jobs) and "teach_fold 1,teacher" in jobs


def test_nested_has_one_teacher_for_each_inner_and_each_outer_fold(tmp_path):
    config = ["--configfile", str(ROOT / "config" / "config.yaml")]
    studies = ["--config", f"folder={ROOT / 'config' / 'studies'}", 'studies=["medpix"]']
    lines = snakemake(tmp_path, "--dry-run", *config, *studies, "--", "nested").stdout.splitlines()
    made = [
        line
        for line in lines
        if line.strip().startswith("output:") and "taught_crossed.npz" in line
    ]
    inner = [line for line in made if "medpix.outer_" in line]
    assert (len(inner), len(made)) == (5 * 3, 5 * 3 + 5)


def test_a_run_without_teacher_waits_for_none(tmp_path):
    alone = "results/demo_distillation/runs/alone/cv_summary.json"
    jobs = planned(tmp_path, "demo_distillation", alone)
    assert not any(job.startswith("teach_") for job in jobs)
    student = planned(tmp_path, "demo_distillation", alone.replace("alone", "cv"))
    assert "teach_fold 2,teacher" in student
