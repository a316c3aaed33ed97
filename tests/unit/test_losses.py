"""Losses against scikit-learn, scipy, torch and published values; gradients against differences."""

import numpy as np
import pytest
import torch
from foldwise.errors import FoldwiseError
from foldwise.losses import classes
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

NAMES = "ABCD"
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 3])


def draw(samples=40, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(size=(samples, n_classes)) * 2)
    return logits, torch.tensor(rng.integers(0, n_classes, samples))


def gradients_agree(loss, logits, *rest):
    """Automatic against numeric gradient, in float64 (the losses' cast to float32 is lifted)."""
    logits = logits.double().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", lambda tensor: tensor)
        return torch.autograd.gradcheck(lambda x: loss.double()(x, *rest), (logits,))


def test_class_weights_are_scikit_learns():
    found = classes.class_weights(LABELS, NAMES, "balanced")
    expected = compute_class_weight("balanced", classes=np.arange(4), y=LABELS)
    assert np.allclose(found, expected)
    # Published form: (N / n_c)^alpha over its mean, here by hand for alpha = .5.
    root = np.sqrt(10 / np.array([4, 2, 3, 1]))
    assert np.allclose(classes.class_weights(LABELS, NAMES, 0.5), root / root.mean())
    assert classes.class_weights(LABELS, NAMES, "none") is None
    with pytest.raises(FoldwiseError, match="no sample of class E"):
        classes.class_weights(LABELS, "ABCDE", "balanced")


def test_cross_entropy_is_scikit_learns_log_loss():
    logits, target = draw()
    weights = classes.class_weights(LABELS, NAMES, "balanced")
    p = logits.softmax(1).numpy()
    plain = classes.cross_entropy({"class_weights": "none"}, LABELS, NAMES)
    weighted = classes.cross_entropy({"class_weights": "balanced"}, LABELS, NAMES)
    assert plain(logits, target).item() == pytest.approx(log_loss(target, p), rel=1e-6)
    expected = log_loss(target, p, sample_weight=weights.numpy()[target])
    assert weighted(logits, target).item() == pytest.approx(expected, rel=1e-6)


def test_label_smoothing_is_cross_entropy_to_a_smoothed_target():
    logits, target = draw()
    loss = classes.cross_entropy({"label_smoothing": 0.2}, LABELS, NAMES)
    soft = nn.functional.one_hot(target, 4) * 0.8 + 0.05
    expected = -(soft * logits.log_softmax(1)).sum(1).mean()
    assert loss(logits, target).item() == pytest.approx(expected.item(), rel=1e-6)


def test_focal_is_its_formula_and_cross_entropy_at_gamma_zero():
    logits, target = draw()
    p = logits.softmax(1).gather(1, target[:, None])[:, 0].numpy()
    found = classes.focal({"gamma": 2}, LABELS, NAMES)(logits, target).item()
    assert found == pytest.approx(np.mean(-((1 - p) ** 2) * np.log(p)), rel=1e-5)
    for scheme in ("none", "balanced"):
        settings = {"class_weights": scheme, "gamma": 0}
        same = classes.cross_entropy(settings, LABELS, NAMES)(logits, target)
        assert classes.focal(settings, LABELS, NAMES)(logits, target).item() == pytest.approx(
            same.item()
        )


@pytest.mark.parametrize("name", ["cross_entropy", "focal"])
def test_class_losses_are_smooth_and_stay_finite(name):
    logits, target = draw(6)
    loss = getattr(classes, name)({"class_weights": "balanced"}, LABELS, NAMES)
    assert gradients_agree(loss, logits, target)
    loss = loss.float()
    sure = torch.full((3, 4), -90.0, dtype=torch.bfloat16)
    sure[:, 1] = 90.0
    sure.requires_grad_()
    for target in (torch.tensor([1, 1, 1]), torch.tensor([0, 2, 3])):
        value = loss(sure, target)
        value.backward()
        assert value.dtype == torch.float32
        assert value.isfinite()
        assert sure.grad.isfinite().all()
