"""The plan of a search: what the report asks for, and what is refused before anything starts."""

import pytest

from flow import plan, rules_of, snakemake, write_study
from foldwise.files import write_json
from foldwise.plan.searches import Searches
from foldwise.plan.studies import Studies
from foldwise.settings.schema import check
from studies import settings

SPACE = {"training.lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True}}


def study(folder, report=(), **search):
    branch = {"trials": 3, "window": 2, "inner_folds": 2, "space": SPACE} | search
    write_study(folder, "mine", settings(search=branch, report={"search": list(report)}))
    return folder


def test_the_report_asks_for_what_it_tells_of_the_search(tmp_path):
    assert not {"suggest_trial", "compare_runs"} & rules_of(plan(study(tmp_path)))
    jobs = rules_of(plan(study(tmp_path, ["search", "tuned", "nested"])))
    assert {"collect_search", "compare_runs", "nested_summary", "report_pack"} <= jobs


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"window": 0}, "search.window: 0"),
        ({"sampler": "grid"}, "a grid needs listed values, but training.lr is continuous"),
        ({"objective": "sensitivity"}, "unknown objective 'sensitivity'"),
        ({"objective": ["kappa", "auc"], "pruner": "median"}, "pruning compares one value"),
    ],
)
def test_what_cannot_work_is_one_message_before_anything_starts(tmp_path, search, message):
    done = snakemake(study(tmp_path, **search), "--dry-run", "search", check=False)
    said = done.stdout + done.stderr
    assert done.returncode and message in said and "Traceback" not in said


def test_given_parameters_are_trained_without_any_trial_and_without_a_search(tmp_path):
    write_json(tmp_path / "other_best_params.json", {"best_params": {"training.lr": 0.002}})
    given = ("--config", "hyperparams=other_best_params.json")
    for folder_of in (study, lambda folder: write_study(folder, "mine", settings()) or folder):
        jobs = plan(folder_of(tmp_path), "tuned", *given)
        assert {"train_fold 1,tuned", "train_fold 2,cv", "compare_runs"} <= jobs
        assert not {"suggest_trial", "collect_search", "best_params"} & rules_of(jobs)


def test_given_parameters_that_the_study_refuses_are_one_message(tmp_path):
    write_json(tmp_path / "best.json", {"best_params": {"training.lr": -1}})
    write_study(tmp_path, "mine", settings())
    arguments = ("--dry-run", "tuned", "--config", "hyperparams=best.json")
    done = snakemake(tmp_path, *arguments, check=False)
    said = done.stdout + done.stderr
    assert done.returncode and "mine: best.json" in said and "training.lr: -1" in said, said
    assert "Traceback" not in said


def test_a_pack_of_a_trial_trains_its_other_folds_and_makes_no_other_report(tmp_path):
    jobs = plan(study(tmp_path, folds=1), "pack", "--config", "run=trial_0001")
    assert {"train_trial 1,0001", "train_trial 2,0001", "cv_summary trial_0001"} <= jobs
    assert "pack_page trial_0001" in jobs
    assert {"report_pack", "figure", "compare_reported", "train_fold"}.isdisjoint(rules_of(jobs))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ((), "pack: which run? Name one"),
        (("--config", "run=trial_0003"), "no study has a run 'trial_0003'"),
        (("--config", "run=cvs"), "no study has a run 'cvs'. Did you mean"),
    ],
)
def test_a_pack_of_no_run_is_one_message(tmp_path, config, message):
    done = snakemake(study(tmp_path), "--dry-run", "pack", *config, check=False)
    said = done.stdout + done.stderr
    assert done.returncode and message in said and "Traceback" not in said


def test_trials_are_kept_once_they_are_ranked(tmp_path):
    jobs = plan(study(tmp_path, keep=2, folds=1), "search")
    assert not {"predict_fold", "cv_summary"} & rules_of(jobs)
    folder = tmp_path / "results/mine/search"
    folder.mkdir(parents=True)
    table = folder / "search_results_final.csv"
    table.write_text("rank,trial\n1,trial_0002\n2,trial_0000\n,trial_0001\n")
    config = {"studies": ["mine"], "folder": str(tmp_path / "config/studies")}
    searches = Searches(Studies(check("config", config, "")))
    kept = searches.kept_files("mine", table)
    assert {path.split("/")[3] for path in kept} == {"trial_0002", "trial_0000"}
    assert "results/mine/runs/trial_0002/fold_2/results/metrics/val_metrics.json" in kept
