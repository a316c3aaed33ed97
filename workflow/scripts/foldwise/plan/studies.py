"""The studies of a config, and what rules read of them: params, threads, paths of inputs.

Methods that take `wildcards` are used in the rule files as they are. None of them asks the disk for
a result: that the cohort comes first is said in the rule files (`current`). Standard library,
PyYAML and jsonschema only.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from foldwise.plan import state
from foldwise.plan.faster.params import of_wildcards
from foldwise.plan.fingerprint import code_of, words
from foldwise.search.given import read_given
from foldwise.search.plan import Plan, check_plan, outer_study, plan_of
from foldwise.settings.paths import without_paths
from foldwise.settings.study import (
    answers_of,
    joined,
    load_configured,
    origin,
    run_settings,
    teacher_of,
    with_changes,
)
from foldwise.settings.teachers import PREFIX, check_changes, split, variant, variants

HISTORY = "results/{study}/runs/{run}/fold_{fold}/results/train_history.json"

Wildcards = Any  # Snakemake's: attributes and `get`
TRIAL = "trial_"  # begins the name of a trial's run


class Studies:
    """Studies by name, those inside outer folds among them, and the plans of their searches."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.names = list(config["studies"])
        self.by_name = {name: load_configured(name, config) for name in self.names}
        # Those with models of their own, and not with a bundle's.
        self.training = [n for n, s in self.by_name.items() if not s["validate"]["bundle"]]
        self.caches = {state.cache_key(study): study for study in self.by_name.values()}
        for name in self.names:
            # An outer fold is a study: each rule serves it as it is.
            if (study := self.by_name[name])["search"] is not None:
                inner = [outer_study(study, outer) for outer in state.fold_numbers(study)]
                self.by_name |= {each["name"]: each for each in inner}
        self.plans: dict[str, Plan | None] = {}
        for name, study in self.by_name.items():
            self.plans[name] = plan = plan_of(study, state.fold_numbers(study))
            # A space in a file of its own is part of the study like any other setting.
            study["search"] = plan and plan.raw
        self.hyperparams = config["hyperparams"]
        self.given = read_given(self.hyperparams) if self.hyperparams else {}
        self.variants = {name: self._variants(name) for name in self.by_name}
        self.remember()

    def remember(self) -> None:
        """Answers that are asked for each job, and are the same for all jobs of a run."""
        self.settings_of_run = functools.cache(self._settings_of_run)
        self.words_among_runs = functools.cache(self._words_of_run)
        self.cache_of_study = functools.cache(self._cache_of_study)
        self.archive_of_study = functools.cache(self._archive_of_study)

    def check_searches(self) -> None:
        """Raise FoldwiseError with all that is wrong with a study's search or given parameters."""
        for name in self.names:
            if plan := self.plans[name]:
                check_plan(self.by_name[name], plan)
            if self.given:
                study = self.by_name[name]
                check_changes(study, "tuned", self.given, f"{name}: {self.hyperparams}")

    def of(self, wildcards: Wildcards) -> dict[str, Any]:
        """Settings of the study that a job works for."""
        return self.by_name[wildcards.study]

    def shown(self, wildcards: Wildcards) -> dict[str, Any]:
        """Params: all settings of the study, without where its archive is."""
        return without_paths(self.of(wildcards))

    def settings(self, *paths: str) -> Callable[[Wildcards], dict[str, Any]]:
        """Params: just these settings, by dotted path, so that others rerun nothing."""

        def read(wildcards: Wildcards) -> dict[str, Any]:
            return state.settings_at(self.of(wildcards), paths)

        return of_wildcards(read)

    def code(self, rule: str, of_trials: bool = False) -> Callable[[Wildcards], str]:
        """Params: a digest of the code that the job's run reaches from this rule's adapter.

        `of_trials`: of a rule that has no run and works with what trials are made of.
        """

        def read(wildcards: Wildcards) -> str:
            run = TRIAL if of_trials else run_of(wildcards)
            return code_of(rule, self.words_of_run(wildcards.study, run))

        return of_wildcards(read)

    def _variants(self, name: str) -> dict[str, dict[str, Any]]:
        """Run -> its changes, of each teacher that trials of a study, or `tuned`, may have."""
        plan = self.plans[name]
        space = plan.search.space if plan else ()
        # Of these alone: listing a wide range takes time, and each job that is planned waits.
        listed = {one.key: one.values() for one in space if one.key.startswith(PREFIX)}
        whole = {key: values for key, values in listed.items() if values is not None}
        return variants(self.by_name[name], split(whole)[1], self.given)

    def words_of_run(self, study: str, run: str) -> frozenset[str]:
        """Words by which the code of a run's rules is followed; all trials share theirs."""
        # A set for each of thousands of trials would be made, and stay in memory.
        of_trial = run.startswith(TRIAL) and run not in self.variants[study]
        return self.words_among_runs(study, TRIAL if of_trial else run)

    def _words_of_run(self, study: str, run: str) -> frozenset[str]:
        if run in self.variants[study]:
            return words(self.settings_of_run(study, run))
        named = state.code_words(self.by_name[study], run)
        return named | words(self.given) if run.startswith("tuned") else named

    def baseline_code(self, rule: str) -> Callable[[Wildcards], str]:
        """Params: a digest of the code of the one method that the rule fits, of no network's."""

        def read(wildcards: Wildcards) -> str:
            return code_of(rule, frozenset([self.of(wildcards)["kind"], wildcards.baseline]))

        return read

    @of_wildcards
    def archive(self, wildcards: Wildcards) -> dict[str, str]:
        """Params of `cohort`: sizes and times of the archive's files and the table's digest."""
        return self.archive_of_study(wildcards.study)

    def _archive_of_study(self, name: str) -> dict[str, str]:
        return state.archive_state(self.by_name[name])

    def table(self, wildcards: Wildcards) -> str:
        """Params of `subgroup_values`: the table's digest."""
        return state.table_state(self.of(wildcards))

    @of_wildcards
    def cache_key(self, wildcards: Wildcards) -> str:
        """Params: name of the cache that holds the study's images."""
        return self.cache_of_study(wildcards.study)

    def _cache_of_study(self, name: str) -> str:
        return state.cache_key(self.by_name[name])

    def cached(self, wildcards: Wildcards) -> dict[str, Any]:
        """Params of `cache_shard`: what a reader must know, from any study with this cache key."""
        study = self.caches[wildcards.key]
        return {"reader": study["data"]["reader"], "image": study["image"]}

    def run_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Params of `run_params`: all settings of a named run."""
        return self.settings_of_run(wildcards.study, wildcards.run)

    def _settings_of_run(self, study: str, run: str) -> dict[str, Any]:
        if run in self.variants[study]:
            return with_changes(self.by_name[study], run, self.variants[study][run], study)
        return run_settings(self.by_name[study], run)

    @of_wildcards
    def threads(self, wildcards: Wildcards) -> int:
        """Threads of a training job: a setting of the run, since results depend on it."""
        return self.of(wildcards)["training"]["threads"]

    @of_wildcards
    def group(self, wildcards: Wildcards) -> str:
        """Params: what a group of the study is, to be called by that name."""
        return self.of(wildcards)["data"]["group"]

    @of_wildcards
    def folds(self, wildcards: Wildcards) -> list[int]:
        """Numbers of the study's folds, from 1."""
        return state.fold_numbers(self.of(wildcards))

    def embeddings(self, wildcards: Wildcards) -> list[str]:
        """Input: embeddings that the run joins to the head's input."""
        study, run = self.of(wildcards), run_of(wildcards)
        first = origin(study, run)[0]
        named = first in study["runs"] or first in self.variants[study["name"]]
        model = self.settings_of_run(study["name"], run)["model"] if named else study["model"]
        folder = joined(study["name"], model).get("embeddings")
        return [f"{folder}/features.npy", f"{folder}/metadata.csv"] if folder else []

    def texts(self, wildcards: Wildcards) -> list[str]:
        """Input of rules that ask a model: the texts of a study that has any.

        An outer fold of nested cross-validation reads those of its study.
        """
        if not self.of(wildcards)["data"]["columns"]["texts"]:
            return []
        return [f"results/{around(wildcards.study)}/private/texts.csv"]

    def taught(self, wildcards: Wildcards) -> list[str]:
        """Input of training: the answers of the run's teacher, of the same fold, if it has one.

        Which teacher a trial has is known once it is proposed: it waits for all that it may have.
        """
        runs, of_fold = f"results/{wildcards.study}/runs", f"fold_{wildcards.fold}/results"
        crossed = answers_of(self.of(wildcards), run_of(wildcards)) == "cross_fitted"
        name = "taught_crossed" if crossed else "taught"
        teachers = self._teachers(wildcards.study, run_of(wildcards))
        return [f"{runs}/{teacher}/{of_fold}/{name}.npz" for teacher in teachers]

    def _teachers(self, name: str, run: str) -> list[str]:
        study, changed = self.by_name[name], self.variants[name]
        teacher = teacher_of(study, run)
        if run in changed:
            teacher = self.settings_of_run(name, run)["training"]["teacher"]
        elif run.startswith("tuned") and self.given:
            teacher = teacher and variant(teacher, split(self.given)[1])
        elif changed and run.startswith(("trial_", "tuned", "nested_")):
            return list(changed)
        return [teacher] if teacher else []

    def histories(self, wildcards: Wildcards) -> list[str]:
        """Input of `cv_summary`: epochs of each fold; a classical method has none."""
        if wildcards.run.startswith("baseline_"):
            return []
        return self.over_folds(HISTORY)(wildcards)

    def over_folds(self, pattern: str) -> Callable[[Wildcards], list[str]]:
        """Input: `pattern` for every fold of the study."""

        def read(wildcards: Wildcards) -> list[str]:
            numbers = self.folds(wildcards)
            return [pattern.format(**{**wildcards, "fold": fold}) for fold in numbers]

        return read


def run_of(wildcards: Wildcards) -> str:
    """The run of a job; of a rule of trials the trial; empty where there is none."""
    run, number = wildcards.get("run"), wildcards.get("number")
    if run is None and number is not None:
        return f"{TRIAL}{number}"
    return run or ""


def around(study: str) -> str:
    """The study itself; of one inside an outer fold, the one around it."""
    return study.partition(".")[0]
