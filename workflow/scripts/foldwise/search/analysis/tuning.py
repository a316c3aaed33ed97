"""HYPERPARAMETER_TUNING_SUMMARY.md: space, counts, best against defaults, patterns, time."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from scipy import stats

from foldwise.evaluate.metrics.paired import holm
from foldwise.search.analysis.effects import effect
from foldwise.search.analysis.report import top
from foldwise.search.analysis.tables import code, document, setting, share, table
from foldwise.search.analysis.trials import Searched, varied
from foldwise.search.optimism import savings
from foldwise.search.propose.samplers import distributions, quiet
from foldwise.search.space import Parameter
from foldwise.search.trials import Observation
from foldwise.times import duration

TOP = 10
# Searches drawn anew from the trials, for the uncertainty of importances.
DRAWS = 20
FEWEST = 8
SIGNIFICANT = 0.05


def tuning(searched: Searched, benchmarks: Iterable[Path] = ()) -> str:
    """The whole document; `benchmarks` are Snakemake's tables of the trials' trainings."""
    sections = [
        ("Space", space(searched.space)),
        ("Trials", states(searched)),
        (f"Top {min(TOP, len(searched.trials))}", top(searched, TOP)),
        ("Defaults against best", against_defaults(searched)),
        ("Patterns of the top trials", patterns(searched)),
        ("Ranges to search next", ranges(searched)),
        ("Importance", importance(searched)),
        ("Time and memory", costs(searched.observations, list(benchmarks))),
    ]
    return document(f"Tuning of {searched.study}", sections)


def space(parameters: Sequence[Parameter]) -> str:
    """What was searched."""
    rows = []
    for one in parameters:
        when = ", ".join(
            f"{code(key)} is {' or '.join(map(setting, v))}" for key, v in one.when.items()
        )
        rows.append((code(one.key), one.kind, _range(one), when or "always"))
    return table(["Parameter", "Type", "Values", "On"], rows)


def _range(one: Parameter) -> str:
    if one.kind == "categorical":
        return ", ".join(map(setting, one.choices))
    scale = ", logarithmic" if one.log else f", steps of {one.step:g}" if one.step else ""
    return f"{one.low:g} to {one.high:g}{scale}"


def states(searched: Searched) -> str:
    """How many trials came to what."""
    total = sum(searched.states.values())
    return table(["State", "Trials"], [(s, share(n, total)) for s, n in searched.states.items()])


def against_defaults(searched: Searched) -> str:
    """The study's own settings beside the best trial's."""
    if not searched.defaults:
        return "The settings before the search are not in another system's table."
    rows = []
    for key, value in searched.trials[0].params.items():
        default = searched.defaults.get(key)
        rows.append((code(key), setting(default), setting(value), _change(default, value)))
    return table(["Setting", "Default", "Best", "Change"], rows)


def _change(before: Any, after: Any) -> str:
    if before == after:
        return "none"
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (before, after))
    return f"{(after - before) / abs(before):+.0%}" if numbers and before else "changed"


def patterns(searched: Searched) -> str:
    """Values that are commoner among the top trials than chance would have it, by Holm's rule."""
    count = min(TOP, len(searched.trials) // 2)
    if count < 2:
        return "Too few trials: a pattern needs at least as many others as top trials."
    rows = [row for key in varied(searched) for row in _pattern(searched, key, count)]
    if not rows:
        return "Only continuous parameters were searched; see their effects in REPORT.md."
    significant = [p <= SIGNIFICANT for p in holm([row[-1] for row in rows])]
    lines = [(*row[:4], row[-1], "yes" if kept else "not resolved")
             for row, kept in zip(rows, significant, strict=True)]  # fmt: skip
    head = ["Parameter", "Value", f"In the top {count}", f"In all {len(searched.trials)}"]
    note = (
        "p is that of drawing so many or more among the top at random (hypergeometric); Holm's "
        f"correction for the {len(rows)} values at {SIGNIFICANT:g}."
    )
    return f"{table([*head, 'p', 'More than chance'], lines)}\n\n{note}"


def _pattern(searched: Searched, key: str, count: int) -> list[tuple[Any, ...]]:
    total = len(searched.trials)
    rows = []
    for level in effect(searched, key).levels:
        leading = sum(t.params.get(key) == level.value for t in searched.trials[:count])
        # sf is P(X > k), and this many or more is asked for: hence one less.
        p = float(stats.hypergeom.sf(leading - 1, total, level.n, count))
        rows.append((code(key), setting(level.value), leading, level.n, p))
    return rows


def ranges(searched: Searched) -> str:
    """Values of the best quarter; narrower than the space only where the quarter is so."""
    # Of one trial a range would be a point.
    count = max(2, len(searched.trials) // 4)
    rows = []
    for one in searched.space:
        leading = [t.params[one.key] for t in searched.trials[:count] if one.key in t.params]
        if not leading:
            continue
        if one.kind == "categorical":
            kept = ", ".join(setting(value) for value in one.choices if value in leading)
        else:
            kept = f"{min(leading):g} to {max(leading):g}"
        rows.append((code(one.key), _range(one), kept, len(leading)))
    note = (
        f"Where the best {count} trials lie. With so few a narrow range may be chance: patterns "
        "above say what is more than that."
    )
    return f"{table(['Parameter', 'Searched', 'Best quarter', 'Trials'], rows)}\n\n{note}"


def importance(searched: Searched) -> str:
    """Share of variance by fANOVA, with its spread over searches drawn anew from the trials."""
    if len(searched.trials) < FEWEST or len({trial.value for trial in searched.trials}) < 2:
        return f"At least {FEWEST} complete trials with differing values are needed."
    # A fixed seed: the same trials give the same document.
    rng = np.random.default_rng(0)
    importances: dict[str, list[float]] = {}
    for draw in range(DRAWS):
        # Trials with replacement, as many as there are: a bootstrap of the search.
        chosen = rng.integers(0, len(searched.trials), len(searched.trials))
        for key, value in _importances(searched, chosen.tolist(), draw).items():
            importances.setdefault(key, []).append(value)
    whole = _importances(searched, list(range(len(searched.trials))), 0)
    # 80 %, as is said below: twenty draws do not reach to the ends of a wider range.
    bounds = {key: np.quantile(values, [0.1, 0.9]) for key, values in importances.items()}
    rows = [
        (code(key), value, f"{bounds[key][0]:.2f} to {bounds[key][1]:.2f}")
        for key, value in whole.items()
        if key in bounds
    ]
    note = (
        f"fANOVA (Hutter et al. 2014); the range holds 80 % of {DRAWS} searches drawn anew from "
        "these trials. Parameters whose ranges overlap are not told apart."
    )
    if not rows:
        return "No parameter is on in every trial, so there is none to compare."
    return f"{table(['Parameter', 'Importance', 'Range'], rows)}\n\n{note}"


def _importances(searched: Searched, chosen: list[int], seed: int) -> dict[str, float]:
    with quiet():
        study = optuna.create_study()
        for index in chosen:
            trial = searched.trials[index]
            params = dict(trial.params)
            study.add_trial(
                optuna.trial.create_trial(
                    params=params,
                    distributions=distributions(searched.space, params),
                    value=trial.value,
                )
            )
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed, n_trees=32)
        # A draw may hold one value only, of which there is no variance to share out.
        if len({searched.trials[index].value for index in chosen}) < 2:
            return {}
        return optuna.importance.get_param_importances(study, evaluator=evaluator)


def costs(observations: Sequence[Observation], benchmarks: Sequence[Path]) -> str:
    """Time by state, what pruning saved, from first to last, and the most memory that was used."""
    results = [item.result for item in observations if item.result]
    if not results:
        return "Another system's table holds no times."
    rows = []
    for state in ("COMPLETE", "PRUNED"):
        seconds = [result.seconds for result in results if result.state == state]
        if seconds:
            rows.append(
                (f"Mean time of a {state.lower()} trial", duration(statistics.mean(seconds)))
            )
    saved = savings(observations)
    rows.append(("Training, all trials", duration(saved["seconds_trained"])))
    rows.append(
        ("Spared by pruning", f"{duration(saved['seconds_spared'])} ({saved['share_spared']:.0%})")
    )
    rows += (
        [("From first to last epoch", duration(passed))]
        if (passed := elapsed(observations))
        else []
    )
    memory = peak_memory(benchmarks)
    rows.append(("Most memory of a training", f"{memory:,.0f} MB" if memory else "not measured"))
    return table(["", ""], rows)


def elapsed(observations: Sequence[Observation]) -> float | None:
    """Seconds on the clock from the first fold's start to the last one's end."""
    spans = [
        (datetime.fromisoformat(fold.started).timestamp(), fold.seconds)
        for item in observations
        if item.result
        for fold in item.result.folds
        if fold.started
    ]
    return max(s + d for s, d in spans) - min(s for s, _ in spans) if spans else None


def peak_memory(benchmarks: Sequence[Path]) -> float | None:
    """The largest resident memory, MB, that Snakemake saw; very short jobs are not seen."""
    seen = []
    for path in benchmarks:
        for row in _rows(path):
            try:
                seen.append(float(row["max_rss"]))
            except ValueError:
                continue  # Snakemake writes NA or - for what it has not seen.
    return max(seen, default=None)


def _rows(path: Path) -> list[Mapping[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    head = lines[0].split("\t") if lines else []
    return [dict(zip(head, line.split("\t"), strict=False)) for line in lines[1:]]
