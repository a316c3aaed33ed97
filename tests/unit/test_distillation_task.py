"""Teacher and student: answers once a fold, the loss by what it names, refusals."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import special, stats
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

from foldwise.errors import FoldwiseError
from foldwise.search.analysis.measure import measure
from foldwise.settings.schema import check
from foldwise.tasks.distillation import Distillation
from foldwise.train.checkpoint import arrays_digest
from foldwise.train.loop import train_fold
from foldwise.train.predict import load_model, predict_fold
from foldwise.train.run_cost import model_cost
from foldwise.train.teaching.crossed import dealt, teach_crossed
from foldwise.train.teaching.teach import teach_fold, teacher_targets
from made_distillation import distillation_archive
from training import Memory, make_job

HEADS = {"modality": ["CT", "MR"], "place": ["head", "chest"]}
TEXTS = ("a mass in the lung", "no finding of the brain", "normal look")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return distillation_archive(tmp_path_factory.mktemp("made") / "a", cases=25, size=32)


def rows_of(number, start=0):
    return [
        {
            **{key: f"{key[0]}{n:03}" for key in ("sample", "group", "exam")},
            "content": f"{n:032x}",
            "label_modality": HEADS["modality"][n % 2],
            "label_place": HEADS["place"][n // 2 % 2],
            "fold": 1,
            "texts": {"caption": TEXTS[n % 3]},
        }
        for n in range(start, start + number)
    ]


ROWS = rows_of(24)
IMAGES = Memory(
    np.random.default_rng(0).integers(0, 255, (24, 1, 32, 32), dtype=np.uint8),
    [row["content"] for row in ROWS],
)


def params_of(archive, run="cv", teacher=None, who="student", **changes):
    text = {"name": str(archive / "encoders" / f"{who}_text"), "max_tokens": 12}
    model = {"name": "vision_text", "dim": 8, "text": text, "fusion": {"name": "gated"}}
    model["vision"] = {"name": str(archive / "encoders" / f"{who}_vision"), "weights": "pretrained"}
    params = {"run": run, "seed": 1, "kind": "distillation"}
    params |= {"model": check("model", model | changes.pop("model", {}), "test")}
    params["loss"] = check("loss", {"name": "distillation"} | changes.pop("loss", {}), "test")
    params["training"] = check("training", {"epochs": 1, "teacher": teacher}, "test")
    params |= {"augment": check("augment", {}, "test")}
    params["image"] = check("image", {"size": 32}, "test")
    params["task"] = {"heads": HEADS, "text": params["model"]["text"]}
    return params | ({"teacher": {"run": teacher, "model": {"dim": 16}}} if teacher else {})


def test_the_losses_of_a_search_are_measured_on_a_student_that_was_trained(tmp_path, archive):
    params = params_of(archive)
    train(tmp_path, params)
    job = job_of(tmp_path / "results", params)
    found = measure(job, {"distillation": params}, job.out / "best_model.pt")
    one = found["losses"]["distillation"]["sizes"]
    # Two labels of eight images; an encoder from elsewhere is asked at its own size alone.
    assert list(one) == ["32"] and one["32"]["n"] == 16 and one["32"]["error"] < 0.02
    assert found["element"] == "images, for each label" and found["images"] == 8


def job_of(out, params, answers=None):
    task, rows = Distillation(params["task"]), (ROWS[:16], ROWS[16:])
    return make_job(out, params, IMAGES, rows, task, teacher_answers=answers)


def train(folder, params, answers=None):
    train_fold(job_of(folder / "results", params, answers))
    return folder / "results" / "best_model.pt"


@pytest.fixture(scope="module")
def taught(archive, tmp_path_factory):
    """A teacher trained on the first 16, its answers, and what its model says by itself."""
    folder = tmp_path_factory.mktemp("teacher")
    params = params_of(archive, "teacher", who="teacher", model={"dim": 16})
    model = train(folder, params)
    teach_fold(job_of(folder, params), model, folder / "t.npz")
    return folder / "t.npz"


def test_crossed_answers_are_of_teachers_that_did_not_see_the_image(archive, tmp_path):
    params = params_of(archive, "teacher", who="teacher", model={"dim": 16})
    labels = ["label_modality", "label_place"]
    halves = list(dealt(ROWS[:16], labels))
    for learnt, asked in halves:
        assert not {row["group"] for row in learnt} & {row["group"] for row in asked}
        assert len(learnt) == len(asked) == 8
        # Each half has all four pairs of labels.
        assert len({tuple(row[name] for name in labels) for row in asked}) == 4
    dealt_once = sorted(row["sample"] for _, asked in halves for row in asked)
    assert dealt_once == [row["sample"] for row in ROWS[:16]]
    job = job_of(tmp_path / "fold_1" / "results", params)
    teach_crossed(job, tmp_path / "crossed.npz")
    found = teacher_targets(tmp_path / "crossed.npz", ROWS[:16], ROWS[16:])
    # The same teacher, trained on the other half by itself, says the same of the first image.
    learnt, asked = next(half for half in halves if ROWS[0] in half[1])
    # Half of the images do not fill a batch of 16.
    smaller = params | {"training": params["training"] | {"batch_size": len(learnt)}}
    alone = make_job(tmp_path / "alone", smaller, IMAGES, (learnt, asked), job.task)
    train_fold(alone)
    with np.load(_taught(alone, asked, tmp_path)) as one:
        place = one["content"].tolist().index(ROWS[0]["content"])
        expected = one["logits_modality"][place]
    assert found["teacher_logits_modality"][0] == pytest.approx(expected, abs=1e-6)
    assert not (tmp_path / "fold_1" / "crossed").exists()
    # A student learns from them as from any other.
    student = params_of(archive, teacher="teacher")
    assert train(tmp_path / "student", student, tmp_path / "crossed.npz").exists()


def _taught(job, asked, folder):
    """What a trained teacher answers for these rows."""
    teach_fold(replace(job, rows={"train": asked}), job.out / "best_model.pt", folder / "one.npz")
    return folder / "one.npz"


TOKENS = ("input_ids", "attention_mask")
TERMS = ["feature", "contrastive", "relational_distance", "relational_angle", "mmd"]


def test_a_student_learns_from_answers_and_every_weight_is_trained(archive, taught, tmp_path):
    loss = dict.fromkeys(TERMS, 0.5) | {"beta": 1}
    params = params_of(archive, teacher="teacher", loss=loss)
    task = Distillation(params["task"])
    model = task.build(params, 1)
    model.trainable("all")
    targets = task.targets(ROWS[:16]) | teacher_targets(taught, ROWS[:16], ROWS[16:])
    batch = {name: torch.from_numpy(values) for name, values in targets.items()}
    batch["image"] = torch.rand(16, 1, 32, 32)
    terms = task.loss(model, task.criterion(params, targets), batch)
    assert set(terms) == {"loss", "cross_entropy", "soft_targets", *TERMS}
    parts = [terms["cross_entropy"], terms["soft_targets"], *(0.5 * terms[name] for name in TERMS)]
    assert terms["loss"].item() == pytest.approx(sum(parts).item(), rel=1e-5)
    terms["loss"].backward()
    grads = {n: p.grad for n, p in model.head.named_parameters()}
    still = [name for name, grad in grads.items() if grad is None or not grad.any()]
    assert not still


def test_without_terms_that_need_it_there_is_no_map_to_the_teacher(archive):
    names = dict(
        Distillation(params_of(archive)["task"]).build(params_of(archive), 1).named_modules()
    )
    assert "head.match" not in names
    params = params_of(archive, teacher="teacher", loss={"relational_angle": 1})
    assert "head.match" not in dict(Distillation(params["task"]).build(params, 1).named_modules())


def test_answers_are_what_the_teacher_says_of_the_plain_image(archive, taught):
    params = params_of(archive, "teacher", who="teacher", model={"dim": 16})
    task, weights = Distillation(params["task"]), taught.parent / "results" / "best_model.pt"
    kept = load_model(job_of(taught.parent, params), weights)
    answers = teacher_targets(taught, ROWS[:16][::-1], ROWS[16:])
    pixels = torch.from_numpy(IMAGES.pixels[:16][::-1].copy()) / 255
    tokens = [torch.from_numpy(task.targets(ROWS[:16][::-1])[n]) for n in TOKENS]
    with torch.inference_mode():
        (mean,), (std,) = kept.normalise
        expected = kept.model((pixels - mean) / std, *tokens)
    for head in HEADS:
        found = torch.from_numpy(answers[f"teacher_logits_{head}"])
        assert torch.allclose(found, expected.logits[head], atol=1e-4)
    assert torch.allclose(torch.from_numpy(answers["teacher_fused"]), expected.fused, atol=1e-4)


def test_students_with_and_without_teacher_train_and_predict(archive, taught, tmp_path):
    for number, teacher in enumerate((None, "teacher")):
        params = params_of(archive, teacher=teacher)
        folder = tmp_path / str(number)
        model = train(folder, params, taught if teacher else None)
        out = folder / "p.csv", folder / "e.npy"
        predict_fold(job_of(folder, params), model, *out)
        assert np.load(folder / "e.npy").shape == (8, 8)
        history = json.loads((folder / "results" / "train_history.json").read_text())
        assert ("train_soft_targets" in history["epochs"][0]) == bool(teacher)


def test_a_teacher_of_other_folds_is_refused(taught, tmp_path):
    with pytest.raises(FoldwiseError, match=r"other folds.*lacks 8 of 16"):
        teacher_targets(taught, ROWS[8:], ROWS[:2])
    with pytest.raises(FoldwiseError, match="trained on 1 of 2"):
        teacher_targets(taught, ROWS[:8], [ROWS[8], ROWS[20]])
    with pytest.raises(FoldwiseError, match=r"No answers of a teacher.*training\.teacher"):
        teacher_targets(tmp_path / "none.npz", ROWS[:8], ROWS[8:])


def test_answers_are_the_same_bytes_again(archive, taught, tmp_path):
    params = params_of(archive, "teacher", who="teacher", model={"dim": 16})
    model = taught.parent / "results" / "best_model.pt"
    again = tmp_path / "again.npz"
    teach_fold(job_of(tmp_path, params), model, again)
    assert again.read_bytes() == taught.read_bytes()


def test_labels_of_one_class_and_missing_texts_and_tokenizers_are_named(archive):
    params = params_of(archive)
    task = Distillation(params["task"])
    one = [row | {"label_place": "head"} for row in ROWS]
    with pytest.raises(FoldwiseError, match=r"one place only, head.*data\.heads"):
        task.criterion(params, task.targets(one))
    with pytest.raises(FoldwiseError, match="1 of 24 samples have no text"):
        task.targets([ROWS[0] | {"texts": {"caption": ""}}, *ROWS[1:]])
    lost = Distillation(params["task"] | {"text": {"name": "./nowhere", "max_tokens": 8}})
    with pytest.raises(FoldwiseError, match=r"model\.text\.name: no folder \./nowhere"):
        lost.targets(ROWS)
    assert arrays_digest(task.targets(ROWS)) == arrays_digest(task.targets(list(ROWS)))


def test_features_of_a_teacher_reach_the_student_standardised(archive, taught):
    task = Distillation(params_of(archive)["task"])
    answers = teacher_targets(taught, ROWS[:16], ROWS[16:])
    answers["teacher_fused"][:, 0] = 3.5
    found = task.student_targets(answers)["teacher_fused"]
    expected = StandardScaler().fit_transform(answers["teacher_fused"].astype(np.float64))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert found.dtype == np.float32
    assert not found[:, 0].any()


def knowing(archive, taught, out, sharpness):
    """A file of answers that are all right, the surer the sharper."""
    with np.load(taught) as stored:
        arrays = {name: stored[name] for name in stored.files}
    task = Distillation(params_of(archive)["task"])
    place = {row["content"]: row for row in ROWS}
    labels = task.targets([place[content] for content in arrays["content"].tolist()])
    for head in HEADS:
        arrays[f"logits_{head}"] = (np.eye(2)[labels[f"label_{head}"]] * sharpness).astype("f4")
    np.savez(out, **arrays)
    return out


def test_facts_of_a_teacher_are_scikit_learns_and_scipys(archive, taught):
    task = Distillation(params_of(archive)["task"])
    answers = teacher_targets(taught, ROWS[:16], ROWS[16:])
    targets = task.targets(ROWS[:16]) | answers
    logits = [answers[f"teacher_logits_{head}"] for head in HEADS]
    labels = [targets[f"label_{head}"] for head in HEADS]
    pairs = zip(labels, logits, strict=True)
    right = np.mean([accuracy_score(y, z.argmax(axis=1)) for y, z in pairs])
    entropy = np.mean([stats.entropy(special.softmax(z, axis=1), axis=1) for z in logits])
    found = task.teacher_facts(targets)
    assert found == {"right": pytest.approx(right), "entropy": pytest.approx(entropy, rel=1e-5)}


@pytest.mark.parametrize(("sharpness", "warned"), [(9.0, True), (2.0, False)])
def test_a_teacher_that_knows_its_training_part_by_heart_is_warned_of(
    archive, taught, tmp_path, caplog, sharpness, warned
):
    answers = knowing(archive, taught, tmp_path / "t.npz", sharpness)
    train(tmp_path, params_of(archive, teacher="teacher"), answers)
    history = json.loads((tmp_path / "results" / "train_history.json").read_text())
    texts = [one["text"] for one in history["warnings"]]
    assert bool(texts) == ("by heart (100.0% right" in caplog.text) == warned
    assert all(text.startswith("Fold 1: The teacher knows its training part") for text in texts)


def test_a_student_costs_what_it_would_without_the_map_to_its_teacher(archive, taught, tmp_path):
    costs = []
    for number, weight in enumerate((0, 1)):
        params, folder = params_of(archive, teacher="teacher", loss={"feature": weight}), tmp_path
        model = train(folder / str(number), params, taught)
        stored = torch.load(model, weights_only=True)["state_dict"]
        assert ("head.match.weight" in stored) == bool(weight)
        cost = model_cost(job_of(folder / str(number), params), model)
        costs.append((cost["parameters"], cost["megabytes"]))
    assert costs[0] == costs[1]
