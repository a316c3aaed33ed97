"""Closed schemas: defaults filled in, numbers and text read as meant, errors in one line each.

Standard library, PyYAML and jsonschema only: this runs whenever the DAG is built.
"""

import copy
import functools
import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from foldwise.errors import FoldwiseError, nearest

SCHEMAS = Path(__file__).parents[2] / "schemas"
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# YAML 1.1 reads `1e-4` as text, since it asks for a point; a researcher means the number.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file; a syntax error is told by file, line and column."""
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise FoldwiseError(f"{path}{place}: not valid YAML: {error.problem}.") from error
    except UnicodeDecodeError as error:
        raise FoldwiseError(f"{path}: not UTF-8 text. Save it as UTF-8.") from error


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
    if not isinstance(value, dict):
        raise FoldwiseError(f"{where}: expected settings as `key: value`, found {value!r}.")
    value = complete(part, as_meant(part, value))
    faults = [
        f"{where}: {_tell(error)}"
        for error in jsonschema.Draft202012Validator(part).iter_errors(value)
    ]
    if faults:
        raise FoldwiseError("\n".join(sorted(faults)))
    return value


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
        wanted = " or ".join(_types(error.schema))
        if isinstance(error.instance, bool) and wanted == "string":
            return (
                f"{place}: YAML reads {'yes and on' if error.instance else 'no and off'} without "
                f"quotes as {str(error.instance).lower()}. Put the word in quotes."
            )
        return f"{place}: {error.instance!r} is text or of another type; write a {wanted}."
    if error.validator in ("oneOf", "anyOf"):
        return f"{place}: {error.instance!r} does not fit. {error.schema.get('description', '')}"
    return f"{place}: {error.message}. {error.schema.get('description', '')}".rstrip()
