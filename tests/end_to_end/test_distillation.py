"""Teacher and student by the real rules: one teacher a fold, tests of both, texts that tell."""

import shutil

import pytest
import yaml

from flow import plan, rules_of, run, snakemake, write_study
from foldwise.files import read_json
from foldwise.settings.teachers import variant
from made_distillation import distillation_archive

RESULTS = "results/mine"
COMPARED = f"{RESULTS}/report/comparisons.json"
PROBE = f"{RESULTS}/audit/text_probe.json"
STUDY = """
kind: distillation
seed: 3
data:
  reader: text
  root: made
  table: {path: made/pictures.csv}
  columns:
    {image: image, patient: case_id, texts: [caption], heads: {modality: modality, place: location}}
  heads:
    modality: {order: [CT, MR]}
    place: {order: [Head, Thorax, Abdomen, Reproductive and Urinary System, Spine and Muscles]}
image: {size: 32}
folds: {n: 2}
model:
  vision: {name: made/encoders/student_vision, weights: pretrained}
  text: {name: made/encoders/student_text, max_tokens: 16}
  dim: 8
  fusion: {name: gated}
loss: {temperature: 3, feature: 1}
training: {epochs: 1, batch_size: 16, lr: 0.002, teacher: teacher}
runs:
  cv: {}
  alone: {training.teacher: null}
  teacher: {training.teacher: null, model.dim: 16}
report: {compare: [alone, teacher]}
search:
  trials: 3
  window: 2
  sampler: {name: tpe, startup: 2}
  space:
    loss.beta: {type: float, low: 0.5, high: 50, log: true}
    loss.temperature: {type: float, low: 2, high: 6}
"""

RATES = [0.001, 0.004]  # of a teacher in a search


def write(folder, old="", new=""):
    write_study(folder, "mine", yaml.safe_load(STUDY.replace(old, new) if old else STUDY))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """All runs compared, and three trials of the student."""
    folder = tmp_path_factory.mktemp("distillation")
    distillation_archive(folder / "made", cases=20, size=32)
    write(folder)
    jobs = run(folder, COMPARED, PROBE, f"{RESULTS}/search/study_summary.json")
    return folder, jobs


@pytest.fixture
def study(finished, tmp_path):
    """A copy to change; times of files are kept."""
    shutil.copytree(finished[0], tmp_path / "study", symlinks=True)
    return tmp_path / "study"


def test_a_teacher_is_trained_once_a_fold_for_the_run_and_all_trials(finished):
    _, jobs = finished
    asked = ("teach_fold", "train_fold")
    taught = sorted(job for job in jobs if job.startswith(asked) and job.endswith("teacher"))
    assert taught == [
        *(f"teach_fold {fold},teacher" for fold in (1, 2)),
        *(f"train_fold {fold},teacher" for fold in (1, 2)),
    ]
    assert sum(job.startswith("train_trial") for job in jobs) >= 3


def test_the_student_is_set_against_its_teacher_and_itself_alone(finished):
    against = read_json(finished[0] / COMPARED)["against"]
    methods = {f"baseline_logistic_{seen}" for seen in ("text", "pixels", "text_pixels")}
    assert {"alone", "teacher"} == set(against) - methods
    for found in against.values():
        assert {"mean_f1", "modality_accuracy", "place_macro_f1"} <= set(found["metrics"])
        assert found["mcnemar_of"]["place"]["groups"] == 20


def test_a_students_setting_leaves_the_teacher_as_it_is(study):
    write(study, "temperature: 3", "temperature: 4")
    jobs = plan(study, COMPARED)
    assert {"train_fold 1,cv", "train_fold 2,cv"} <= jobs
    assert not any("teacher" in job or "alone" in job for job in jobs if "fold" in job)
    write(study, "model.dim: 16", "model.dim: 12")
    assert {"train_fold 1,teacher", "teach_fold 2,teacher", "train_fold 1,cv"} <= plan(
        study, COMPARED
    )


