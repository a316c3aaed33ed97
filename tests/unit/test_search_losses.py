"""Losses of a search as measured: gradients, focusing, shares of pixels."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from analysed import searched_by
from foldwise import registry
from foldwise.models.vision_text import VisionTextOutput
from foldwise.search.analysis import gradients
from foldwise.search.analysis.loss_figures import focusing
from foldwise.search.analysis.mathematics import EQUATIONS, factor, mathematics
from foldwise.search.analysis.measure import measure
from foldwise.search.analysis.write import write_analysis
from foldwise.settings.schema import check
from foldwise.tasks.classification import Classification
from foldwise.tasks.distillation import Distillation
from foldwise.tasks.segmentation import Segmentation
from foldwise.tasks.zones import Zones
from training import make_images, make_job, make_params, make_rows, train


def masks():
    torch.manual_seed(0)
    mask = (torch.rand(3, 1, 16, 16) < 0.1).to(torch.uint8)
    return torch.randn(3, 1, 16, 16) * 2 - 2, {"image": torch.zeros(3, 1, 16, 16), "planes": mask}


def images():
    torch.manual_seed(0)
    return torch.randn(9, 4), {"image": torch.zeros(9), "label": torch.arange(9) % 4}


def zones():
    torch.manual_seed(0)
    return torch.randn(5, 6, 5), {"image": torch.zeros(5), "score": torch.arange(30).view(5, 6) % 5}


TASKS = {
    "segmentation": (Segmentation({"threshold": 0.5, "tiles": {}}), masks, registry.MASK_LOSSES),
    "classification": (Classification({"classes": list("ABCD")}), images, registry.CLASS_LOSSES),
    "zones": (
        Zones({"zones": list("abcdef"), "mirror": None, "both_ways": False}),
        zones,
        registry.ZONE_LOSSES,
    ),
}
HEADS = {"modality": ["CT", "MR"], "place": ["head", "chest", "neck"]}


def answered():
    """What a student answers: two labels with two and three classes."""
    torch.manual_seed(0)
    logits = {head: torch.randn(7, len(names)) for head, names in HEADS.items()}
    labels = {f"label_{h}": torch.arange(7) % len(names) for h, names in HEADS.items()}
    return VisionTextOutput(logits, *torch.randn(3, 7, 4)), {"image": torch.zeros(7), **labels,
        "input_ids": torch.zeros(7), "attention_mask": torch.zeros(7)}  # fmt: skip


def test_gradients_over_several_labels_are_those_of_finite_differences():
    task = Distillation({"heads": HEADS, "text": {}})
    criterion = registry.load("LOSSES", "distillation")(check("loss", {}, "test"))
    answer, batch = answered()
    found = gradients.measured(task, criterion, answer, batch, "distillation")
    assert len(found.truth) == len(found.gradient) == 14 and found.error < 0.02
    # Of cross-entropy: dL/dz = (p - y) / N, so that a sample's part is 2 (1 - p of its truth) / N.
    for place, (head, logits) in enumerate(answer.logits.items()):
        truth = logits.softmax(dim=1).gather(1, batch[f"label_{head}"][:, None])[:, 0]
        own = slice(7 * place, 7 * place + 7)
        assert found.truth[own] == pytest.approx(truth.numpy(), abs=1e-6)
        share = found.gradient[own] / (1 - truth.numpy())
        assert share == pytest.approx(np.full(7, share[0]), rel=1e-3)
    every = gradients.report_of(
        task, "distillation", {"distillation": criterion}, {32: [(answer, batch)]}
    )
    one = every["losses"]["distillation"]["sizes"]["32"]
    assert sum(one["gradient"].values()) == pytest.approx(1)
    shape = every["losses"]["distillation"]["shape"]
    assert shape[0]["loss"] > shape[-1]["loss"] > 0


CASES = [(kind, loss) for kind, (_, _, losses) in TASKS.items() for loss in losses]
SETTINGS = {"class_weights": "none", "label_smoothing": 0.0, "gamma": 2.0, "alpha": 0.25}
SETTINGS |= {"unknown_weight": 0.3, "ordinal_weight": 0.5, "false_negative": 0.7}
SETTINGS |= {"false_positive": 0.3, "tversky_gamma": 1.33, "overlap_share": 0.6}
SETTINGS |= {"ramp_epochs": 0, "boundary_weight": 0.0, "boundary_px": 2}


def criterion_of(kind, loss):
    make = registry.load("LOSSES", loss)
    if kind == "segmentation":
        return make(SETTINGS)
    names = list("ABCD") if kind == "classification" else list("01234")
    return make(SETTINGS, np.arange(8) % 4, names)


@pytest.mark.parametrize(("kind", "loss"), CASES)
def test_gradients_are_those_of_finite_differences(kind, loss):
    task, make, _ = TASKS[kind]
    logits, batch = make()
    criterion = criterion_of(kind, loss)
    found = gradients.measured(task, criterion, logits, batch, kind)
    assert found.error < 0.02
    # Element by element as well, where the gradient is large enough for float32.
    place = int(found.gradient.argmax())
    parts = logits.shape[-1] if kind != "segmentation" else 1
    flat, total = logits.flatten(), 0.0
    for index in range(place * parts, (place + 1) * parts):
        ends = []
        for side in (1, -1):
            moved = flat.clone()
            moved[index] += side * 0.05
            answer = moved.view_as(logits)
            ends.append(gradients.loss_of(task, criterion, answer, batch).item())
        total += abs(ends[0] - ends[1]) / 0.1
    assert total == pytest.approx(found.gradient[place], rel=0.05)


def test_the_truths_probability_and_even_answers():
    logits, batch = images()
    truth = gradients.probability_of_truth("classification", logits, batch["label"])
    assert torch.allclose(-truth.log().mean(), functional.cross_entropy(logits, batch["label"]))
    for kind, (task, make, _) in TASKS.items():
        logits, batch = make()
        target = gradients.targets(kind, task, batch)
        even = gradients.answer_of_truth(kind, logits, target, 0.3)
        found = gradients.probability_of_truth(kind, even, target[0])
        assert torch.allclose(found, torch.full_like(found, 0.3), atol=1e-5)


def test_focusing_of_a_focal_loss_is_its_published_factor():
    task, make, _ = TASKS["segmentation"]
    logits, batch = make()
    rows = gradients.shape_of(
        task, criterion_of("segmentation", "binary_focal"), (logits, batch), "segmentation"
    )
    p = np.array([row["truth"] for row in rows])
    size = focusing(p, np.array([row["gradient"] for row in rows]))
    # d/dz of -(1-p)^g log p is (1-p)^g (1 - p - g p log p) with p = sigmoid(z).
    exact = (1 - p) ** 2 * (1 - p - 2 * p * np.log(p)) / (1 - p)
    half = 0.25 * (0.5 - np.log(0.5)) / 0.5
    assert size == pytest.approx(exact / half, rel=1e-3)


def test_shares_of_pixels_and_of_their_gradient_are_counted_and_told(tmp_path):
    task, make, _ = TASKS["segmentation"]
    criteria = {name: criterion_of("segmentation", name) for name in ("dice", "binary_focal")}
    found = gradients.report_of(task, "segmentation", criteria, {16: [make()], 8: [make()]})
    found |= {
        "run": "trial_0003",
        "images": 3,
        "settings": {key: {"gamma": 2.0} for key in criteria},
    }
    one = found["losses"]["dice"]["sizes"]["16"]
    logits, batch = make()
    truth = torch.where(batch["planes"] > 0, logits, -logits).sigmoid()
    assert one["shares"]["hard"] == pytest.approx((truth < 0.5).float().mean().item())
    assert sum(one["gradient"].values()) == pytest.approx(1)
    assert factor(one) == pytest.approx(
        one["gradient"]["hard"]
        / one["shares"]["hard"]
        / (one["gradient"]["easy"] / one["shares"]["easy"])
    )
    text = mathematics("made", found)
    assert f"give {one['gradient']['hard']:.1%} of the gradient" in text
    write_analysis(tmp_path, searched_by([0.1, 0.2, 0.3], loss=["dice", "focal", "dice"]), found)


def test_every_loss_has_its_equation():
    assert set(EQUATIONS) == set(registry.names("LOSSES"))


def test_the_losses_of_a_fold_are_measured_on_its_kept_model(tmp_path):
    params, rows = make_params(training__epochs=1), make_rows(36)
    model = train(tmp_path, params) / "best_model.pt"
    job = make_job(tmp_path / "results", params, make_images(rows), (rows[:24], rows[24:]))
    focal = params | {"loss": check("loss", {"name": "focal"}, "test")}
    found = measure(job, {"cross_entropy": params, "focal": focal}, model)
    assert set(found["losses"]) == set(found["settings"]) == {"cross_entropy", "focal"}
    assert (found["run"], found["images"]) == ("cv", 12)
