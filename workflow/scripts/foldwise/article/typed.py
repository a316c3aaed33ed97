"""Values that stand in a template itself, and what expressions make of them: digits keep marks.

Such a value is equal to what it is made of, so that names, files and conditions stay what they
are; beside it goes the same text with its digits marked, which is what a reading for typed numbers
prints. Operators, methods of texts and filters carry the marks on.
"""

import functools
import re
import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# A typed digit is a character of Unicode's private planes: ten of them for each place.
FIRST_MARK, LAST_MARK = 0xF0000, 0x10FFFD
MARK = re.compile(f"[{chr(FIRST_MARK)}-{chr(LAST_MARK)}]")
CONVERSION = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?[diouxXeEfFgGcrsa%]"
)
Function = Callable[..., Any]


def mark(text: str, place: int) -> str:
    """A text with its digits marked as of a place."""
    start = FIRST_MARK + 10 * place
    return re.sub("[0-9]", lambda digit: chr(start + int(digit[0])), text)


def unmark(text: str) -> str:
    """The text with its digits: one character for one."""
    return MARK.sub(lambda sign: str((ord(sign[0]) - FIRST_MARK) % 10), text)


def place_of(sign: str) -> int:
    """The place that a marked digit is of."""
    return (ord(sign) - FIRST_MARK) // 10


class Typed:
    """What is common to values of a template: `place`, and `marked`, their text with marks."""

    place: int
    marked: str


class TypedText(Typed, str):
    """A text of a template, or one that holds such."""

    def __new__(cls, marked: str, place: int) -> "TypedText":
        made = super().__new__(cls, unmark(marked))
        made.marked, made.place = marked, place
        return made

    def __iter__(self) -> Iterator[str]:
        return (self[place] for place in range(len(self)))

    def __mod__(self, given: Any) -> Any:
        return printf(self, given)

    def __radd__(self, other: Any) -> Any:
        return carry(str.__add__, other, self)

    def replace(self, old: str, new: str, count: int = -1) -> str:
        return replaced(self, old, new, count)

    def format(self, *given: Any, **named: Any) -> str:
        return TypedText(Braces().vformat(self.marked, given, named), self.place)


class TypedInt(Typed, int):
    """A whole number of a template."""


class TypedFloat(Typed, float):
    """A number of a template."""


def typed(value: Any, place: int) -> Any:
    """A value of a template, knowing its place; what is neither text nor number stays as it is."""
    if type(value) is str:
        return TypedText(mark(value, place), place)
    kinds: dict[type, type] = {int: TypedInt, float: TypedFloat}
    if type(value) not in kinds:
        return value
    made = kinds[type(value)](value)
    made.place, made.marked = place, mark(str(value), place)
    return made


def first_typed(value: Any) -> Typed | None:
    """The first value of a template in a value, its items or its keys."""
    if isinstance(value, Typed):
        return value
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    inside = value if isinstance(value, list | tuple) else ()
    return next((one for one in map(first_typed, inside) if one is not None), None)


class Repr(str):
    """A text that a list shows without quotes of its own."""

    def __repr__(self) -> str:
        return str(self)


def as_marked(value: Any, quoted: bool = False) -> Any:
    """A value with marked texts in the place of what is typed; `quoted`: as a list shows them."""
    if first_typed(value) is None:
        return value
    if isinstance(value, TypedText):
        return Repr(f"'{value.marked}'") if quoted else value.marked
    if isinstance(value, Typed):
        return Repr(value.marked)
    if isinstance(value, Mapping):
        pairs = value.items()
        return {as_marked(key, quoted): as_marked(one, quoted) for key, one in pairs}
    return type(value)([as_marked(one, quoted) for one in value])


def paste(*parts: Any) -> str:
    """Jinja's `~`."""
    typed_part = first_typed(parts)
    if typed_part is None:
        return "".join(map(str, parts))
    marked = (str(as_marked(part, quoted=not isinstance(part, Typed))) for part in parts)
    return TypedText("".join(marked), typed_part.place)


def carry(function: Function, *given: Any, skip: int = 0, **named: Any) -> Any:
    """What a function gives, typed where its values are; the first `skip` are none of them.

    A text is made a second time of marked texts. Where these change what is made, as a width does,
    all its digits are those of the template if the value itself is of it.
    """
    # An iterator could be read once only.
    given = tuple(list(one) if isinstance(one, Iterator) else one for one in given)
    made = function(*given, **named)
    source = first_typed([*given[skip:], named])
    if source is None or isinstance(made, Typed | bool):
        return made
    value = given[skip] if len(given) > skip else None
    own = _all_typed(value)
    if isinstance(made, int | float):
        return typed(made, source.place) if own else made
    if isinstance(made, list | tuple):
        inside = (typed(one, source.place) for one in made)
        return type(made)(inside) if isinstance(value, Typed) else made
    if not isinstance(made, str):
        return made
    again = _made_again(function, given, named, skip)
    if again is not None and unmark(again) == made:
        return TypedText(again, source.place)
    return TypedText(mark(made, source.place), source.place) if own else made


