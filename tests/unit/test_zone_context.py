"""Zone scores in the light of the other zones: numpy's least squares, nothing of the own label."""

import numpy as np
import pytest

from foldwise.reliability.parts import zone_parts
from foldwise.reliability.suspects import confident_learning
from foldwise.reliability.zone_context import LEAST_GROUPS, far_ones, in_context, ridge

ZONES = [f"zone_{name}" for name in "abcdef"]
UNKNOWN = 4


def films(n=150, seed=0, see=0.5):
    """Scores (N, Z) that rise and fall together, and (N, Z, 5) probabilities of a weak model."""
    random = np.random.default_rng(seed)
    ill = random.normal(1.5, 1, (n, 1)) + random.normal(0, 0.4, (n, len(ZONES)))
    scores = np.clip(np.round(ill), 0, 3).astype(int)
    seen = see * ill + (1 - see) * 1.5 + random.normal(0, 0.6, ill.shape)
    p = np.exp(-((np.arange(4) - seen[..., None]) ** 2))
    p = np.concatenate([0.95 * p / p.sum(-1, keepdims=True), np.full((*ill.shape, 1), 0.05)], -1)
    return scores, p


def parts_of(scores, p, groups=None):
    """The parts of a prediction table of five folds."""
    groups = np.arange(len(scores)) if groups is None else groups
    rows = [
        {"sample": f"s{i}", "group": f"g{groups[i]}", "fold": str(groups[i] % 5)}
        | {f"label_{zone}": str(scores[i, z]) for z, zone in enumerate(ZONES)}
        | {
            f"p_{zone}_{k}": repr(float(p[i, z, k]))
            for z, zone in enumerate(ZONES)
            for k in range(5)
        }
        for i in range(len(scores))
    ]
    return zone_parts(rows, ZONES)


def probabilities(parts):
    return np.stack([part.probabilities for part in parts], axis=1)


def test_the_ridge_is_least_squares_with_a_penalty_as_further_rows():
    random = np.random.default_rng(1)
    x, asked = random.normal(1, 2, (40, 5)), random.normal(0, 1, (7, 3, 5))
    y = x @ random.normal(0, 1, 5) + random.normal(0, 0.3, 40)
    middle, level = x.mean(axis=0), y.mean()
    # Each weight's square counts as a residual: a row of one, to be met by zero.
    rows, ends = np.vstack([x - middle, np.eye(5)]), np.append(y - level, np.zeros(5))
    weights, *_ = np.linalg.lstsq(rows, ends, rcond=None)
    foretold, spread = ridge(x, y, asked)
    assert foretold == pytest.approx((asked - middle) @ weights + level)
    assert spread == pytest.approx(np.sqrt(np.mean((y - level - (x - middle) @ weights) ** 2)))


@pytest.mark.parametrize("seed", range(3))
def test_planted_scores_come_first_where_the_model_alone_sees_few(seed):
    scores, p = films(seed=seed)
    random, (n, zones) = np.random.default_rng(seed), scores.shape
    planted = random.choice(scores.size, scores.size // 20, replace=False)
    given = scores.ravel().copy()
    # Two steps or three: by one, two readers differ as well.
    given[planted] = (given[planted] + 2) % 4

    def precision(parts):
        suspects = [confident_learning(part.labels, part.probabilities) for part in parts]
        ranked = sorted(
            (one.own[i], i * zones + z) for z, one in enumerate(suspects) for i in one.order
        )
        return np.isin([place for _, place in ranked[: len(planted)]], planted).mean()

    parts = parts_of(given.reshape(n, zones), p)
    assert precision(in_context(parts)) > max(0.5, 1.3 * precision(parts))


def test_no_score_has_a_say_in_what_is_foretold_of_itself():
    scores, p = films()
    before = probabilities(in_context(parts_of(scores, p)))
    changed = scores.copy()
    changed[7, 2] = (changed[7, 2] + 2) % 4
    after = probabilities(in_context(parts_of(changed, p)))
    assert np.array_equal(before[7, 2], after[7, 2])
    # The other zones of the image are seen beside another score, and the other folds learn it.
    assert (before[7, [0, 1, 3, 4, 5]] != after[7, [0, 1, 3, 4, 5]]).any(axis=1).all()
    same_fold = np.arange(len(scores)) % 5 == 7 % 5
    same_fold[7] = False
    assert np.array_equal(before[same_fold], after[same_fold])


def test_unknown_is_left_to_the_model_and_is_no_score():
    scores, p = films()
    scores[3], scores[4, 1:] = UNKNOWN, UNKNOWN
    p[5, 0] = [0, 0, 0, 0, 1]
    found = probabilities(in_context(parts_of(scores, p)))
    assert found[..., UNKNOWN] == pytest.approx(p[..., UNKNOWN])
    assert np.isfinite(found).all() and found.sum(axis=-1) == pytest.approx(np.ones(scores.shape))
    # Beside nothing but unknown zones the model's own answer is all there is: higher, worse.
    alone = found[3, :, :UNKNOWN] @ np.arange(UNKNOWN)
    seen = p[3, :, :UNKNOWN] @ np.arange(UNKNOWN)
    assert np.corrcoef(alone, seen)[0, 1] > 0.5


def test_few_groups_or_one_zone_have_no_context():
    scores, p = films(200)
    for groups, there in ((LEAST_GROUPS, False), (2 * LEAST_GROUPS, True)):
        parts = parts_of(scores, p, np.arange(200) % groups)
        assert (in_context(parts) is not None) == there
    assert in_context(parts_of(scores, p)[:1]) is None
    assert in_context(parts_of(scores[:0], p[:0])) is None


def test_a_neighbouring_score_is_no_suspect_and_unknown_is_none_of_any():
    given, guess = np.array([0, 0, 3, UNKNOWN, 2, 1]), np.array([1, 2, UNKNOWN, 3, 0, 0])
    assert list(far_ones(np.array([5, 4, 3, 2, 1, 0]), guess, given)) == [4, 3, 2, 1]
