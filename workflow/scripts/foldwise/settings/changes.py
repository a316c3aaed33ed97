"""Settings with some values set by dotted path: runs, trials, and keys from the command line.

Standard library only, with the schemas: this runs whenever the DAG is built, and in jobs.
"""

import copy
import functools
import shlex
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.settings.names import hint
from foldwise.settings.schema import as_meant, complete, not_read, paths, present_path, schema
from foldwise.settings.unions import Union, properties_of, rechosen, unions_in
from foldwise.settings.yaml_file import parse_yaml

# Settings of branch `data` that say where things are.
PLACES = ("root", "table", "exclusions", "splits")


@functools.cache
def study_unions() -> dict[str, Union]:
    """The unions of a study's settings, by the dotted path of the key that chooses."""
    return {union.dotted(union.chooser): union for union in unions_in(schema("study"))}


def present(changes: dict[str, Any]) -> dict[str, Any]:
    """Changes by dotted path, the paths by their names of today."""
    return {present_path("study", path): value for path, value in changes.items()}


def parse_changes(text: str, where: str = "--config set") -> dict[str, Any]:
    """`training.epochs=2 data.subset=0.1` as changes by dotted path, values read as YAML.

    Paths of the archive are refused: a command line is seen by all on a machine, and is recorded.
    """
    try:
        # As a shell splits: a value with blanks can be put in quotes.
        words = shlex.split(text)
    except ValueError as error:
        raise FoldwiseError(f"{where}: {text!r}: {error}. Close each quote.") from error
    changes = {}
    for word in words:
        path, equals, value = word.partition("=")
        if not equals:
            raise FoldwiseError(
                f"{where}: {word!r} is no `key=value`. Write for example "
                '`--config set="training.epochs=2 data.subset=0.1"`.'
            )
        if path.startswith("data.") and path.split(".")[1] in PLACES:
            raise FoldwiseError(f"{where}: {path} names a place. Write it into the study's file.")
        changes[path] = parse_yaml(value, f"{where}: {path}")
    return present(changes)


def override(settings: dict, changes: dict[str, Any], where: str) -> dict:
    """A copy of `settings` with values set by dotted path; an unknown path is an error.

    Where a change chooses another loss, schedule or the like, its keys take the place of the old
    one's (`rechosen`); so choices come before the keys that depend on them.
    """
    # Deep: runs and trials share the study's branches, which must stay as they are.
    changed = copy.deepcopy(settings)
    # A choice first: it would else take away what was set for it.
    for path, value in sorted(changes.items(), key=_order):
        *branches, leaf = path.split(".")
        part = changed
        for step in branches:
            part = part.get(step) if isinstance(part, dict) else None
        stated = isinstance(part, dict) and leaf in part
        if not stated and not _optional(part, branches, leaf):
            raise FoldwiseError(f"{where}: {_unknown(path, changed)}")
        if path in study_unions():
            after = rechosen(part_at(".".join(branches)), part, value)
            part.clear()
            part |= after
        part[leaf] = complete(part_at(path), as_meant(part_at(path), value))
    return changed


def _optional(part: Any, branches: list[str], leaf: str) -> bool:
    """Whether a key that nothing stated may be set, such as a map's, or one without a default."""
    schema_part = part_at(".".join(branches))
    named = leaf in properties_of(schema_part)
    return isinstance(part, dict) and (
        named or isinstance(schema_part.get("additionalProperties"), dict)
    )


def _order(change: tuple[str, Any]) -> tuple[int, bool]:
    """Whole branches first, then what chooses the keys of a branch, then these."""
    return change[0].count("."), change[0] not in study_unions()


def defaults_for(settings: dict[str, Any]) -> dict[str, Any]:
    """The defaults, by dotted path, beside the losses, schedules and the like that are chosen."""
    chosen: dict[str, Any] = {}
    for path in study_unions():
        *branches, leaf = path.split(".")
        part = chosen
        for step in branches:
            part = part.setdefault(step, {})
        if path in settings:
            part[leaf] = settings[path]
    return dotted(complete(schema("study"), chosen))


def part_at(path: str) -> dict:
    """The part of the study's schema at a dotted path; empty where there is none of its own."""
    part = schema("study")
    for step in path.split(".") if path else ():
        part = properties_of(part).get(step) or {}
    return part


def _unknown(path: str, settings: dict) -> str:
    """What to say of a setting that there is not, or not beside what others choose."""
    branch, _, leaf = path.rpartition(".")
    for union in study_unions().values():
        readers = union.readers(leaf) if union.path == branch else []
        if readers:
            return not_read(path, dotted(settings).get(union.dotted(union.chooser)), readers)
    missing = _missing_branch(path, settings)
    if missing:
        return (
            f"'{path}' has no place: the study states no '{missing}'. Write this branch into the "
            f"study's file, or set it as a whole: '{missing}={{...}}'."
        )
    return f"unknown setting '{path}'.{hint(path, paths(schema('study')))}"


def _missing_branch(path: str, settings: dict) -> str:
    """The branch in which a setting of the schema would stand, where the study has none of it."""
    steps, part = path.split("."), settings
    for number, step in enumerate(steps[:-1], 1):
        part = part.get(step) if isinstance(part, dict) else None
        branch = ".".join(steps[:number])
        if part is None:
            # What the schema does not know either is misspelt.
            return branch if steps[number] in properties_of(part_at(branch)) else ""
    return ""


def dotted(settings: dict, prefix: str = "") -> dict[str, Any]:
    """Leaves of nested settings by dotted path."""
    leaves = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            leaves |= dotted(value, f"{prefix}{key}.")
        else:
            leaves[prefix + key] = value
    return leaves
