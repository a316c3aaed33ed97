"""REPORT.md: what a search came to. Every number and sentence is computed from the trials."""

import statistics
from collections.abc import Iterable

import numpy as np
from scipy import stats

from foldwise.evaluate.wording import called, setting_name
from foldwise.report.files import ANALYSIS_FIGURES
from foldwise.search.analysis.effects import LEVEL, Effect, effect, sentences
from foldwise.search.analysis.figures import categorical, efficiency
from foldwise.search.analysis.tables import code, document, number, setting, share, table
from foldwise.search.analysis.trials import Searched, varied

SIZES = ("image.size", "training.stages", "training.tiles.size")
MARGINAL = (
    "Differences are between the trials that there are. Parameters vary together and a sampler "
    "draws more where values are good, so they are associations. Intervals are Welch's "
    "(of several pairs with Bonferroni's correction) or of a least-squares slope, at "
    f"{100 * LEVEL:.0f} %. What an interval does not tell from zero is called not resolved."
)


def report(searched: Searched) -> str:
    """The whole document."""
    effects = [effect(searched, key) for key in varied(searched)]
    sections = [
        ("Summary", summary(searched)),
        ("Best configuration", best(searched)),
        ("Top trials", top(searched)),
        ("Effect of each parameter", "\n\n".join(_effect(searched, one) for one in effects)),
        ("Losses and other choices", groups(searched)),
        ("Convergence and efficiency", convergence(searched)),
        ("Size against size", sizes(searched)),
        ("Recommendations", recommendations(searched, effects)),
        ("Statistics", numbers(searched)),
        ("Figures", figures()),
    ]
    return document(f"Search of {searched.study}", sections)


def spread(values: list[float]) -> float | None:
    """Standard deviation (n - 1), None of fewer than two."""
    return statistics.stdev(values) if len(values) > 1 else None


def summary(searched: Searched) -> str:
    """Counts, mean, spread and best value."""
    values, total = [trial.value for trial in searched.trials], sum(searched.states.values())
    states = ", ".join(f"{share(n, total)} {state.lower()}" for state, n in searched.states.items())
    return (
        f"{total} trials: {states}. {called(searched.metric)[0]} over the {len(values)} compared: "
        f"mean {statistics.mean(values):.4f}, standard deviation {number(spread(values))}, best "
        f"{values[0]:.4f} ({code(searched.trials[0].name)}), worst {values[-1]:.4f}. "
        f"{'More' if searched.sign > 0 else 'Less'} is better."
    )


def best(searched: Searched) -> str:
    """Settings of the best trial, and how far its last epoch fell behind."""
    trial = searched.trials[0]
    rows = [(code(key), setting(value)) for key, value in trial.params.items()]
    text = f"{code(trial.name)}: {trial.value:.4f} after {trial.best_epoch:g} of "
    text += f"{trial.epochs:g} epochs"
    if trial.last is not None:
        lost = searched.sign * (trial.value - trial.last)
        share_lost = f" ({abs(lost / trial.value):.0%})" if trial.value else ""
        text += (
            f"; at the last epoch {trial.last:.4f}, which is {abs(lost):.4f}{share_lost} "
            f"{'worse' if lost > 0 else 'better' if lost < 0 else 'different'}"
        )
    return f"{text}.\n\n{table(['Setting', 'Value'], rows)}"


def top(searched: Searched, count: int = 10) -> str:
    """The best trials with the parameters that vary."""
    keys = varied(searched)
    head = [
        "Rank",
        "Trial",
        called(searched.metric)[0],
        *map(setting_name, keys),
        "Best epoch",
        "Last",
    ]
    rows = [
        [
            rank,
            code(trial.name),
            trial.value,
            *(setting(trial.params.get(key, "-")) for key in keys),
            f"{trial.best_epoch:g}",
            trial.last,
        ]
        for rank, trial in enumerate(searched.trials[:count], 1)
    ]
    return table(head, rows)


def _effect(searched: Searched, effect: Effect) -> str:
    head = ["Value", "Trials", "Mean", "Standard deviation", "Best"]
    rows = [(setting(x.value), x.n, x.mean, x.sd, x.best) for x in effect.levels]
    levels = f"{table(head, rows)}\n\n" if rows else ""
    text = "\n".join(f"- {line}" for line in sentences(effect, searched.sign))
    return f"### {code(effect.key)}\n\n{levels}{text}"


