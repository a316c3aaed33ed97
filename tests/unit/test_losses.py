"""Losses against scikit-learn, scipy, torch and published values; gradients against differences."""

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from sklearn.metrics import f1_score, log_loss
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from foldwise.errors import FoldwiseError
from foldwise.losses import classes, masks, ordinal, zones
from foldwise.settings.schema import check

NAMES = "ABCD"
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 3])


def draw(samples=40, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(size=(samples, n_classes)) * 2)
    return logits, torch.tensor(rng.integers(0, n_classes, samples))


def of(name, keys):
    return check("loss", {"name": name} | keys, "test")


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
    plain = classes.cross_entropy(of("cross_entropy", {"class_weights": "none"}), LABELS, NAMES)
    weighted = classes.cross_entropy(
        of("cross_entropy", {"class_weights": "balanced"}), LABELS, NAMES
    )
    assert plain(logits, target).item() == pytest.approx(log_loss(target, p), rel=1e-6)
    expected = log_loss(target, p, sample_weight=weights.numpy()[target])
    assert weighted(logits, target).item() == pytest.approx(expected, rel=1e-6)


def test_label_smoothing_is_cross_entropy_to_a_smoothed_target():
    logits, target = draw()
    loss = classes.cross_entropy(of("cross_entropy", {"label_smoothing": 0.2}), LABELS, NAMES)
    soft = nn.functional.one_hot(target, 4) * 0.8 + 0.05
    expected = -(soft * logits.log_softmax(1)).sum(1).mean()
    assert loss(logits, target).item() == pytest.approx(expected.item(), rel=1e-6)


def test_focal_is_its_formula_and_cross_entropy_at_gamma_zero():
    logits, target = draw()
    p = logits.softmax(1).gather(1, target[:, None])[:, 0].numpy()
    found = classes.focal(of("focal", {"gamma": 2}), LABELS, NAMES)(logits, target).item()
    assert found == pytest.approx(np.mean(-((1 - p) ** 2) * np.log(p)), rel=1e-5)
    for scheme in ("none", "balanced"):
        weighted = {"class_weights": scheme}
        same = classes.cross_entropy(of("cross_entropy", weighted), LABELS, NAMES)(logits, target)
        assert classes.focal(of("focal", weighted | {"gamma": 0}), LABELS, NAMES)(
            logits, target
        ).item() == pytest.approx(same.item())


@pytest.mark.parametrize("name", ["cross_entropy", "focal"])
def test_class_losses_are_smooth_and_stay_finite(name):
    logits, target = draw(6)
    loss = getattr(classes, name)(of(name, {"class_weights": "balanced"}), LABELS, NAMES)
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


def test_squared_emd_is_the_ranked_probability_score():
    logits, target = draw(50, 5)
    p = logits.softmax(1).numpy()
    expected = []
    for row, label in zip(p, target.numpy(), strict=True):
        forecast = np.cumsum(row)[:-1]
        observed = np.cumsum(np.eye(5)[label])[:-1]
        expected.append(((forecast - observed) ** 2).sum() / 4)
    found = ordinal.ordinal(of("ordinal", {}), target.numpy(), "abcde")(logits, target)
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-5)


def test_squared_emd_of_sure_answers_is_their_squared_energy_distance():
    # Between two point masses scipy's energy distance is sqrt(2 |i - j|), the EMD |i - j| / (K-1).
    for i in range(4):
        for j in range(4):
            sure = torch.full((1, 4), -60.0)
            sure[0, i] = 60.0
            found = ordinal.squared_emd(sure, torch.tensor([j])).item()
            assert found == pytest.approx(stats.energy_distance([i], [j]) ** 2 / 2 / 3, abs=1e-6)


def test_cumulative_loss_is_the_mean_log_loss_of_its_questions():
    logits, target = draw(50, 5)
    p = logits.softmax(1).numpy()
    questions = [
        log_loss(target.numpy() > k, p[:, k + 1 :].sum(1), labels=[False, True]) for k in range(4)
    ]
    found = ordinal.ordinal_cumulative(of("ordinal_cumulative", {}), target.numpy(), "abcde")(
        logits, target
    )
    assert found.item() == pytest.approx(np.mean(questions), rel=1e-5)


@pytest.mark.parametrize("name", ["ordinal", "ordinal_cumulative"])
def test_ordinal_losses_charge_more_for_farther_misses(name):
    loss = getattr(ordinal, name)(of(name, {}), LABELS, NAMES)
    near, far = torch.tensor([[0.0, 0.0, 6.0, 0.0]]), torch.tensor([[0.0, 0.0, 0.0, 6.0]])
    assert loss(near, torch.tensor([1])) < loss(far, torch.tensor([1]))
    logits, target = draw(6)
    assert gradients_agree(loss, logits, target)


def zone_batch():
    rng = np.random.default_rng(2)
    logits = torch.tensor(rng.normal(size=(5, 6, 5)))
    return logits, torch.tensor(rng.integers(0, 5, (5, 6)))