def test_answers_of_another_folds_teacher_are_refused(study):
    folds = study / RESULTS / "runs" / "teacher"
    own, other = (next((folds / f"fold_{k}").rglob("*.npz")) for k in (1, 2))
    shutil.copyfile(other, own)
    target = f"{RESULTS}/runs/cv/fold_1/results/best_model.pt"
    done = snakemake(study, target, check=False)
    assert done.returncode and "changed or damaged since" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_text_that_names_the_label_is_warned_of(study):
    assert read_json(study / PROBE)["warnings"] == []
    write(study, "texts: [caption]", "texts: [caption, scanner]")
    assert "text_probe" in rules_of(run(study, PROBE))
    (warning,) = read_json(study / PROBE)["warnings"]
    assert "'scanner' alone gives modality away" in warning["text"]


@pytest.mark.slow
def test_nested_searches_the_teacher_beside_the_student(tmp_path):
    """Two teachers in each inner fold of each outer one, and the best trial's in the outer fold."""
    distillation_archive(tmp_path / "made", cases=24, size=32)
    study = yaml.safe_load(STUDY)
    study["search"] |= {"sampler": {"name": "grid"}, "trials": 2, "inner_folds": 2}
    # The inner training parts are small: half of half of the cases.
    study["training"]["batch_size"] = 4
    study["search"]["space"] = {
        "teacher.training.lr": {"type": "categorical", "choices": RATES},
    }
    write_study(tmp_path, "mine", study)
    jobs = run(tmp_path, "nested")
    teachers = [variant("teacher", {"training.lr": rate}) for rate in RATES]
    inner = [job for job in jobs if job.startswith("teach_fold")]
    assert {job.split(",")[-1] for job in inner} == set(teachers)
    found = read_json(tmp_path / RESULTS / "search/nested_summary.json")["search"]["outer"]
    assert [row["outer"] for row in found] == [1, 2]
    runs = tmp_path / RESULTS / "runs"
    for row in found:
        rate = row["params"]["teacher.training.lr"]
        params = read_json(runs / f"nested_{row['outer']}" / "params.json")
        assert params["teacher"]["run"] == teachers[RATES.index(rate)]
        taught = runs / params["teacher"]["run"] / f"fold_{row['outer']}"
        assert next(taught.rglob("*.npz")).is_file()
    assert plan(tmp_path, "nested") == set()


def test_trials_learn_from_the_teacher_that_they_name(tmp_path):
    distillation_archive(tmp_path / "made", cases=20, size=32)
    study = yaml.safe_load(STUDY)
    study["search"] |= {"folds": 1, "sampler": {"name": "grid"}, "trials": 4}
    study["search"]["space"] = {
        "teacher.training.lr": {"type": "categorical", "choices": RATES},
        "training.lr": {"type": "categorical", "choices": [0.001, 0.002]},
    }
    write_study(tmp_path, "mine", study)
    jobs = run(tmp_path, f"{RESULTS}/search/study_summary.json")
    teachers = {variant("teacher", {"training.lr": rate}): rate for rate in RATES}
    assert {job for job in jobs if job.startswith("teach_")} == {
        f"teach_fold 1,{name}" for name in teachers
    }
    runs = tmp_path / RESULTS / "runs"
    for name, rate in teachers.items():
        assert read_json(runs / name / "params.json")["training"]["lr"] == rate
    asked = []
    for number in range(4):
        params = read_json(runs / f"trial_{number:04}" / "params.json")
        chosen = read_json(runs / f"trial_{number:04}" / "suggestion.json")["params"]
        assert teachers[params["teacher"]["run"]] == chosen["teacher.training.lr"]
        assert read_json(runs / f"trial_{number:04}/result.json")["state"] == "COMPLETE"
        asked.append((chosen["teacher.training.lr"], chosen["training.lr"]))
    assert len(set(asked)) == 4
    # Equal students of two teachers differ: each has read its own teacher's answers.
    losses = {
        one: read_json(runs / f"trial_{n:04}/fold_1/results/train_history.json")["epochs"][0]
        for n, one in enumerate(asked)
    }
    first, second = (losses[rate, 0.001]["place_log_loss"] for rate in RATES)
    assert first != second
