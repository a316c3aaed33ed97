"""How much of a search's best value is luck: the best of many is too good."""

import math
from collections.abc import Sequence

import numpy as np

from foldwise.evaluate.optimism import SOURCE, selection_bias
from foldwise.evaluate.wording import called
from foldwise.search.ranking import best, complete
from foldwise.search.settings import Search
from foldwise.search.trials import Observation


def optimism(observations: Sequence[Observation], search: Search) -> dict:
    """How far the best value is to be trusted: trials compared, bias, corrected value, in words."""
    objective = search.objectives[0]
    trials = complete(observations, search.phases[-1].budget)
    chosen = best(observations, search)
    value, count = chosen.result.values[0], len(trials)
    estimate = {"trials_compared": count, "value": value, "bias": None, "corrected": None}
    statement = (
        f"{called(objective.metric)[0]} {value:.4g} is the best of {count} trials on the same folds"
    )
    metrics = [
        [fold.metrics.get(objective.metric) for fold in item.result.folds] for item in trials
    ]
    # The correction measures how folds disagree; a fold without the metric leaves a hole in that.
    if len(search.folds) < 2 or any(None in row for row in metrics):
        text = (
            f"{statement} and too good by an unknown amount: with one fold it cannot be estimated."
        )
        return estimate | {"text": f"{text} Judge it on a holdout or by nested cross-validation."}
    scores = objective.sign * np.array(metrics, dtype=float)
    bias = selection_bias(scores, trials.index(chosen))
    corrected = value - objective.sign * bias
    return estimate | {
        "bias": bias,
        "corrected": corrected,
        "source": SOURCE,
        "text": (
            f"{statement}; choosing it makes it look better by about {bias:.2g}, so expect "
            f"{corrected:.4g}. Nested cross-validation measures this instead of estimating it."
        ),
    }


def savings(observations: Sequence[Observation]) -> dict:
    """What pruning saved, from measured times.

    A fold that was stopped is taken to have needed as many epochs as finished folds needed on
    average, each as long as this trial's own epochs took (all trials' where it had none).
    """
    folds = [fold for item in observations if item.result for fold in item.result.folds]
    finished = [fold for fold in folds if fold.state == "COMPLETE"]
    trained = sum(len(fold.curve) for fold in folds)
    seconds = math.fsum(fold.seconds for fold in folds)
    usual = np.mean([len(fold.curve) for fold in finished]) if finished else 0.0
    pace, epochs, spared = seconds / trained if trained else 0.0, 0.0, 0.0
    for item in observations:
        if item.result is None or item.result.state != "PRUNED":
            continue
        own = sum(len(fold.curve) for fold in item.result.folds)
        each = item.result.seconds / own if own else pace
        for fold in item.result.folds:
            # Finished folds of a pruned trial spared nothing.
            if fold.state != "COMPLETE":
                missing = max(usual - len(fold.curve), 0.0)
                epochs, spared = epochs + missing, spared + missing * each
    return {
        "epochs_trained": trained,
        "epochs_spared": round(float(epochs), 1),
        "seconds_trained": round(seconds, 1),
        "seconds_spared": round(float(spared), 1),
        "share_spared": round(float(spared / (spared + seconds)), 4) if seconds else 0.0,
    }
