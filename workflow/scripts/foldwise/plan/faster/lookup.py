"""Rules by the names of the files that they make.

Snakemake looks for the rule of each file among those whose paths begin alike, which here are all
of them (`results/`): for each file of a plan, each output of each rule. Nearly all outputs end in a
name without wildcards, by which they are found at once.
"""

from collections.abc import Iterator
from typing import Any

Rule = Any  # Snakemake's


def by_name(index_class: type) -> None:
    """Have Snakemake's index of outputs look at the files' names first."""
    make = index_class.__init__
    if make.__module__ == __name__ or not hasattr(index_class, "match"):
        return  # another workflow of this process has asked for it, or there is none

    def __init__(self: Any, rules: list[Rule]) -> None:
        make(self, rules)
        self.names, self.others = entries(rules)

    def match(self: Any, path: str) -> set[Rule]:
        name = path.rpartition("/")[2]
        kinds = self.others.get(name.rpartition(".")[2], ()), self.others.get("", ())
        candidates = self.names.get(name, ()), *kinds
        return {
            rule
            for some in candidates
            for rule, start, end in some
            if path.startswith(start) and path.endswith(end)
        }

    index_class.__init__, index_class.match = __init__, match


Entry = tuple[Rule, str, str]  # with what is constant at the start and at the end of an output


def entries(rules: list[Rule]) -> tuple[dict[str, list[Entry]], dict[str, list[Entry]]]:
    """Outputs by name, and those whose name has a wildcard by ending, without a point as "".

    A path without a point has its whole name for an ending, which then is none of an output's.
    """
    names: dict[str, list[Entry]] = {}
    others: dict[str, list[Entry]] = {}
    for rule, start, end in _outputs(rules):
        _, slash, name = end.rpartition("/")
        _, point, ending = name.rpartition(".")
        listed = (
            names.setdefault(name, []) if slash else others.setdefault(ending * bool(point), [])
        )
        listed.append((rule, start, end))
    return names, others


def _outputs(rules: list[Rule]) -> Iterator[Entry]:
    for rule in rules:
        for path in rule.products():
            yield rule, str(path.constant_prefix()), str(path.constant_suffix())
