"""What rules read of repeats of the reported run: other seeds, smaller training parts.

Methods that take `wildcards` are used in the rule files as they are. Standard library, PyYAML and
jsonschema only.
"""

from collections.abc import Callable, Iterator
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.plan import state
from foldwise.plan.studies import Studies, Wildcards
from foldwise.plan.targets import OF_FOLD as TRAINED
from foldwise.plan.targets import fold_files, run_files
from foldwise.settings.study import setting_of

# Part that is asked for -> the key of a study that asks for it, an example, and its file.
PARTS = {
    "seeds": ("seeds", "[1, 2, 3]", "seed_variance.json"),
    "learning_curve": ("learning_curve", "[20, 40, 60, 80]", "learning_curve.json"),
}
JUDGED = ("val_predictions.csv", "metrics/val_metrics.json")


class Evidence:
    """Repeats of the reported runs of the studies."""

    def __init__(self, studies: Studies) -> None:
        self.studies = studies

    def seeds(self, wildcards: Wildcards) -> dict[int, str]:
        """Params of `seed_variance`: seed -> folder of its run, the reported one first."""
        return {seed: _folder(wildcards.study, run) for seed, run in seeds_of(self._of(wildcards))}

    def sizes(self, wildcards: Wildcards) -> dict[int, str]:
        """Params of `fit_learning_curve`: per cent -> folder of its run, the whole last."""
        return {part: _folder(wildcards.study, run) for part, run in parts_of(self._of(wildcards))}

    def files_of_seeds(self, wildcards: Wildcards) -> list[str]:
        """Input of `seed_variance`: predictions and metrics of all folds of all seeds."""
        return self._files(wildcards, self.seeds(wildcards))

    def files_of_sizes(self, wildcards: Wildcards) -> list[str]:
        """Input of `fit_learning_curve`: the same of all sizes."""
        return self._files(wildcards, self.sizes(wildcards))

    def _of(self, wildcards: Wildcards) -> dict[str, Any]:
        return self.studies.of(wildcards)

    def _files(self, wildcards: Wildcards, runs: dict[int, str]) -> list[str]:
        folds = self.studies.folds(wildcards)
        return [
            f"{run}/fold_{fold}/results/{name}"
            for run in runs.values()
            for fold in folds
            for name in JUDGED
        ]

    def targets(self, part: str) -> Callable[[Wildcards], list[str]]:
        """Targets of a part, of each study that asks for it."""
        key, example, name = PARTS[part]

        def read(_: Wildcards) -> list[str]:
            asking = [name for name in self.studies.names if self.studies.by_name[name][key]]
            if not asking:
                studies = ", ".join(self.studies.names)
                raise FoldwiseError(
                    f"None of the studies ({studies}) has `{key}`. Add `{key}: {example}` to a "
                    f'study\'s file, or --config set="{key}={example.replace(" ", "")}".'
                )
            made = []
            for study in asking:
                settings = self.studies.by_name[study]
                made += [f"{_folder(study, settings['report']['run'])}/{name}"]
                made += [
                    path for run in repeats(settings, part) for path in run_files(settings, run)
                ]
            return made

        return read

    def all_targets(self, _: Wildcards) -> list[str]:
        """Files of repeats that the pages of all studies tell of."""
        names = self.studies.names
        return [path for name in names for part in PARTS for path in self._repeats(name, part)]

    def _repeats(self, name: str, part: str) -> list[str]:
        study = self.studies.by_name[name]
        # A smaller part's summary would take the whole part for its own: the curve is its summary.
        if part == "learning_curve":
            return [
                path
                for run in repeats(study, part)
                for path in fold_files(_folder(name, run), state.fold_numbers(study), TRAINED)
            ]
        return [path for run in repeats(study, part) for path in run_files(study, run)]


def seeds_of(study: dict) -> Iterator[tuple[int, str]]:
    """Seed and name of each run, the reported one first."""
    run = study["report"]["run"]
    yield setting_of(study, run, "seed"), run
    for seed in study["seeds"]:
        yield seed, f"{run}_seed{seed}"


def parts_of(study: dict) -> Iterator[tuple[int, str]]:
    """Per cent and name of each run, from the least; the whole is the reported run."""
    run = study["report"]["run"]
    for part in sorted(study["learning_curve"] or []):
        yield part, f"{run}_part{part}"
    yield 100, run


def repeats(study: dict, part: str) -> list[str]:
    """Names of the runs of a part beside the reported one."""
    pairs = seeds_of(study) if part == "seeds" else parts_of(study)
    return [run for _, run in pairs if run != study["report"]["run"]]


def _folder(study: str, run: str) -> str:
    return f"results/{study}/runs/{run}"