def groups(searched: Searched) -> str:
    """Mean, median and quartiles of each value of each choice."""
    parts = []
    for key in categorical(searched):
        rows = []
        for level in effect(searched, key).levels:
            values = [t.value for t in searched.trials if t.params.get(key) == level.value]
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            epochs = [t.best_epoch for t in searched.trials if t.params.get(key) == level.value]
            quartiles = f"{low:.4f} to {high:.4f}"
            rows.append((setting(level.value), level.n, level.mean, level.sd, float(middle),
                         quartiles, f"{statistics.mean(epochs):.1f}"))  # fmt: skip
        head = [setting_name(key), "Trials", "Mean", "Standard deviation", "Median", "Quartiles"]
        parts.append(table([*head, "Epochs to the best"], rows))
    return "\n\n".join(parts)


def convergence(searched: Searched) -> str:
    """Epochs to the best, whether they go with the value, and the fastest good trials."""
    trials = searched.trials
    epochs = [trial.best_epoch for trial in trials]
    text = (
        f"The best epoch came after {min(epochs):g} to {max(epochs):g} epochs, "
        f"{statistics.median(epochs):g} in the middle."
    )
    # Of three ranks no order can be told from chance, and of equal ones there is no correlation.
    if len(trials) > 3 and len(set(epochs)) > 1:
        text += " " + _rank_correlation(epochs, [searched.sign * trial.value for trial in trials])
    late = [t for t in trials if t.last is not None and searched.better(t.value, t.last)]
    stated = [trial for trial in trials if trial.last is not None]
    if stated:
        lost = [abs(trial.value - trial.last) for trial in late] or [0.0]
        text += (
            f" {len(late)} of {len(stated)} trials ended worse than at their best, by "
            f"{statistics.mean(lost):.4f} on average: weights of the best epoch are to be kept."
            if late
            else f" None of {len(stated)} trials ended worse than at its best."
        )
    rows = [(code(t.name), f"{t.best_epoch:g}", t.value) for t in efficiency(searched)[:5]]
    return f"{text}\n\nFastest of the better half:\n\n" + table(
        ["Trial", "Epochs to the best", called(searched.metric)[0]], rows
    )


def _rank_correlation(epochs: list[float], goodness: list[float]) -> str:
    spearman = stats.spearmanr(epochs, goodness)
    # At the level of all intervals of the document.
    if spearman.pvalue >= 1 - LEVEL:
        verdict = "whether later is better is not resolved"
    else:
        verdict = (
            f"trials that were best later were {'better' if spearman.statistic > 0 else 'worse'}"
        )
    return (
        f"Rank correlation with the value {spearman.statistic:+.2f}, p {spearman.pvalue:.2g}: "
        f"{verdict}."
    )


def sizes(searched: Searched) -> str:
    """Sizes of pictures against each other, where several were searched."""
    keys = [key for key in varied(searched) if key in SIZES]
    return "\n\n".join(_effect(searched, effect(searched, key)) for key in keys)


def recommendations(searched: Searched, effects: Iterable[Effect]) -> str:
    """Resolved effects as advice; what is not resolved is named as such."""
    resolved, open_ones = [], []
    for measured in effects:
        lines = [
            line
            for line, one in zip(
                sentences(measured, searched.sign), measured.differences, strict=False
            )
            if one.resolved
        ]
        resolved += lines
        if not lines:
            open_ones.append(setting_name(measured.key))
    parts = [f"- {line}" for line in resolved]
    if open_ones:
        parts.append(
            f"- Not resolved by these {len(searched.trials)} trials: {', '.join(open_ones)}. "
            "Choose by cost, or add trials."
        )
    parts.append(
        "- The best value is the best of many on the same folds, so it is too high: judge the "
        "configuration on data that no trial has seen."
    )
    return "\n".join(parts)


def numbers(searched: Searched) -> str:
    """Moments and quantiles of all values."""
    values = np.array([trial.value for trial in searched.trials])
    rows = [("Trials", len(values)), ("Mean", float(values.mean()))]
    rows += [("Standard deviation", spread(values.tolist())), ("Median", float(np.median(values)))]
    rows += [("Lowest", float(values.min())), ("Highest", float(values.max()))]
    if len(values) > 1:
        reach = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * stats.sem(values)
        rows.append(
            ("Interval of the mean", f"{values.mean() - reach:.4f} to {values.mean() + reach:.4f}")
        )
    return f"{table(['', called(searched.metric)[0]], rows)}\n\n{MARGINAL}"


def figures() -> str:
    """Links to the seven figures."""
    return "\n\n".join(f"![{title}]({name}.png)" for name, title in ANALYSIS_FIGURES.items())
