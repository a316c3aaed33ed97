"""Helpers of the rules of a search: its plan, and what waits for what."""

from foldwise.search.plan import another_search, check_plan, outer_study, plan_of
from foldwise.search.settings import ANALYSIS_DOCUMENTS, ANALYSIS_FIGURES, SEARCH_PAGES
from foldwise.search.trials import trial_name

for name in config["studies"]:
    # An outer fold is a study: each rule serves it as it is.
    if STUDIES[name]["search"] is not None:
        for outer in state.fold_numbers(STUDIES[name]):
            inner = outer_study(STUDIES[name], outer)
            STUDIES[inner["name"]] = inner

try:
    PLANS = {name: plan_of(study, state.fold_numbers(study)) for name, study in STUDIES.items()}
    for name, found in PLANS.items():
        # A space in a file of its own is part of the study like any other setting.
        STUDIES[name]["search"] = found and found.raw
    if workflow.is_main_process:
        for name in config["studies"]:
            if PLANS[name] is not None:
                check_plan(STUDIES[name], PLANS[name])
                told = another_search(f"results/{name}/runs", PLANS[name].search)
                if told:
                    print(f"{name}: {told}", file=sys.stderr)
except FoldwiseError as error:
    refuse(error)


wildcard_constraints:
    number=r"\d\d\d\d+",
    seed=r"|_seed\d+",
    outer=r"\d+",


def plan(wildcards):
    """The search of a study; one without is told so."""
    found = PLANS[wildcards.study]
    if found is None:
        refuse(
            f"Study '{wildcards.study}' has no search. Add `search:` to its file; docs/search.md "
            "describes it."
        )
    return found


def told_of_search(wildcards):
    """Params of a search's rules: all that decides this trial, or the whole search."""
    number = wildcards.get("number")
    return plan(wildcards).whole() if number is None else plan(wildcards).told(int(number))


def trials_before(wildcards):
    """Input of `suggest_trial`: the trial before, and the one that has just left the window.

    The first one looks at the folds, whether the batches of the space fit into them; the parameters
    do not depend on them.
    """
    settled(wildcards)
    number, search = int(wildcards.number), plan(wildcards).search
    runs = f"results/{wildcards.study}/runs"
    if number == 0:
        folds = f"results/{wildcards.study}/folds/fold_{{fold}}.csv"
        return ancient(expand(folds, fold=search.folds))
    before = [f"{runs}/{trial_name(number - 1)}/suggestion.json"]
    last = search.seen(number) - 1
    return before + ([f"{runs}/{trial_name(last)}/result.json"] if last >= 0 else [])


def folds_before(wildcards):
    """Input of `train_trial`: where trials may be stopped, its folds before this one."""
    search, fold = plan(wildcards).search, int(wildcards.fold)
    if not search.prunes or fold not in search.folds:
        return []
    base = f"results/{wildcards.study}/runs/{trial_name(int(wildcards.number))}"
    before = search.folds[: search.folds.index(fold)]
    return [f"{base}/fold_{earlier}/results/outcome.json" for earlier in before]


def judging_folds(pattern):
    """Input of `trial_result`: `pattern` for the folds that judge a trial."""

    def read(wildcards):
        settled(wildcards)
        return expand(pattern, fold=plan(wildcards).search.folds, **wildcards)

    return read


def every_trial(pattern):
    """Input of rules that look at all trials: `pattern` for each of them."""

    def read(wildcards):
        settled(wildcards)
        names = map(trial_name, range(plan(wildcards).search.trials))
        return expand(pattern, trial=list(names), **wildcards)

    return read


def searched_studies(pattern):
    """Targets: `pattern` for each study that has a search."""

    def read(wildcards):
        names = [name for name in config["studies"] if PLANS[name] is not None]
        if not names:
            refuse(
                "No study of config/config.yaml has a search. Add `search:` to a study's file; "
                "docs/search.md describes it."
            )
        return expand(pattern, study=names)

    return read


def search_plot(page):
    """Output of `collect_search`: a plot, with its title in Snakemake's own report."""
    return report(
        f"results/{{study}}/search/plots/{page}.html",
        caption="../report/search.rst",
        category="{study}",
        subcategory="search",
        labels={"title": page.replace("_", " ").capitalize()},
    )


def analysed_studies(wildcards):
    """Targets: the analysis of the search, of each study whose report tells of the search."""
    told = [name for name in config["studies"] if "search" in STUDIES[name]["report"]["search"]]
    return expand("results/{study}/search/analysis/ANALYSIS_COMPLETE.md", study=told)


def tuned_holdouts(wildcards):
    """Targets: what no trial has seen, judged by the tuned run, of each study that has a holdout."""
    names = [name for name in config["studies"] if PLANS[name] is not None]
    return [path for name in names for path in state.holdout_files(STUDIES[name], "tuned")]


def whole_study(wildcards):
    """Params of `best_params`: the study, of which it writes a copy with the best parameters."""
    return without_paths(STUDIES[wildcards.study])


def trial_settings(wildcards):
    """Params of `tuned_params`: what all trials share."""
    return plan(wildcards).base


def objective_of_search(wildcards):
    """Params of `compare_runs`: the metric that the verdict is about, and which way is better."""
    first = plan(wildcards).search.objectives[0]
    return first.metric, first.direction[:3]


def compared_runs(wildcards):
    """Params of `compare_runs`: by seed, the folders of the baseline and of the tuned run."""
    runs = f"results/{wildcards.study}/runs"
    own = plan(wildcards).base["seed"]
    return {own: [f"{runs}/cv", f"{runs}/tuned"]} | {
        seed: [f"{runs}/cv_seed{seed}", f"{runs}/tuned_seed{seed}"]
        for seed in plan(wildcards).raw["seeds"]
    }


def compared_files(wildcards):
    """Input of `compare_runs`: predictions and metrics of all folds of the compared runs."""
    return expand(
        "{run}/fold_{fold}/results/{name}",
        run=[run for pair in compared_runs(wildcards).values() for run in pair],
        fold=fold_numbers(wildcards),
        name=["val_predictions.csv", "metrics/val_metrics.json"],
    )


def outer_files(name):
    """Input of `nested_summary`: file `name` of the fold that each nested run is judged on."""

    def read(wildcards):
        settled(wildcards)
        base = f"results/{wildcards.study}/runs"
        return [
            f"{base}/nested_{outer}/fold_{outer}/results/{name}"
            for outer in fold_numbers(wildcards)
        ]

    return read


def outer_choices(wildcards):
    """Input of `nested_summary`: what each inner search chose."""
    names = [f"{wildcards.study}.outer_{outer}" for outer in fold_numbers(wildcards)]
    return [f"results/{name}/search/{name}_best_params.json" for name in names]
