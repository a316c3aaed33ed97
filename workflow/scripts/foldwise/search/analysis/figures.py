"""Figures 1 to 5 of a search: best trials, parameters, curves, losses, epochs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from foldwise.evaluate.wording import called, setting_name
from foldwise.report.style import ACCENT, FAINT, GREY, INK, PAGE, grid, line_styles, shades
from foldwise.search.analysis.effects import MOST_LEVELS, WIDE, effect
from foldwise.search.analysis.trials import Searched, Trial, varied

STAR = {"marker": "*", "markersize": 11, "color": INK, "linestyle": "none", "zorder": 5}
TOP = 5
MOST_PANELS = 3
TRAIN_LOSS = "train_loss"
MOST_CHARACTERS = 26


def top_five(searched: Searched) -> Figure:
    """Fig 1: value at the best and at the last epoch of the best trials."""
    best = searched.trials[:TOP]
    figure = Figure(figsize=(PAGE, 0.9 + 0.62 * len(best)))
    axes = figure.subplots()
    places = np.arange(len(best))
    axes.barh(places - 0.19, [t.value for t in best], 0.36, color=ACCENT, label="best epoch")
    last = [np.nan if trial.last is None else trial.last for trial in best]
    axes.barh(
        places + 0.19, last, 0.36, color=FAINT, edgecolor=GREY, hatch="////", label="last epoch"
    )
    for place, trial in zip(places, best, strict=True):
        for offset, value in ((-0.19, trial.value), (0.19, trial.last)):
            if value is not None:
                axes.annotate(
                    f"{value:.4f}", (value, place + offset), (3, 0), textcoords="offset points",
                    va="center", fontsize=6.5,
                )  # fmt: skip
    axes.set_yticks(places, [_label(searched, trial) for trial in best])
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(called(searched.metric)[0])
    axes.set_title(f"The best {len(best)} of {len(searched.trials)} trials")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _label(searched: Searched, trial: Trial) -> str:
    settings = [
        f"{setting_name(k)} {words(trial.params[k])}" for k in varied(searched) if k in trial.params
    ]
    lines = [", ".join(settings[i : i + 2]) for i in range(0, min(len(settings), 6), 2)]
    return "\n".join([trial.name, *lines])


def parameters(searched: Searched) -> Figure:
    """Fig 2: values by each parameter: every trial, mean and spread, the best as a star."""
    keys = varied(searched)
    if not keys:
        return empty_figure("All complete trials have the same parameters.")
    rows, columns = grid(len(keys), MOST_PANELS)
    figure = Figure(figsize=(PAGE, 0.4 + 2.1 * rows))
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    for axes, key in zip(panels, keys, strict=False):
        _parameter(axes, searched, key)
    for axes in list(panels)[len(keys) :]:
        axes.set_axis_off()
    for row in range(rows):
        figure.axes[row * columns].set_ylabel(called(searched.metric)[0])
    return figure


def _parameter(axes: Axes, searched: Searched, key: str) -> None:
    trials = [trial for trial in searched.trials if key in trial.params]
    effect_of_key, best = effect(searched, key), trials[0]
    axes.set_title(setting_name(key))
    if not effect_of_key.levels:
        x = np.array([trial.params[key] for trial in trials], float)
        axes.plot(x, [t.value for t in trials], "o", color=ACCENT, alpha=0.6, markersize=3)
        axes.plot([best.params[key]], [best.value], **STAR)
        if x.min() > 0 and x.max() / x.min() >= WIDE:
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())  # Between powers of ten they collide.
            axes.xaxis.set_major_locator(
                LogLocator(subs=(1, 3) if x.max() / x.min() < 1e3 else (1,))
            )
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        return
    names = [words(level.value) for level in effect_of_key.levels]
    order = [level.value for level in effect_of_key.levels]
    places = [order.index(trial.params[key]) for trial in trials]
    values = [trial.value for trial in trials]
    jittered = apart(places)
    axes.plot(jittered, values, "o", color=GREY, markersize=3, alpha=0.7, zorder=2)
    axes.errorbar(
        range(len(order)),
        [level.mean for level in effect_of_key.levels],
        [level.sd or 0 for level in effect_of_key.levels],
        fmt="o", color=ACCENT, capsize=3, markersize=5, zorder=4,
    )  # fmt: skip
    # On the best trial's own point, which would else look like a second trial.
    axes.plot(jittered[:1], [best.value], **STAR)
    crowded = sum(map(len, names)) > MOST_CHARACTERS
    axes.set_xticks(range(len(order)), names, rotation=25 if crowded else 0,
                    ha="right" if crowded else "center")  # fmt: skip
    axes.set_xlim(-0.5, len(order) - 0.5)


def apart(places: Sequence[int]) -> np.ndarray:
    """Places of points beside their level, so that equal values are seen; the same each time."""
    # Multiples of the golden ratio spread evenly for any number of points, without a random draw.
    golden = (1 + 5**0.5) / 2
    return np.array(places) + 0.24 * (np.arange(len(places)) / golden % 1 - 0.5)


def words(value: Any) -> str:
    """A value of a setting in a figure, where nothing is set as code."""
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def curves(searched: Searched) -> Figure:
    """Fig 3: objective and training loss of the best and the worst trial, with the best epoch."""
    shown = [trial for trial in searched.trials if trial.curves]
    if not shown:
        return empty_figure("No curves: the search's table holds no values of single epochs.")
    pair = [shown[0], shown[-1]] if len(shown) > 1 else shown
    names = [searched.metric, TRAIN_LOSS]
    figure = Figure(figsize=(PAGE, 3.9))
    panels = figure.subplots(2, len(pair), squeeze=False, sharey="row")
    for column, (trial, title) in enumerate(zip(pair, ("Best", "Worst"), strict=False)):
        for row, name in enumerate(names):
            axes, curve = panels[row, column], trial.curves.get(name, {})
            axes.plot(list(curve), list(curve.values()), color=ACCENT, marker="o", markersize=2)
            axes.axvline(trial.best_epoch, color=INK, linestyle=":", linewidth=0.9)
            if row == 0:
                axes.set_title(f"{title}: {trial.name}, {trial.value:.4f}")
                axes.annotate(
                    f"best epoch {trial.best_epoch:g}", (trial.best_epoch, 1), (4, -9),
                    xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=6.5,
                )  # fmt: skip
        panels[1, column].set_xlabel("epoch")
        for axes in panels[:, column]:
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panels[0, 0].set_ylabel(called(searched.metric)[0])
    panels[1, 0].set_ylabel("training loss")
    return figure


def losses(searched: Searched) -> Figure:
    """Fig 4: distribution of values by loss, or by the first other choice of the space."""
    keys = categorical(searched)
    if not keys:
        return empty_figure(
            "No loss and no other choice was searched, so there are no groups to compare."
        )
    figure = Figure(figsize=(PAGE, 2.9))
    panels = figure.subplots(1, len(keys[:2]), squeeze=False, sharey=True)[0]
    for axes, key in zip(panels, keys, strict=False):
        by_loss = effect(searched, key)
        trials = [trial for trial in searched.trials if key in trial.params]
        names = [str(trial.params[key]) for trial in trials]
        order = [str(level.value) for level in by_loss.levels]
        many = {str(level.value) for level in by_loss.levels if level.n > 2}
        common = {"x": names, "y": [trial.value for trial in trials], "order": order, "ax": axes}
        dense = [(n, v) for n, v in zip(names, common["y"], strict=True) if n in many]
        if dense:
            shapes = {"x": [n for n, _ in dense], "y": [v for _, v in dense]}
            sns.violinplot(
                **{**common, **shapes}, color="#d3e5e8", inner=None, cut=0, linewidth=0.6,
                density_norm="width",
            )  # fmt: skip
        sns.boxplot(**common, width=0.18, color="white", fliersize=0, linewidth=0.8)
        places = apart([order.index(name) for name in names])
        axes.plot(places, common["y"], "o", color=INK, markersize=3, alpha=0.7)
        axes.set_xticks(
            range(len(order)),
            [f"{words(level.value)}\nn = {level.n}" for level in by_loss.levels],
        )
        axes.set_title(setting_name(key))
        axes.set(xlabel="", ylabel="")
    panels[0].set_ylabel(called(searched.metric)[0])
    return figure


def categorical(searched: Searched) -> list[str]:
    """Choices that vary, the loss first; numbers of few values only where nothing else varies."""
    effects = {key: effect(searched, key) for key in varied(searched)}
    choices = [key for key, one in effects.items() if not one.numeric]
    few = [
        key for key, one in effects.items() if one.numeric and 1 < len(one.levels) <= MOST_LEVELS
    ]
    return sorted(choices, key=lambda key: "loss" not in key) or few[:1]


def epochs(searched: Searched) -> Figure:
    """Fig 5: epochs to the best against the value, and the fastest of the better half."""
    figure = Figure(figsize=(PAGE, 3.1))
    left, right = figure.subplots(1, 2)
    keys = categorical(searched)
    groups = _groups(searched, keys[0] if keys else "")
    for style, (name, trials) in zip(line_styles(len(groups)), groups.items(), strict=True):
        left.plot(
            [t.best_epoch for t in trials], [t.value for t in trials], label=name,
            **(style | {"linestyle": "none"}),
        )  # fmt: skip
    best = searched.trials[0]
    left.plot([best.best_epoch], [best.value], **STAR)
    left.set(xlabel="epochs to the best", ylabel=called(searched.metric)[0])
    left.set_title("Value and epochs to the best")
    if len(groups) > 1:
        left.legend(fontsize=6.5)
    fastest = efficiency(searched)[:10]
    places = np.arange(len(fastest))
    right.barh(places, [trial.best_epoch for trial in fastest], 0.6, color=shades(3)[1])
    for place, trial in zip(places, fastest, strict=True):
        right.annotate(
            f"{trial.value:.4f}", (trial.best_epoch, place), (3, 0),
            textcoords="offset points", va="center", fontsize=6.5,
        )  # fmt: skip
    right.set_yticks(places, [trial.name for trial in fastest])
    right.invert_yaxis()
    right.grid(visible=False, axis="y")
    right.margins(x=0.14)
    right.set_xlabel("epochs to the best")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    right.set_title("Fastest of the better half, with value")
    return figure


def _groups(searched: Searched, key: str) -> dict[str, list[Trial]]:
    groups: dict[str, list[Trial]] = {}
    for trial in searched.trials:
        groups.setdefault(words(trial.params.get(key, "trials")), []).append(trial)
    return dict(sorted(groups.items()))


def efficiency(searched: Searched) -> list[Trial]:
    """The better half of the trials, that which was best after the fewest epochs first."""
    half = searched.trials[: max(1, (len(searched.trials) + 1) // 2)]
    return sorted(half, key=lambda trial: (trial.best_epoch, -searched.sign * trial.value))


def empty_figure(reason: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = Figure(figsize=(PAGE, 1.0))
    figure.text(0.02, 0.5, reason, va="center", color=GREY)
    return figure


DRAWN = (top_five, parameters, curves, losses, epochs)
