"""The bootstrap as a textbook has it, one draw after another: slow, for comparing with."""

import numpy as np

from foldwise.evaluate.metrics import intervals
from foldwise.evaluate.metrics.draws import Draws


def bootstrap(score, rows, seed, resamples=2000, level=0.95):
    """Metric -> Interval by BCa; `score` measures a list of rows, those drawn twice twice."""
    members = {}
    for row in rows:
        members.setdefault(row["group"], []).append(row)
    members = list(members.values())
    drawn = np.random.default_rng(seed).integers(0, len(members), (resamples, len(members)))
    draws = [score([row for i in one for row in members[i]]) for one in drawn]
    left_out = []
    for out in np.array_split(np.arange(len(members)), min(len(members), 400)):
        rest = [row for i, rows_of in enumerate(members) if i not in out for row in rows_of]
        left_out.append(score(rest))
    found = {}
    for name, value in score(rows).items():
        values = [np.array([one[name] for one in many], dtype=float) for many in (draws, left_out)]
        held = Draws({name: value}, {name: values[0]}, {name: values[1]}, len(members))
        found[name] = (values, intervals.of_draws(held, name, level))
    return found