def test_zone_loss_weighs_unknown_as_scikit_learn_does():
    logits, target = zone_batch()
    p, flat = logits.softmax(2).flatten(0, 1).numpy(), target.flatten().numpy()
    expected = log_loss(flat, p, sample_weight=np.where(flat == 4, 0.3, 1.0))
    values = ["0", "1", "2", "3", "unknown"]
    found = zones.zone_cross_entropy(
        of("zone_cross_entropy", {"unknown_weight": 0.3}), target.numpy(), values
    )
    assert found(logits, target).item() == pytest.approx(expected, rel=1e-6)
    term = zones.zone_ordinal(
        {"unknown_weight": 0.3, "ordinal_weight": 2.0}, target.numpy(), values
    )
    known = flat != 4
    score = np.cumsum(logits[..., :4].softmax(2).flatten(0, 1).numpy(), axis=1)[known, :3]
    steps = np.arange(3) >= flat[known, None]
    emd = ((score - steps) ** 2).mean(1).mean()
    assert term(logits, target).item() == pytest.approx(expected + 2 * emd, rel=1e-5)
    assert gradients_agree(term, logits, target)


def test_zone_loss_of_unknown_zones_alone_is_finite():
    loss = zones.zone_ordinal(of("zone_ordinal", {}), np.full((1, 6), 4), list("0123u"))
    logits = torch.zeros(1, 6, 5, requires_grad=True)
    loss(logits, torch.full((1, 6), 4)).backward()
    assert logits.grad.isfinite().all()


# The published values for these four pixels.
PIXELS = torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, 1, 2, 2)
LOGITS = torch.tensor([0.9, 0.1, 0.8, 0.2], dtype=torch.float64).logit().view(1, 1, 2, 2)
GOLDEN = {
    "binary_focal": 0.001247,
    "dice": 0.15,
    "tversky": 0.150000,
    "focal_tversky": 0.080205,
    "combined": 0.105374,
    "combined_tversky": 0.090499,
}


@pytest.mark.parametrize("name", GOLDEN)
def test_mask_losses_give_the_published_values(name):
    loss = getattr(masks, name)(of(name, {}))
    assert loss(LOGITS, PIXELS).item() == pytest.approx(GOLDEN[name], abs=5e-7)
    assert loss(LOGITS, PIXELS.byte()).item() == pytest.approx(GOLDEN[name], abs=5e-7)
    assert gradients_agree(loss, LOGITS, PIXELS)


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("filled", [0.0, 1.0])
@pytest.mark.parametrize("size", [80.0, -80.0])
def test_mask_losses_stay_finite_for_empty_and_full_masks(name, filled, size):
    logits = torch.full((2, 1, 4, 4), size, dtype=torch.bfloat16, requires_grad=True)
    value = getattr(masks, name)(of(name, {}))(logits, torch.full((2, 1, 4, 4), filled))
    value.backward()
    assert value.dtype == torch.float32
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def test_dice_loss_of_a_sure_answer_is_one_minus_f1():
    rng = np.random.default_rng(4)
    truth, answer = rng.integers(0, 2, (2, 1, 8, 8)), rng.integers(0, 2, (2, 1, 8, 8))
    found = masks.dice(of("dice", {}))(
        torch.tensor(answer * 200.0 - 100), torch.tensor(truth)
    ).item()
    assert found == pytest.approx(1 - f1_score(truth.ravel(), answer.ravel()), abs=1e-6)


def test_the_share_of_dice_grows_over_thirty_epochs():
    loss = masks.combined(of("combined", {"ramp_epochs": 30}))
    shares = {epoch: loss.share(epoch) for epoch in (0, 15, 30, 90, None)}
    assert shares == pytest.approx({0: 0.5, 15: 0.6, 30: 0.7, 90: 0.7, None: 0.7})
    expected = 0.5 * 0.15 + 0.5 * 0.0012474
    assert loss(LOGITS, PIXELS, epoch=0).item() == pytest.approx(expected, abs=1e-6)


def test_edges_are_those_of_scipys_morphology():
    rng = np.random.default_rng(5)
    mask = ndimage.gaussian_filter(rng.normal(size=(40, 40)), 3) > 0
    for width in (1, 2):
        box = np.ones((2 * width + 1,) * 2)
        dilated = ndimage.binary_dilation(mask, box)
        eroded = ndimage.binary_erosion(mask, box, border_value=1)
        found = masks.edge_weights(torch.tensor(mask[None, None]).float(), 4.0, width)
        assert np.array_equal(found[0, 0].numpy(), 1 + 4.0 * (dilated & ~eroded))


def test_boundary_weight_charges_more_for_a_miss_at_the_edge():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 1
    answer = 8 * (2 * mask - 1)
    at_edge, far_off = answer.clone(), answer.clone()
    at_edge[..., 4, 6], far_off[..., 8, 8] = -8, -8
    for name in GOLDEN:
        loss = getattr(masks, name)(of(name, {"boundary_weight": 3.0, "boundary_px": 1}))
        assert loss(at_edge, mask) > loss(far_off, mask)
