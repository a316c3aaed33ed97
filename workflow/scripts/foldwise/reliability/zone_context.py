"""What the other zones of an image and the model's own answer together say of a zone's score.

Zones of one film are scored by one reader and fall ill together, so a score that stands out from
the others of its image is worth a look even where the model sees little. A ridge regression (Hoerl
& Kennard 1970, Technometrics 12:55-67) foretells each score from the model's out-of-fold mean score
of the zone and from the scores given to the image's other zones, and is fitted to the other folds,
as in stacking (Wolpert 1992, Neural Networks 5:241-259). Its residuals' normal distribution, cut
halfway between scores as in the ordered probit model (McKelvey & Zavoina 1975, Journal of
Mathematical Sociology 4:103-120), turns what is foretold into a probability of each score.

A neighbouring score is no ground for suspicion: on the films of docs/statistics.md two radiologists
differ by one step in a third of the zones, by more in one of twenty.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr
from sklearn.linear_model import Ridge

from foldwise.evaluate.metrics.zone_counts import UNKNOWN
from foldwise.reliability.parts import Part, crossed

PENALTY = 1.0  # of the squared weights; scikit-learn's default, as features are scores of 0 to 3
# Groups to fit on: below, a weight for each zone is more than they can say.
LEAST_GROUPS = 20
TINY = 1e-12  # in the place of 0 below a fraction


def in_context(parts: Sequence[Part]) -> list[Part] | None:
    """The zones of a study, with probabilities (N, 5) in the light of the other zones.

    The model alone says how likely "unknown" is, which is no score. None for a single zone, and
    where the groups outside of a fold that have a score are fewer than LEAST_GROUPS.
    """
    if len(parts) < 2 or not len(parts[0].labels):
        return None
    given = np.stack([part.labels for part in parts], axis=1)
    p = np.stack([part.probabilities for part in parts], axis=1)
    features, scored = _features(given, p), given != UNKNOWN
    probabilities = p.copy()
    for fitted, judged in crossed(parts[0]):
        learnt = fitted[:, None] & scored
        groups = len(np.unique(parts[0].group[learnt.any(axis=1)]))
        if groups < LEAST_GROUPS:
            return None
        foretold, spread = ridge(features[learnt], given[learnt], features[judged])
        probabilities[judged] = _probabilities(foretold, spread, p[judged, :, UNKNOWN])
    return [replace(part, probabilities=probabilities[:, z]) for z, part in enumerate(parts)]


def far_ones(places: np.ndarray, guess: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Those of `places` where guess (N,) and given score (N,) are no neighbours.

    "Unknown" is none of any score.
    """
    scored = (guess[places] != UNKNOWN) & (given[places] != UNKNOWN)
    return places[~scored | (np.abs(guess - given)[places] > 1)]


def _features(given: np.ndarray, p: np.ndarray) -> np.ndarray:
    """(N, Z, 2 + Z): the model's mean score, the mean of the image's other scores, which zone."""
    n, zones = given.shape
    scored = p[..., :UNKNOWN]
    expected = scored @ np.arange(UNKNOWN) / np.maximum(scored.sum(axis=-1), TINY)
    has_score = given != UNKNOWN
    scores = np.where(has_score, given, 0)
    others = has_score.sum(axis=1, keepdims=True) - has_score
    mean = (scores.sum(axis=1, keepdims=True) - scores) / np.maximum(others, 1)
    # Where no other zone has a score there is no context but the model.
    mean = np.where(others > 0, mean, expected)
    which = np.broadcast_to(np.eye(zones), (n, zones, zones))
    return np.concatenate([expected[..., None], mean[..., None], which], axis=2)


def ridge(x: np.ndarray, y: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, float]:
    """What is foretold (...) for `features` (..., F), and the spread of the residuals.

    x (M, F) and y (M,) are fitted with PENALTY on the weights, none on the intercept.
    """
    model = Ridge(alpha=PENALTY).fit(x, y)
    residuals = y - model.predict(x)
    foretold = model.predict(features.reshape(-1, features.shape[-1])).reshape(features.shape[:-1])
    return foretold, float(np.sqrt(np.mean(residuals**2)))


def _probabilities(foretold: np.ndarray, spread: float, unknown: np.ndarray) -> np.ndarray:
    """(..., 5) probabilities of the scores and of "unknown" (...)."""
    cuts = np.arange(UNKNOWN - 1) + 0.5
    below = ndtr((cuts - foretold[..., None]) / max(spread, TINY))
    ends = np.zeros((*foretold.shape, 1))
    of_scores = np.diff(np.concatenate([ends, below, ends + 1], axis=-1), axis=-1)
    return np.concatenate([of_scores * (1 - unknown[..., None]), unknown[..., None]], axis=-1)
