"""What a study with a teacher can say, and which runs and trials have one."""

import pytest
import yaml

from foldwise.errors import FoldwiseError
from foldwise.settings.study import answers_of, load_study, run_settings, teacher_of

STUDY = """
kind: distillation
data:
  reader: text
  root: x
  table: {path: y}
  columns: {image: image, patient: case, texts: [caption], heads: {modality: modality}}
  heads: {modality: {order: [CT, MR]}}
model: {text: {name: some/model}}
training: {teacher: TEACHER}
runs: {cv: {}, teacher: {training.teacher: null, model.dim: 512}}
report: {compare: [teacher]}
"""


def study_of(folder, text):
    (folder / "mine.yaml").write_text(text)
    return load_study("mine", folder)


def test_runs_and_trials_have_the_teacher_that_their_settings_name(tmp_path):
    study = study_of(tmp_path, STUDY.replace("TEACHER", "teacher"))
    runs = ("cv", "cv_seed3", "trial_0001", "teacher")
    assert [teacher_of(study, run) for run in runs] == ["teacher"] * 3 + [None]
    params = run_settings(study, "cv")
    assert params["teacher"]["model"]["dim"] == 512
    assert params["task"]["heads"] == {"modality": ["CT", "MR"]}
    assert params["task"]["ordered"] == {"modality": False}
    said = study_of(
        tmp_path, STUDY.replace("MR]", "MR], ordered: true").replace("TEACHER", "teacher")
    )
    assert run_settings(said, "teacher")["task"]["ordered"] == {"modality": True}
    assert "teacher" not in run_settings(study, "teacher")


def test_a_teacher_stays_as_it_is_when_its_students_weights_change(tmp_path):
    text = STUDY.replace("TEACHER", "teacher")
    before = study_of(tmp_path, text)
    changed = study_of(tmp_path, text + "loss: {temperature: 2, beta: 50, feature: 1}\n")
    assert run_settings(changed, "teacher") == run_settings(before, "teacher")
    assert run_settings(changed, "cv")["loss"] == run_settings(before, "cv")["loss"] | {
        "temperature": 2, "beta": 50, "feature": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("TEACHER", "techer", ["no run 'techer'", "teacher"]),
        ("training.teacher: null, ", "", ["its own teacher"]),
        ("compare: [teacher]", "compare: [cv]", ["report.compare", "the reported run"]),
        ("order: [CT, MR]", "order: [CT]", ["data.heads.modality.order", "nothing to learn"]),
        ("texts: [caption]", "texts: []", ["data.columns.texts"]),
        ("{text: {name: some/model}}", "{}", ["model.text.name", "no text encoder"]),
        ("heads: {modality: modality}", "heads: {mode: m}", ["data.columns.heads", "mode"]),
    ],
)
def test_what_a_study_with_a_teacher_cannot_say(tmp_path, old, new, words):
    with pytest.raises(FoldwiseError) as error:
        study_of(tmp_path, STUDY.replace(old, new).replace("TEACHER", "teacher"))
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{}", "cross_fitted"),
        ("{training.answers: in_sample}", "in_sample"),
        ("{loss.feature: 1}", "in_sample"),
        ("{loss.feature: 1, training.answers: cross_fitted}", "cross_fitted"),
    ],
)
def test_answers_are_crossed_unless_features_are_compared(said, expected):
    loss = {"feature": 0, "contrastive": 0, "mmd": 0}
    study = {"training": {"answers": "auto"}, "search": None, "loss": loss}
    study["runs"] = {"cv": yaml.safe_load(said)}
    assert answers_of(study, "cv") == expected
