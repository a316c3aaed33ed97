"""Closed schemas: defaults filled in, numbers and text read as meant, errors in one line each.

Standard library, PyYAML and jsonschema only: this runs whenever the DAG is built.
"""

import copy
import functools
import math
import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from foldwise.errors import FoldwiseError, nearest

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


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML in which a key stands once: the later of two would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """The mapping. Raises yaml.MarkedYAMLError for a key that is there already."""
        found: dict[Any, yaml.Node] = {}
        for key, _ in node.value:
            first = found.setdefault(key.value, key)
            if first is not key and key.value != "<<":
                line = first.start_mark.line + 1
                problem = f"the key '{key.value}' stands in line {line} already; keep one of them"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file; a syntax error is told by file, line and column."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FoldwiseError(f"{path}: not UTF-8 text. Save it as UTF-8.") from error
    except OSError as error:
        raise FoldwiseError(f"{path}: cannot be read ({error.strerror}).") from error
    try:
        return yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        raise FoldwiseError(f"{path}{_place(error, text)}") from error
    except yaml.YAMLError as error:
        raise FoldwiseError(f"{path}: not valid YAML: {str(error).splitlines()[0]}.") from error


def _place(error: yaml.MarkedYAMLError, text: str) -> str:
    """Line and column of a syntax error, what is wrong there, and the line itself."""
    mark, problem = error.problem_mark, error.problem
    if mark is None:
        return f": not valid YAML: {problem}."
    lines = text.splitlines() or [""]
    line = lines[min(mark.line, len(lines) - 1)]
    if "\t" in line[: mark.column + 1]:
        problem = "a tab; indent with spaces"
    shown = f" (`{line.strip()[:60]}`)" if line.strip() else ""
    above = " Look at the line above too." if "expected" in problem else ""
    return (
        f" line {mark.line + 1}, column {mark.column + 1}: not valid YAML: {problem}{shown}.{above}"
    )


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
    """Number-like text as a number where `part` asks for one, an integer as text where for text."""
    if isinstance(value, dict):
        inner, other = part.get("properties", {}), part.get("additionalProperties")
        other = other if isinstance(other, dict) else {}
        named = {_text(key): item for key, item in value.items()}
        return {key: as_meant(inner.get(key, other), item) for key, item in named.items()}
    if isinstance(value, list):
        return [as_meant(part.get("items", {}), item) for item in value]
    types = [kind for option in part.get("oneOf", [part]) for kind in _types(option)]
    if isinstance(value, str) and NUMBER.fullmatch(value) and {"number", "integer"} & set(types):
        number = float(value)
        return int(number) if "integer" in types and number.is_integer() else number
    return _text(value) if "string" in types and "integer" not in types else value


def _text(value: Any) -> Any:
    """Class 1 is class '1'; yes and no, which YAML reads as true and false, are left to fail."""
    return str(value) if type(value) is int else value


def _types(part: dict) -> list[str]:
    kinds = part.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def complete(part: dict, value: Any) -> Any:
    """Put the schema's defaults where `value` says nothing; `value` is left as it is."""
    if not isinstance(value, dict) or "properties" not in part:
        return value
    filled = dict(value)
    for key, inner in part["properties"].items():
        if key not in filled and "default" in inner:
            filled[key] = copy.deepcopy(inner["default"])
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
        f"{where}: {_tell(error)}"
        for error in jsonschema.Draft202012Validator(part).iter_errors(value)
    ]
    if faults:
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


def _tell(error: jsonschema.ValidationError) -> str:
    place = ".".join(str(step) for step in error.absolute_path) or "top level"
    if error.validator == "additionalProperties" and error.validator_value is False:
        known = error.schema["properties"]
        unknown = [key for key in error.instance if key not in known]
        hints = [f"unknown key '{key}'.{nearest(key, known)}" for key in unknown]
        return f"{place}: {' '.join(hints)} Known keys: {', '.join(sorted(known))}."
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{place}: '{missing[0]}' is missing. Add it; config/README.md describes it."
    if error.validator == "enum":
        allowed = [str(option) for option in error.validator_value]
        hint = nearest(str(error.instance), allowed)
        return f"{place}: {error.instance!r} is not known.{hint} Choose: {', '.join(allowed)}."
    if error.validator == "type":
        return f"{place}: expected {_wanted(error.schema)}, found {_found(error.instance)}."
    if error.parent is None and error.validator == "pattern":
        return (
            f"{place}: '{error.instance}' is no name: use small letters, digits and _, and begin "
            "with a letter."
        )
    if error.validator in ("oneOf", "anyOf"):
        return f"{place}: {error.instance!r} does not fit. {error.schema.get('description', '')}"
    return f"{place}: {error.message}. {error.schema.get('description', '')}".rstrip()


def _wanted(part: dict) -> str:
    """What a schema asks for, as words."""
    return " or ".join(KINDS[kind] for kind in _types(part))


def _found(value: Any) -> str:
    """A value with what YAML took it for."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        words = "yes and on" if value else "no and off"
        return f"{value} (YAML reads {words} so; put quotes around a word)"
    return f"{value!r}{' (text)' if isinstance(value, str) else ''}"
