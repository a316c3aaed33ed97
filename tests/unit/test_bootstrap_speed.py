"""Draws as matrix products give the numbers of one draw after another, for every metric."""

import numpy as np
import pytest

import slow_bootstrap
from foldwise.evaluate.metrics import draws as draws_of
from foldwise.evaluate.metrics import intervals as ours
from foldwise.registry import load, names
from made_predictions import TASKS, row


def rows_of(kind, n, patients):
    """Made-up rows; probabilities rounded, so that there are ties."""
    random = np.random.default_rng(11)
    made = [row(kind, i, random) for i in range(n)]
    for one in made:
        one["group"] = f"g{random.integers(patients)}"
        one |= {k: f"{float(v):.2f}" for k, v in one.items() if k.startswith("p_")}
    return made


@pytest.mark.parametrize("kind", names("MEASURES"))
@pytest.mark.parametrize(("n", "patients"), [(30, 20), (9, 4)])
def test_draws_at_once_are_the_draws_one_by_one(kind, n, patients, monkeypatch):
    rows, measures = rows_of(kind, n, patients), load("MEASURES", kind)(TASKS[kind])
    groups = [one["group"] for one in rows]
    # Small blocks: the stream of draws may not depend on how many are weighed at once.
    monkeypatch.setattr(draws_of, "WEIGHTS_AT_ONCE", 7 * n)
    got = ours.bootstrap(measures.scorer(rows), groups, 5, 40)
    member, score = draws_of.numbered(groups), measures.scorer(rows)
    draws = draws_of._in_blocks(score, member, draws_of._drawn(member, 5, 40))
    left_out = draws_of._in_blocks(score, member, draws_of._without(member))
    for name, (values, interval) in slow_bootstrap.bootstrap(measures.score, rows, 5, 40).items():
        for found, expected in zip((draws[name], left_out[name]), values, strict=True):
            assert found == pytest.approx(expected, abs=1e-9, nan_ok=True), name
        bounds = (got[name].low, got[name].high)
        assert bounds == pytest.approx((interval.low, interval.high), abs=1e-9, nan_ok=True), name
