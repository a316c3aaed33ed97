"""The distillation terms against scipy, scikit-learn and loops; what multiplies what."""

from functools import partial
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy import special, stats
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import log_loss
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel

from foldwise.losses import distillation as terms
from foldwise.models.vision_text import VisionTextOutput


def features(samples=6, dim=5, seed=0):
    return np.random.default_rng(seed).normal(size=(samples, dim))


STUDENT, TEACHER = features(seed=1), features(seed=2)


def value(function, *arrays, **more):
    return function(*map(torch.tensor, arrays), **more).item()


def term(name):
    """A function of student and teacher alone."""
    function = getattr(terms, name)
    return partial(function, tau=0.1) if name == "contrastive" else function


def huber(difference):
    return np.mean(np.where(abs(difference) < 1, difference**2 / 2, abs(difference) - 0.5))


def test_soft_targets_are_scipys_relative_entropy():
    student, teacher = special.softmax(STUDENT / 3, 1), special.softmax(TEACHER / 3, 1)
    expected = 9 * np.mean([stats.entropy(t, s) for s, t in zip(student, teacher, strict=True)])
    found = value(terms.soft_targets, STUDENT, TEACHER, temperature=3.0)
    assert found == pytest.approx(expected, rel=1e-5)


def test_contrastive_is_the_log_loss_of_finding_the_own_teacher():
    p = special.softmax(cosine_similarity(STUDENT, TEACHER) / 0.1, axis=1)
    expected = log_loss(np.arange(6), p)
    assert value(terms.contrastive, STUDENT, TEACHER, tau=0.1) == pytest.approx(expected, rel=1e-5)


def test_relational_distance_is_scipys_distances():
    student, teacher = pdist(STUDENT), pdist(features(dim=8, seed=3))
    expected = huber(student / student.mean() - teacher / teacher.mean())
    found = value(terms.relational_distance, STUDENT, features(dim=8, seed=3))
    assert found == pytest.approx(expected, rel=1e-5)


def test_relational_angle_is_a_loop_over_triplets():
    def angles(x):
        found = []
        for i, j, k in permutations(range(len(x)), 3):
            a, b = x[i] - x[j], x[k] - x[j]
            found.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        return np.array(found)

    expected = huber(angles(STUDENT) - angles(TEACHER))
    assert value(terms.relational_angle, STUDENT, TEACHER) == pytest.approx(expected, rel=1e-5)


def test_relations_do_not_see_rotation_shift_and_scale():
    rotation = np.linalg.qr(features(5, 5, 9))[0]
    moved = 3.0 * STUDENT @ rotation + 2.0
    for function in (terms.relational_distance, terms.relational_angle):
        assert value(function, STUDENT, moved) == pytest.approx(0, abs=1e-10)
        assert value(function, STUDENT, TEACHER) > 1e-3
        assert value(function, STUDENT[:1], TEACHER[:1]) == 0


def test_mmd_is_the_kernel_two_sample_statistic():
    pooled = np.concatenate([STUDENT, TEACHER])
    gamma = 1 / np.median(pdist(pooled, "sqeuclidean"))
    kernel = rbf_kernel(pooled, gamma=gamma)
    expected = kernel[:6, :6].mean() + kernel[6:, 6:].mean() - 2 * kernel[:6, 6:].mean()
    assert value(terms.mmd, STUDENT, TEACHER) == pytest.approx(expected, rel=1e-4)
    assert value(terms.mmd, STUDENT, STUDENT[::-1].copy()) == pytest.approx(0, abs=1e-6)
    assert squareform(pdist(pooled)).shape == (12, 12)


@pytest.mark.parametrize("name", terms.TERMS)
def test_gradients_agree_with_differences_and_the_teacher_stays(name, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor)
    student = torch.tensor(STUDENT[:4], requires_grad=True)
    teacher = torch.tensor(TEACHER[:4])
    function = term(name)
    # The kernel's width counts as a constant, which differences of the student would move.
    if name != "mmd":
        assert torch.autograd.gradcheck(lambda x: function(x, teacher), (student,))
    optimizer = torch.optim.SGD([student], lr=0.05)
    before = function(student, teacher).item()
    for _ in range(20):
        optimizer.zero_grad()
        function(student, teacher).backward()
        optimizer.step()
    assert function(student, teacher).item() < before


@pytest.mark.parametrize("name", terms.TERMS)
def test_equal_samples_give_finite_gradients(name):
    student = torch.ones(4, 5, requires_grad=True)
    term(name)(student, torch.ones(4, 5)).backward()
    assert student.grad.isfinite().all()


def output(seed):
    rng = np.random.default_rng(seed)

    def tensor(*shape):
        return torch.tensor(rng.normal(size=shape), dtype=torch.float32, requires_grad=True)

    logits = {"modality": tensor(4, 2), "location": tensor(4, 5)}
    return VisionTextOutput(logits, tensor(4, 6), tensor(4, 6), tensor(4, 6), tensor(4, 6))


def test_each_setting_multiplies_its_own_term():
    student, teacher = output(1), output(2)
    targets = {"modality": torch.tensor([0, 1, 0, 1]), "location": torch.tensor([4, 0, 2, 1])}
    weights = dict(zip(terms.TERMS, (2.0, 3.0, 5.0, 7.0, 11.0), strict=True))
    criterion = terms.distillation(
        {"alpha": 0.5, "beta": 13.0, "temperature": 2.0, "tau": 0.1} | weights
    )
    found = criterion(student, teacher, targets)
    expected = 0.5 * found["cross_entropy"] + 13.0 * found["soft_targets"]
    expected = expected + sum(weight * found[name] for name, weight in weights.items())
    assert torch.allclose(found["loss"], expected)
    ce = [
        log_loss(y, special.softmax(student.logits[n].detach().numpy(), 1), labels=range(k))
        for (n, y), k in zip(targets.items(), (2, 5), strict=True)
    ]
    assert found["cross_entropy"].item() == pytest.approx(np.mean(ce), rel=1e-5)
    matched, fused = student.matched.detach().numpy(), teacher.fused.detach().numpy()
    assert found["feature"].item() == pytest.approx(((matched - fused) ** 2).mean(), rel=1e-5)


def test_without_a_teacher_the_labels_alone_count():
    student = output(1)
    targets = {"modality": torch.tensor([0, 1, 0, 1]), "location": torch.tensor([4, 0, 2, 1])}
    found = terms.distillation({"alpha": 0.5, "feature": 1.0})(student, None, targets)
    assert set(found) == {"loss", "cross_entropy"}
    assert found["loss"] == found["cross_entropy"]
