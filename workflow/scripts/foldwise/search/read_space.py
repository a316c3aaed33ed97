"""Reading `search.space` of a study file; every fault is told, with its place.

Standard library and the package's schema reader only: this runs when the DAG is built.
"""

import math
from decimal import Decimal

from foldwise.errors import FoldwiseError, choose, nearest
from foldwise.search.space import Parameter, Space
from foldwise.settings.schema import NUMBER

KEYS = {
    "float": {"type", "low", "high", "step", "log", "when"},
    "int": {"type", "low", "high", "step", "log", "when"},
    "categorical": {"type", "choices", "when"},
}


def parse_space(raw: dict[str, dict], where: str = "search.space") -> Space:
    """Read `search.space`, parents before the parameters that they switch on.

    Raises FoldwiseError that lists all faults, one a line.
    """
    if not raw:
        raise FoldwiseError(f"{where}: nothing to search. Name at least one setting.")
    faults, space = [], []
    for key, entry in raw.items():
        try:
            space.append(parse_parameter(key, entry, f"{where}.{key}"))
        except FoldwiseError as error:
            faults.append(str(error))
    # Only of parameters that were all read: one that was not would be missing as a parent too.
    faults += [] if faults else condition_faults(space, where)
    if faults:
        raise FoldwiseError("\n".join(faults))
    return parents_first(space, where)


def parse_parameter(key: str, entry: dict, place: str) -> Parameter:
    """Read one entry of the space and check it by itself."""
    if not isinstance(entry, dict) or "type" not in entry:
        raise FoldwiseError(f"{place}: write {{type: float | int | categorical, ...}}.")
    kind = choose(entry["type"], KEYS, "type", place)
    for name in entry:
        if name not in KEYS[kind]:
            keys = ", ".join(sorted(KEYS[kind]))
            raise FoldwiseError(
                f"{place}: unknown key '{name}'.{nearest(name, KEYS[kind])} Known keys: {keys}."
            )
    when = {
        parent: tuple(value) if isinstance(value, list) else (value,)
        for parent, value in (entry.get("when") or {}).items()
    }
    if kind == "categorical":
        return Parameter(key, kind, choices=parse_choices(entry, place), when=when)
    low, high = (parse_number(entry, name, kind, place) for name in ("low", "high"))
    step = parse_number(entry, "step", kind, place) if entry.get("step") is not None else None
    parameter = Parameter(key, kind, low, high, step, bool(entry.get("log")), when=when)
    check_range(parameter, place)
    return parameter


def number_of(value: object) -> object:
    """YAML reads `1e-4` as text; a researcher means the number. All else stays as it is."""
    scientific = isinstance(value, str) and "e" in value.lower() and NUMBER.fullmatch(value)
    # Only with an exponent: "1" in quotes may be meant as the name of a choice.
    return float(value) if scientific else value


def parse_number(entry: dict, name: str, kind: str, place: str) -> float:
    """A finite number of the entry, whole where the type is int."""
    value = number_of(entry.get(name))
    whole = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not whole or (kind == "int" and value != int(value)):
        raise FoldwiseError(f"{place}: '{name}' is {entry.get(name)!r}; write a number ({kind}).")
    return int(value) if kind == "int" else float(value)


def parse_choices(entry: dict, place: str) -> tuple:
    """The choices: plain values, none of them twice."""
    choices = entry.get("choices")
    if not isinstance(choices, list) or not choices:
        raise FoldwiseError(f"{place}: 'choices' is {choices!r}; write a list of values.")
    read = [number_of(item) for item in choices]
    for index, item in enumerate(read):
        if not isinstance(item, str | int | float | bool | None):
            raise FoldwiseError(f"{place}: choice {item!r} is not a plain value.")
        if item in read[:index]:
            raise FoldwiseError(
                f"{place}: choice {item!r} stands twice: trials would repeat. Name it once."
            )
    return tuple(read)


def check_range(parameter: Parameter, place: str) -> None:
    """Refuse an empty range, a logarithm of zero, and a step that misses the upper end."""
    low, high, step = parameter.low, parameter.high, parameter.step
    if not low < high:
        raise FoldwiseError(f"{place}: low {low} is not below high {high}. Swap or widen them.")
    if parameter.log and low <= 0:
        raise FoldwiseError(f"{place}: log needs low above 0, found {low}.")
    if parameter.log and step is not None:
        raise FoldwiseError(f"{place}: log and step exclude each other. Take one of them away.")
    if step is not None and step <= 0:
        raise FoldwiseError(f"{place}: step {step} must be above 0.")
    # In decimals, as they were written: 0.3 % 0.1 leaves 0.1 in binary.
    rest = (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(step or 1))
    if step is not None and rest:
        reached = Decimal(str(high)) - rest
        raise FoldwiseError(
            f"{place}: steps of {step} from {low} end at {reached}, not at high {high}. "
            f"Write high: {reached}."
        )


def condition_faults(space: list[Parameter], where: str) -> list[str]:
    """What is wrong with the `when` of any parameter."""
    by_key, faults = {parameter.key: parameter for parameter in space}, []
    for parameter in space:
        place = f"{where}.{parameter.key}.when"
        for parent, accepted in parameter.when.items():
            if parent not in by_key:
                faults.append(
                    f"{place}: '{parent}' is not searched, so this is always or never on."
                    f"{nearest(parent, by_key)} Name a searched setting or take `when` away."
                )
                continue
            values = by_key[parent].values()
            if values is None:
                faults.append(f"{place}: '{parent}' is continuous; name one with listed values.")
                continue
            faults += [
                f"{place}: '{parent}' is never {value!r}.{nearest(value, values)} "
                f"Its values: {', '.join(map(str, values))}."
                for value in accepted
                if not by_key[parent].contains(value)
            ]
    return faults


def parents_first(space: list[Parameter], where: str) -> Space:
    """The parameters in the order given, but each after those that its `when` names."""
    waiting, placed = list(space), {}
    while waiting:
        ready = [item for item in waiting if all(parent in placed for parent in item.when)]
        if not ready:
            keys = ", ".join(item.key for item in waiting)
            raise FoldwiseError(f"{where}: {keys} wait for each other. Break the circle of `when`.")
        # One at a time, the first that can: the order of the file is kept as far as it may be.
        placed[ready[0].key] = ready[0]
        waiting.remove(ready[0])
    return tuple(placed.values())
