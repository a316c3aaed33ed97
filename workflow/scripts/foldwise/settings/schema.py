"""Closed schemas: defaults filled in, numbers and text read as meant, errors in one line each.

Besides JSON schema's own words a part may have: `unit` (for the documentation), `by` (a union, see
`unions.py`), `was` (an old name of this key, still read) and `synonyms` (words for a value).
Standard library, PyYAML and jsonschema only: this runs whenever the DAG is built.
"""

import copy
import functools
import math
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema

from foldwise.errors import FoldwiseError, nearest, plural
from foldwise.settings.names import hint
from foldwise.settings.unions import chosen, chosen_throughout, properties_of, union_of
from foldwise.settings.yaml_file import read_yaml

SCHEMAS = Path(__file__).parents[3] / "schemas"
KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list such as [a, b]",
    "object": "settings as `key: value`",
    "null": "null",
}
# YAML 1.1 reads `1e-4` as text, since it asks for a point; a researcher means the number.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@functools.cache
def schema(name: str) -> dict:
    """The schema `workflow/schemas/<name>.schema.yaml` with its references put in."""

    def resolve(part: Any) -> Any:
        if isinstance(part, dict):
            if set(part) == {"$ref"}:
                return schema(part["$ref"])
            return {key: resolve(value) for key, value in part.items()}
        return part

    return resolve(read_yaml(SCHEMAS / f"{name}.schema.yaml"))


def as_meant(part: dict, value: Any) -> Any:
    """Number-like text as a number where `part` asks for one, an integer as text where for text.

    A union may be written as its name alone.
    """
    union = union_of(part)
    if union and isinstance(value, str):
        value = {union.chooser: value}
    if isinstance(value, dict):
        part = chosen(part, value)
        inner, other = properties_of(part), part.get("additionalProperties")
        other = other if isinstance(other, dict) else {}
        named = {_text(key): item for key, item in value.items()}
        named = {present_name(key, inner, named): item for key, item in named.items()}
        return {key: as_meant(inner.get(key) or other, item) for key, item in named.items()}
    if isinstance(value, list):
        return [as_meant(part.get("items") or {}, item) for item in value]
    if isinstance(value, str) and value in (part.get("synonyms") or ()):
        return part["synonyms"][value]
    types = [kind for option in part.get("oneOf") or [part] for kind in _types(option)]
    if isinstance(value, str) and NUMBER.fullmatch(value) and {"number", "integer"} & set(types):
        number = float(value)
        # 1e3 epochs are 1000; 1.5 stays as it is, for the schema to refuse.
        return int(number) if "integer" in types and number.is_integer() else number
    return _text(value) if "string" in types and "integer" not in types else value


def present_name(key: str, properties: dict, stated: dict) -> str:
    """A key's name of today, told on stderr where an old one was written."""
    for name, inner in properties.items():
        if inner.get("was") == key and name not in stated:
            warn_renamed(key, name)
            return name
    return key


@functools.cache
def warn_renamed(old: str, new: str) -> None:
    """One line on stderr, once a process."""
    print(
        f"Note: the setting {old} is called {new} now; the old name is still read.", file=sys.stderr
    )


def present_path(name: str, path: str) -> str:
    """A dotted path of the schema `name` with its last key's name of today."""
    *branches, leaf = path.split(".")
    part = schema(name)
    for step in branches:
        part = properties_of(part).get(step) or {}
    return ".".join([*branches, present_name(leaf, properties_of(part), {})])


def _text(value: Any) -> Any:
    """Class 1 is class '1'; yes and no, which YAML reads as true and false, are left to fail."""
    # Not isinstance: a bool is an int as well.
    return str(value) if type(value) is int else value


def _types(part: dict) -> list[str]:
    kinds = part.get("type") or []
    return [kinds] if isinstance(kinds, str) else kinds


def complete(part: dict, value: Any) -> Any:
    """Put the schema's defaults where `value` says nothing; `value` is left as it is."""
    if isinstance(value, list) and "items" in part:
        return [complete(part["items"], item) for item in value]
    if not isinstance(value, dict):
        return value
    if "properties" not in part:
        # Entries by names of the study's own, such as labels: what one may say stands once.
        one = part.get("additionalProperties")
        return {k: complete(one, v) for k, v in value.items()} if isinstance(one, dict) else value
    filled, part = dict(value), chosen(part, value)
    for key, inner in part["properties"].items():
        if key not in filled and "default" in inner:
            # A copy: the schema is read once, and lists of it would be shared by all studies.
            filled[key] = as_meant(inner, copy.deepcopy(inner["default"]))
        if key in filled:
            filled[key] = complete(inner, filled[key])
    return filled


