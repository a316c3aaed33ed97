"""What the rules of a search read of its plan: what each trial waits for, and what comes of it.

Methods that take `wildcards` are used in the rule files as they are. They raise FoldwiseError for a
study without a search. Standard library, PyYAML and jsonschema only.
"""

import csv
from collections.abc import Callable
from itertools import product
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.metrics import judging
from foldwise.plan import state
from foldwise.plan.faster.params import of_wildcards
from foldwise.plan.studies import Studies, Wildcards
from foldwise.plan.targets import (
    nested_files,
    run_files,
    search_files,
    targets,
    tuned_files,
)
from foldwise.search.plan import Plan, another_search, trial_base
from foldwise.search.trials import trial_name

NONE = "Add `search:` to {}; docs/search.md describes it."


class Searches:
    """The searches of the studies that have one."""

    def __init__(self, studies: Studies) -> None:
        self.studies = studies
        self.names = [name for name in studies.names if studies.plans[name] is not None]

    def plan(self, wildcards: Wildcards) -> Plan:
        """The search of a study; one without is told so."""
        plan = self.studies.plans[wildcards.study]
        if plan is None:
            name = wildcards.study
            raise FoldwiseError(f"Study '{name}' has no search. {NONE.format('its file')}")
        return plan

    def started_otherwise(self) -> list[str]:
        """A line for each study whose trials were made by another search."""
        sentences = []
        for name in self.names:
            reason = another_search(f"results/{name}/runs", self.studies.plans[name].search)
            sentences += [f"{name}: {reason}"] if reason else []
        return sentences

    @of_wildcards
    def all_params(self, wildcards: Wildcards) -> dict[str, Any]:
        """Params: all that decides this trial, or the whole search."""
        number = wildcards.get("number")
        plan = self.plan(wildcards)
        return plan.whole() if number is None else plan.of_trial(int(number))

    @of_wildcards
    def choice(self, wildcards: Wildcards) -> dict[str, Any]:
        """Params of rules that choose among all trials: what decides these, and their number."""
        return self.plan(wildcards).choice()

    @of_wildcards
    def base(self, wildcards: Wildcards) -> dict[str, Any]:
        """Params: what all trials share, or a run without changes where there is no search."""
        search_plan = self.studies.plans[wildcards.study]
        return search_plan.base if search_plan else trial_base(self.studies.of(wildcards))

    def chosen(self, wildcards: Wildcards) -> str:
        """Input of `tuned_params`: the best parameters, from --config hyperparams or the search."""
        name = wildcards.study
        return self.studies.hyperparams or f"results/{name}/search/{name}_best_params.json"

    def summaries(self, wildcards: Wildcards) -> list[str]:
        """Input of `compare_runs`: the search's summary, unless its parameters are given."""
        given = self.studies.hyperparams
        return [] if given else [f"results/{wildcards.study}/search/study_summary.json"]

    def objective(self, wildcards: Wildcards) -> tuple[str, str]:
        """Params: the metric that a verdict is about, and which way is better."""
        if plan := self.studies.plans[wildcards.study]:
            first = plan.search.objectives[0]
            # Optuna says maximize where a verdict says max.
            return first.metric, first.direction[:3]
        base = self.base(wildcards)
        metrics = judging(base["kind"], base["task"])
        metric = base["training"]["monitor"] or next(iter(metrics))
        return metric, metrics[metric]

    def before(self, wildcards: Wildcards) -> list[str]:
        """Input of `suggest_trial`: the trial before, and the one that has just left the window.

        The first one looks at the folds, whether the batches of the space fit into them.
        """
        number, search = int(wildcards.number), self.plan(wildcards).search
        base = f"results/{wildcards.study}"
        if number == 0:
            return [f"{base}/folds/fold_{fold}.csv" for fold in search.folds]
        before = [f"{base}/runs/{trial_name(number - 1)}/suggestion.json"]
        last = search.seen(number) - 1
        # Older results are there by then: each trial before has waited for the one before it.
        return before + ([f"{base}/runs/{trial_name(last)}/result.json"] if last >= 0 else [])

    def folds_before(self, wildcards: Wildcards) -> list[str]:
        """Input of `train_trial`: where trials may be stopped, its folds before this one."""
        search, fold = self.plan(wildcards).search, int(wildcards.fold)
        # Without pruning folds do not wait for each other: all of a trial's may run at once.
        if not search.prunes or fold not in search.folds:
            return []
        before = search.folds[: search.folds.index(fold)]
        base = f"results/{wildcards.study}/runs/{trial_name(int(wildcards.number))}"
        return [f"{base}/fold_{earlier}/results/outcome.json" for earlier in before]

    def over_judging_folds(self, pattern: str) -> Callable[[Wildcards], list[str]]:
        """Input of `trial_result`: `pattern` for the folds that judge a trial."""

        def read(wildcards: Wildcards) -> list[str]:
            folds = self.plan(wildcards).search.folds
            return [pattern.format(**{**wildcards, "fold": fold}) for fold in folds]

        return read

    def over_trials(self, pattern: str) -> Callable[[Wildcards], list[str]]:
        """Input of rules that look at all trials: `pattern` for each of them, or of its folds."""

        def read(wildcards: Wildcards) -> list[str]:
            search = self.plan(wildcards).search
            names = [trial_name(number) for number in range(search.trials)]
            places = product(names, search.folds if "{fold}" in pattern else (None,))
            return [pattern.format(**{**wildcards, "trial": t, "fold": f}) for t, f in places]

        return read

    def keeping(self) -> list[str]:
        """Studies of which some trials are kept as full runs."""
        return [name for name in self.names if self.studies.plans[name].raw["keep"]]

    def kept_files(self, name: str, table: str) -> list[str]:
        """All files of the best trials that a study keeps, by the table of its finished search."""
        with open(table, encoding="utf-8", newline="") as stream:
            # Trials that failed, were stopped or had another budget have no rank.
            ranked = [row["trial"] for row in csv.DictReader(stream) if row["rank"]]
        kept = ranked[: self.studies.plans[name].raw["keep"]]
        return [path for run in kept for path in run_files(self.studies.by_name[name], run)]

    def compared_runs(self, wildcards: Wildcards) -> dict[int, list[str]]:
        """Params of `compare_runs`: by seed, the folders of the baseline and of the tuned run."""
        study, runs = self.studies.of(wildcards), f"results/{wildcards.study}/runs"
        pairs = {study["seed"]: [f"{runs}/cv", f"{runs}/tuned"]}
        return pairs | {
            seed: [f"{runs}/cv_seed{seed}", f"{runs}/tuned_seed{seed}"]
            for seed in (study["search"] or {"seeds": []})["seeds"]
        }

    def compared_files(self, wildcards: Wildcards) -> list[str]:
        """Input of `compare_runs`: predictions and metrics of all folds of the compared runs."""
        return [
            f"{run}/fold_{fold}/results/{name}"
            for pair in self.compared_runs(wildcards).values()
            for run in pair
            for fold in self.studies.folds(wildcards)
            for name in ("val_predictions.csv", "metrics/val_metrics.json", "train_history.json")
        ]

    def over_outer_folds(self, name: str) -> Callable[[Wildcards], list[str]]:
        """Input of `nested_summary`: file `name` of the fold that each nested run is judged on."""

        def read(wildcards: Wildcards) -> list[str]:
            base, outer = f"results/{wildcards.study}/runs", self.studies.folds(wildcards)
            return [f"{base}/nested_{fold}/fold_{fold}/results/{name}" for fold in outer]

        return read

    def outer_choices(self, wildcards: Wildcards) -> list[str]:
        """Input of `nested_summary`: what each inner search chose."""
        names = [f"{wildcards.study}.outer_{fold}" for fold in self.studies.folds(wildcards)]
        return [f"results/{name}/search/{name}_best_params.json" for name in names]

    def targets(self, part: str) -> Callable[[Wildcards], list[str]]:
        """Targets of a part (search, analysis, tuned, nested), of each study with a search."""

        def read(_: Wildcards) -> list[str]:
            names = self.names
            # Parameters of a file need no search of the study's own.
            if part == "tuned" and self.studies.hyperparams:
                names = self.studies.names
            if not names:
                where = NONE.format("a study's file")
                studies = ", ".join(self.studies.names)
                raise FoldwiseError(f"None of the studies ({studies}) has a search. {where}")
            return [path for name in names for path in self.files_of(name, part)]

        return read

    def files_of(self, name: str, part: str) -> list[str]:
        """Files of one part of one study's search."""
        study, plans = self.studies.by_name[name], self.studies.plans
        if part == "analysis":
            return [f"results/{name}/search/analysis/ANALYSIS_COMPLETE.md"]
        if part == "nested":
            outer = state.fold_numbers(study)
            inner = {fold: self.studies.by_name[f"{name}.outer_{fold}"] for fold in outer}
            return nested_files(study, plans, inner)
        if part == "tuned":
            return tuned_files(study, given=self.studies.hyperparams is not None)
        return search_files(study, plans[name])

    def all_targets(self, _: Wildcards) -> list[str]:
        """All that `snakemake` makes when no target is named."""
        made = []
        for name in self.studies.names:
            study = self.studies.by_name[name]
            made += targets(study)
            # The report tells of these parts, which are then made for it.
            for part in study["report"]["search"]:
                made += self.files_of(name, part)
        return made
