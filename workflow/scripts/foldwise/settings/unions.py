"""Unions by name: of a loss, a schedule or a sampler, only the keys that the chosen one reads.

In a schema, `by: {name: {focal: {properties: {gamma: ...}}}}` beside `properties` says which
further keys there are where the key `name` is `focal`. Standard library only.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


def properties_of(part: dict) -> dict[str, dict]:
    """The keys that a part of a schema has of its own; none where it is no mapping."""
    return part.get("properties") or {}


@dataclass(frozen=True)
class Union:
    """One union: the dotted path of its branch, the key that chooses, and the keys by choice."""

    path: str
    chooser: str
    choices: dict[str, dict[str, dict]]
    default: Any

    def readers(self, key: str) -> list[str]:
        """The choices that read `key`."""
        return [choice for choice, keys in self.choices.items() if key in keys]

    @property
    def default_branch(self) -> dict[str, Any]:
        """What stands for a branch that chooses nothing."""
        return {self.chooser: self.default}

    @property
    def keys(self) -> list[str]:
        """All keys that some choice reads and another may not."""
        return list(dict.fromkeys(key for keys in self.choices.values() for key in keys))

    def dotted(self, key: str) -> str:
        """The dotted path of a key of this branch."""
        return f"{self.path}.{key}".lstrip(".")


def union_of(part: dict, path: str = "") -> Union | None:
    """The union that a part of a schema is, if it is one."""
    if "by" not in part:
        return None
    ((chooser, branches),) = part["by"].items()
    choices = {name: properties_of(branch) for name, branch in branches.items()}
    return Union(path, chooser, choices, part["properties"][chooser]["default"])


def unions_in(part: dict, path: str = "") -> Iterator[Union]:
    """All unions of a schema, outer ones first; those inside lists are left out."""
    union = union_of(part, path)
    if union:
        yield union
    for key, inner in properties_of(part).items():
        yield from unions_in(inner, f"{path}.{key}".lstrip("."))


def chosen(part: dict, value: Any) -> dict:
    """The plain schema of `value` where `part` is a union: closed over what its choice reads."""
    union = union_of(part)
    if union is None or not isinstance(value, dict):
        return part
    name = (union.default_branch | value)[union.chooser]
    plain = {key: inner for key, inner in part.items() if key != "by"}
    own = part["properties"][union.chooser] | {"enum": list(union.choices)}
    plain["properties"] = part["properties"] | {union.chooser: own}
    if not isinstance(name, str) or name not in union.choices:
        # An unknown name is one fault; that its keys are unknown too says nothing more.
        return plain | {"additionalProperties": True}
    plain["properties"] |= union.choices[name]
    return plain | {"choice": name, "union": union}


def chosen_throughout(part: dict, value: Any) -> dict:
    """`part` with each union in it, however deep, as the plain schema of what `value` chooses."""
    if isinstance(value, list) and "items" in part:
        return part | {"prefixItems": [chosen_throughout(part["items"], item) for item in value]}
    plain = chosen(part, value)
    if not isinstance(value, dict) or "properties" not in plain:
        return plain
    inner = {
        key: chosen_throughout(inner, value[key]) if key in value else inner
        for key, inner in plain["properties"].items()
    }
    return plain | {"properties": inner}


def rechosen(part: dict, before: dict, name: Any) -> dict:
    """The branch `before` of a union once its choice is `name`.

    Values that both choices read are carried over, but for those left at the old one's default;
    all else takes the new one's. An unknown name changes nothing: it is refused by the schema.
    """
    union = union_of(part)
    old, new = union.choices.get(before[union.chooser]), None
    if isinstance(name, str):
        new = union.choices.get(name)
    after = before | {union.chooser: name}
    if old is None or new is None:
        return after
    for key in old:
        # A value at the old default was not chosen by anybody: the new choice has its own.
        if key in after and (key not in new or after[key] == old[key].get("default")):
            del after[key]
    defaults = {key: inner["default"] for key, inner in new.items() if "default" in inner}
    return copy.deepcopy(defaults) | after