def check(name: str, value: Any, where: str) -> dict:
    """Check `value` against the schema and return it as meant and with defaults filled in.

    Raises FoldwiseError that lists every fault as `where: dotted.key: what is wrong`.
    """
    part = schema(name)
    if value is None:
        raise FoldwiseError(f"{where} is empty. config/README.md describes what belongs there.")
    if not isinstance(value, dict):
        raise FoldwiseError(f"{where}: expected settings as `key: value`, found {value!r}.")
    _check_leaves(value, where, "")
    value = complete(part, as_meant(part, value))
    faults = [
        f"{where}: {_message(error)}"
        for error in jsonschema.Draft202012Validator(chosen_throughout(part, value)).iter_errors(
            value
        )
    ]
    if faults:
        # Sorted: jsonschema has an order of its own, which changes with its versions.
        raise FoldwiseError("\n".join(sorted(faults)))
    return value


def _check_leaves(value: Any, where: str, place: str) -> None:
    """Raise FoldwiseError for keys that YAML reads as no text, and for numbers that are none."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) and type(key) is not int:
                raise FoldwiseError(
                    f"{where}: {place or 'top level'}: YAML reads a key there as {key!r}. Put "
                    "quotes around it."
                )
            _check_leaves(inner, where, f"{place}.{key}".lstrip("."))
    if isinstance(value, list):
        for number, inner in enumerate(value):
            _check_leaves(inner, where, f"{place}.{number}")
    if isinstance(value, float) and not math.isfinite(value):
        raise FoldwiseError(f"{where}: {place}: {value} is no number to calculate with.")


def _message(error: jsonschema.ValidationError) -> str:
    place = ".".join(str(step) for step in error.absolute_path) or "top level"
    if error.validator == "additionalProperties" and error.validator_value is False:
        properties = error.schema["properties"]
        hints = [
            _unknown(key, error.schema, place) for key in error.instance if key not in properties
        ]
        return f"{place}: {' '.join(hints)} Known keys: {', '.join(sorted(properties))}."
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{place}: '{missing[0]}' is missing. Add it; config/README.md describes it."
    if error.validator == "enum":
        allowed = [str(option) for option in error.validator_value]
        near = nearest(str(error.instance), allowed)
        return f"{place}: {error.instance!r} is not known.{near} Choose: {', '.join(allowed)}."
    if error.validator == "type":
        return f"{place}: expected {_wanted(error.schema)}, found {_shown(error.instance)}."
    if error.parent is None and error.validator == "pattern":
        return (
            f"{place}: '{error.instance}' is no name: use small letters, digits and _, and begin "
            "with a letter."
        )
    if error.validator == "minItems" and error.validator_value > 1:
        count = plural(len(error.instance), "value")
        text = f"{error.instance} is {count}, and {error.validator_value} are the least"
        return f"{place}: {text}. {error.schema.get('description') or ''}".rstrip()
    if error.validator in ("oneOf", "anyOf"):
        return f"{place}: {error.instance!r} does not fit. {error.schema.get('description') or ''}"
    return f"{place}: {error.message}. {error.schema.get('description') or ''}".rstrip()


def _unknown(key: str, part: dict, place: str) -> str:
    """What to say of a key that a part of the settings does not have."""
    if "union" in part and (readers := part["union"].readers(key)):
        return not_read(key, part["choice"], readers)
    near = hint(key, part["properties"])
    if not near and place == "top level":
        near = hint(key, paths(part))
    return f"unknown key '{key}'.{near}"


def not_read(key: str, choice: Any, readers: list[str]) -> str:
    """What to say of a key that another choice of its union reads."""
    return (
        f"unknown key '{key}': {choice} does not read it, {', '.join(readers)} "
        f"{'does' if len(readers) == 1 else 'do'}. Take it out, or choose such a one."
    )


def paths(part: dict, prefix: str = "") -> list[str]:
    """Dotted paths of all keys of a schema, whatever the unions in it choose."""
    union = union_of(part)
    own = dict(properties_of(part))
    for choice in union.choices.values() if union else ():
        own |= choice
    of_schema = []
    for key, inner in own.items():
        of_schema += [f"{prefix}{key}", *paths(inner, f"{prefix}{key}.")]
    return of_schema


def _wanted(part: dict) -> str:
    """What a schema asks for, as words."""
    return " or ".join(KINDS[kind] for kind in _types(part))


def _shown(value: Any) -> str:
    """A value with what YAML took it for."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        words = "yes and on" if value else "no and off"
        return f"{value} (YAML reads {words} so; put quotes around a word)"
    return f"{value!r}{' (text)' if isinstance(value, str) else ''}"
