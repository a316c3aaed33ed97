"""Percentiles against numpy, on the kinds of values that pictures have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from foldwise.pixels import percentiles as order
from foldwise.pixels.percentiles import extremes, percentiles

RANDOM = np.random.default_rng(0)
N = 300_000
LIT = RANDOM.random(N) < 0.6
KINDS = {
    "grain": RANDOM.integers(0, 4096, N).astype(np.uint16),
    "black background": np.where(LIT, RANDOM.gamma(9, 99, N), 0).astype("u2"),
    "white background": np.where(RANDOM.random(N) < 0.6, 255, RANDOM.integers(0, 255, N)).astype(
        "u1"
    ),
    "few levels": np.sort(RANDOM.integers(-3, 3, N)).astype(np.int16),
    "floats": RANDOM.normal(size=N).astype(np.float32),
    "one speck": np.bincount([77], minlength=N).astype(np.uint16),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shares", [(0.5, 99.5), (0, 100), (25, 50), (2, 98), (0.0001, 99.9999)])
def test_as_numpy(kind, shares):
    found = percentiles(KINDS[kind].reshape(300, -1), shares)
    np.testing.assert_allclose(found, np.percentile(KINDS[kind], shares), rtol=1e-6)


@settings(max_examples=200, deadline=None)
@given(
    arrays.arrays(np.uint16, st.integers(1, 300), elements=st.integers(0, 9)),
    st.floats(0, 100, allow_nan=False, allow_subnormal=False),
)
def test_as_numpy_for_small_pictures(values, share):
    np.testing.assert_allclose(percentiles(values, (share,)), np.percentile(values, [share]))


def test_a_bracket_that_misses_falls_back(monkeypatch):
    monkeypatch.setattr(order, "MARGIN", -5.0)
    for values in KINDS.values():
        found = percentiles(values, (0.5, 99.5))
        np.testing.assert_allclose(found, np.percentile(values, (0.5, 99.5)), rtol=1e-6)


def test_extremes():
    for values in KINDS.values():
        assert extremes(values) == (values.min(), values.max())