def _made_again(
    function: Function, given: tuple[Any, ...], named: Mapping[str, Any], skip: int
) -> str | None:
    values = [as_marked(one) for one in given[skip : skip + 1]]
    values += [_texts(one) for one in given[skip + 1 :]]
    try:
        return function(*given[:skip], *values, **_texts(named))
    except (TypeError, ValueError):
        # It makes a text of a number, which marked digits are not.
        return None


def _texts(option: Any) -> Any:
    """An option with its texts marked; a number may be a width, and stays."""
    if isinstance(option, dict):
        return {name: _texts(one) for name, one in option.items()}
    return option if isinstance(option, int | float) else as_marked(option)


def _all_typed(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_all_typed, value))
    return isinstance(value, Typed)


def replaced(text: Any, old: Any, new: Any, count: int | None = None) -> str:
    """Jinja's `replace`: what stays keeps its marks, and what comes in brings its own."""
    made, place, most = str(text), 0, -1 if count is None else count
    source = first_typed([text, new])
    if source is None or not str(old):
        return made.replace(str(old), str(new), most)
    marked, parts = str(as_marked(text)), []
    for part in made.split(str(old), most):
        parts.append(marked[place : place + len(part)])
        place += len(part) + len(str(old))
    return TypedText(str(as_marked(new)).join(parts), source.place)


def printf(text: Any, given: Any) -> str:
    """The operator `%`: digits of a conversion, as of `%.2f`, are none that a reader sees."""
    values = given if isinstance(given, tuple | Mapping) else (given,)
    made = str(text) % given
    source = first_typed([text, values])
    if source is None:
        return made
    marked, parts, end, used = str(as_marked(text)), [], 0, 0
    for conversion in CONVERSION.finditer(str(text)):
        parts.append(marked[end : conversion.start()])
        end = conversion.end()
        number = 1 + conversion[0].count("*")
        if conversion["key"] is not None:
            own, value = values, values[conversion["key"]]
        elif conversion[0].endswith("%"):
            own, value = (), None
        else:
            own, used = values[used : used + number], used + number
            value = own[-1]
        parts.append(shown_as(conversion[0] % own, value))
    return TypedText("".join([*parts, marked[end:]]), source.place)


def shown_as(text: str, value: Any) -> str:
    """The text that a value was formatted to, marked where the value is."""
    if isinstance(value, TypedText) and str(value) in text:
        # Of a text, a template may have typed a part.
        return str(text).replace(str(value), value.marked)
    own = first_typed(value)
    return text if own is None else mark(text, own.place)


class Braces(string.Formatter):
    """`str.format` of a marked text."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        return super().get_field(unmark(field_name), args, kwargs)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        made = super().convert_field(value, conversion)
        # Without a conversion it is the value itself, which a width or precision may follow.
        if conversion is None or not isinstance(value, Typed):
            return made
        return TypedText(shown_as(made, value), value.place)

    def format_field(self, value: Any, format_spec: str) -> str:
        return shown_as(format(value, unmark(format_spec)), value)


def carrying(function: Function, skip: int = 0) -> Function:
    """A function, as a filter or method, that carries marks on."""

    @functools.wraps(function)
    def carried(*given: Any, **named: Any) -> Any:
        return carry(function, *given, skip=skip, **named)

    return carried


def _arithmetic(operator: Function) -> Function:
    """An operator of numbers: of typed numbers alone it makes a typed one."""

    @functools.wraps(operator)
    def carried(self: Any, *others: Any) -> Any:
        made = operator(self, *others)
        return typed(made, self.place) if all(isinstance(one, Typed) for one in others) else made

    return carried


TEXTS = (
    "__add__ __mul__ __rmul__ __getitem__ capitalize casefold center expandtabs format_map join "
    "ljust lower lstrip partition removeprefix removesuffix rjust rpartition rsplit rstrip split "
    "splitlines strip swapcase title translate upper zfill"
)
TWO_NUMBERS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
NUMBERS = ("neg", "pos", "abs", "round", *TWO_NUMBERS, *(f"r{name}" for name in TWO_NUMBERS))
for name in TEXTS.split():
    setattr(TypedText, name, carrying(getattr(str, name)))
for kind in (TypedInt, TypedFloat):
    for name in (f"__{short}__" for short in NUMBERS):
        setattr(kind, name, _arithmetic(getattr(kind, name)))
