"""What choosing an epoch by the folds that judge it has gained: kept epoch against last epoch.

Both are means over the same folds. The kept epoch is the best of many on the validation part, so
that its value is too good; the last one was chosen by nobody (Cawley and Talbot 2010, On
over-fitting in model selection, Journal of Machine Learning Research 11:2079-2107).
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from foldwise.evaluate.wording import spoken
from foldwise.metrics import metric_of
from foldwise.settings.training import FEW_GROUPS

History = Mapping[str, Any]
# A kept epoch in this first part of the training has been chosen from noise, or training hurts.
EARLY_SHARE = 0.1
# Above this share of its highest learning rate a schedule has not come down yet.
HIGH_RATE = 0.5


def selection(histories: Sequence[History], metric: str) -> dict[str, Any] | None:
    """Kept and last epoch by fold and on average, in `metric` and in words.

    histories: of the folds, as train_history.json. None where the last epoch was kept by decision
    (`training.stop_after`): nothing was chosen.
    """
    if not histories or all(one["ended"] == "stop_after" for one in histories):
        return None
    folds = [_of_fold(history, metric) for history in histories]
    # Folds with both values: means over different folds would differ for that reason alone.
    both = [fold for fold in folds if None not in (fold["kept"], fold["last"])]
    kept, last = (
        statistics.fmean(fold[key] for fold in both) if both else None for key in ("kept", "last")
    )
    selected = {"metric": metric, "kept": kept, "last": last, "gain": None, "folds": folds}
    if both:
        selected["gain"] = _sign(metric) * (kept - last)
    return selected | {"text": _in_words(selected, len(both))}


def _sign(metric: str) -> int:
    entry = metric_of(metric)
    return -1 if entry is not None and entry.better == "min" else 1


def _of_fold(history: History, metric: str) -> dict[str, Any]:
    epochs, number = history["epochs"], history["best"]["epoch"]
    kept, last = epochs[number - 1], epochs[-1]
    return {
        "fold": history["fold"],
        "kept_epoch": number,
        "epochs": last["epoch"],
        # A cost of a search, such as milliseconds, is measured once and is in no epoch.
        "kept": kept.get(metric),
        "last": last.get(metric),
        "ended": history["ended"],
        "rate_share": _rate_share(epochs, number),
    }


def _rate_share(epochs: Sequence[Mapping[str, Any]], number: int) -> float | None:
    """Learning rate of the kept epoch over the highest; None where it never comes down."""
    # The highest of head and backbone: while one of them is high the network still moves.
    rates = [max(v for k, v in epoch.items() if k.startswith("lr_")) for epoch in epochs]
    highest = max(rates)
    # A rate that has only risen, or stayed, belongs to no schedule that could come down.
    comes_down = highest > 0 and rates[-1] < highest
    return rates[number - 1] / highest if comes_down else None


def _in_words(selected: Mapping[str, Any], n: int) -> str:
    name = spoken(selected["metric"])
    if not n:
        return f"No fold has {name} in both its kept and its last epoch."
    number, kept = len(selected["folds"]), f"{name} {selected['kept']:.3f}"
    text = f"The kept epochs have {kept} on average, the last epochs of the same folds"
    if number == 1:
        text = f"The kept epoch has {kept}, the last epoch"
    text += f" {selected['last']:.3f}"
    if selected["gain"] > 0:
        text += f": the choice may flatter by up to {selected['gain']:.3f}."
    else:
        text += ", which is no worse: nothing here says that the choice flatters."
    # Their last epoch is no end of a schedule: the comparison is then less fair to it.
    short = sum(fold["ended"] == "no gain" for fold in selected["folds"])
    if short:
        who = "The training" if number == 1 else f"{short} of {number} folds"
        text += f" {who} stopped early, before {'its' if number == 1 else 'their'} schedule ended."
    return text


def cautions(selected: Mapping[str, Any] | None, groups: int, units: str) -> list[str]:
    """Sentences on a choice that is not to be trusted; none where nothing was chosen."""
    if selected is None:
        return []
    folds, sentences = selected["folds"], []
    early = [one for one in folds if one["kept_epoch"] <= EARLY_SHARE * one["epochs"]]
    if early:
        sentences.append(
            f"{_named(early)} kept an epoch from the first tenth of the training "
            f"({_epochs(early)}): what was trained afterwards made it worse, or the choice follows "
            "noise. Compare with the last epoch, and lower training.lr or set training.stop_after."
        )
    high = [one for one in folds if (one["rate_share"] or 0) > HIGH_RATE and one not in early]
    if high:
        sentences.append(
            f"{_named(high)} kept an epoch from before the learning rate had come down "
            f"({_epochs(high)}): it was chosen among unsettled epochs. Compare with "
            "the last epoch, or set training.stop_after."
        )
    if groups < FEW_GROUPS:
        usual = round(statistics.median(one["epochs"] for one in folds))
        sentences.append(
            f"{groups} {units} are few to choose an epoch by: below about {FEW_GROUPS}, set "
            f"training.stop_after to a number (here {usual} epochs were trained; auto does so in "
            "studies of fewer), so that the last epoch counts and nothing is chosen by the part "
            "that judges."
        )
    return sentences


def _named(folds: Sequence[Mapping[str, Any]]) -> str:
    numbers = ", ".join(str(one["fold"]) for one in folds)
    return f"Fold {numbers}" if len(folds) == 1 else f"Folds {numbers}"


def _epochs(folds: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{one['kept_epoch']} of {one['epochs']}" for one in folds)
