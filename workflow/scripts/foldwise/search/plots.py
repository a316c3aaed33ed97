"""Interactive pages of a search: Optuna's own plots with the script inside, read offline."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import optuna

from foldwise.files import write_text
from foldwise.search.propose.samplers import quiet
from foldwise.search.ranking import complete
from foldwise.search.settings import OTHER_NAMES, SEARCH_PAGES, Search
from foldwise.search.storage import add_study, of_budget
from foldwise.search.trials import Observation


def importance(study: optuna.Study, **target):
    """Importance of parameters by fANOVA (Hutter et al., ICML 2014), its forest seeded."""
    # Else its forest is drawn anew, and equal searches give pages that differ.
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.visualization.plot_param_importances(study, evaluator=evaluator, **target)


def intermediate(study: optuna.Study, **_):
    """Objective after each epoch; folds follow each other."""
    return optuna.visualization.plot_intermediate_values(study)


def write_pages(
    folder: str | Path, study: str, search: Search, observations: Sequence[Observation]
) -> None:
    """Write one HTML page a plot; one that cannot be drawn says why instead.

    Pages show the trials of the last phase's budget. Each holds the plotting script, so it opens
    from a mail or a stick, without a network.
    """
    trials = of_budget(observations, search.phases[-1].budget)
    loaded = add_study(None, study, search, [item for item in trials if item.result])
    for page in SEARCH_PAGES:
        with quiet():
            body = page_body(page, loaded, search, complete(trials))
        write_text(Path(folder) / f"{page}.html", whole_page(f"{study}: {page}", body))
    for other, page in OTHER_NAMES.items():
        write_text(Path(folder) / f"{other}.html", leading_to(page))


def page_body(page: str, study: optuna.Study, search: Search, trials: Sequence[Observation]) -> str:
    """The plots of one page as HTML, or the reason why there is none."""
    several = len(search.objectives) > 1
    if page == "pareto_front":
        count = len(search.objectives)
        # Optuna draws a front in a plane or in space.
        if not 2 <= count <= 3:
            return missing(f"There is a front with two or three objectives, here {count}.")
        return drawn(optuna.visualization.plot_pareto_front(study), page)
    if page == "intermediate" and several:
        return missing("There are no intermediate values with several objectives.")
    if len(trials) < 2:
        return missing(f"{len(trials)} complete trials; two are needed.")
    if page == "importance" and not varied(trials):
        return missing("All complete trials have the same value, so nothing explains it.")
    plots: dict[str, Callable] = {
        "history": optuna.visualization.plot_optimization_history,
        "importance": importance,
        "parallel_coordinate": optuna.visualization.plot_parallel_coordinate,
        "slices": optuna.visualization.plot_slice,
        "intermediate": intermediate,
    }
    parts = []
    for index, objective in enumerate(search.objectives):
        target = {"target_name": objective.metric}
        if several:
            # Bound here: a plot asks for its values after the loop has gone on.
            target["target"] = lambda trial, index=index: trial.values[index]
        # Once a page: the plotting script has more than 4 MB.
        script = "inline" if index == 0 else ""
        parts.append(drawn(plots[page](study, **target), f"{page}_{index}", script))
    return "\n".join(parts)


def varied(trials: Sequence[Observation]) -> bool:
    """True if every objective has two values or more."""
    rows = [item.result.values for item in trials]
    return all(len(set(values)) > 1 for values in zip(*rows, strict=True))


def drawn(figure, name: str, script: str = "inline") -> str:
    """A figure as HTML; its id is its name, so that equal studies give equal pages."""
    return figure.to_html(full_html=False, include_plotlyjs=bool(script), div_id=name)


def leading_to(page: str) -> str:
    """A page that leads to another: plots hold megabytes of script, so a name is no copy."""
    return (
        f'<!DOCTYPE html>\n<meta http-equiv="refresh" content="0; url={page}.html">'
        f'<a href="{page}.html">{page}</a>\n'
    )


def missing(reason: str) -> str:
    """What a page says where there is no plot."""
    return f"<p>No plot: {escape(reason)}</p>"


def whole_page(title: str, body: str) -> str:
    """A page with a title."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title></head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )
