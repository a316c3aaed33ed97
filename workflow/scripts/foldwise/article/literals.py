"""Numbers typed by hand in the results of an article: each is refused with its file and line.

Text gets into an article in many ways: by parts that a template includes, macros that it imports,
a template that it extends, variables that it sets, pieces that an expression pastes. So what is
typed is marked where templates are read, and looked for in what they made.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import Environment, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from foldwise.article.typed import (
    MARK,
    carrying,
    first_typed,
    mark,
    paste,
    place_of,
    printf,
    replaced,
    typed,
    unmark,
)
from foldwise.errors import FoldwiseError

HEADING = re.compile(r"^(#+)[ \t]+(.*)$", re.MULTILINE)
# What holds no result: prose that is marked as such, comments, attributes, targets of links,
# citations, code.
NO_RESULT = re.compile(
    r"<!--(?:.|\n)*?-->|\[[^\]]*\]\{\.prose\}|\{[^{}\n]*\}|\]\([^)\n]*\)|@[\w:-]+|`[^`\n]*`"
)
NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?\s*%?|(?<![\w.])\.\d+")


class Pasting(CodeGenerator):
    """Jinja's compiler, with an operator `~` that carries marks on."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        # A filter's name that no template can write.
        self.write("environment.filters['~'](")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write(")")


class Marking(Extension):
    """Marks the digits that stand in templates: looked-up ones are told from them."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.places: list[str] = []
        filters = environment.filters
        for name, function in filters.items():
            filters[name] = carrying(function, skip=hasattr(function, "jinja_pass_arg"))
        filters |= {"format": _format, "replace": replaced, "~": paste, "typed": self._typed}
        environment.code_generator_class = Pasting

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The template with its text marked, and each value in its expressions through `typed`."""
        before, where = "", stream.filename or stream.name or "template"
        for token in stream:
            kind, line = token.type, token.lineno
            # After a dot stands a place in a list; strings side by side are one.
            literal = kind in ("string", "integer", "float") and before != "dot"
            if literal and not kind == before == "string":
                # In brackets, so that a method may follow.
                yield Token(line, "lparen", "(")
            if kind == "data":
                yield Token(line, kind, self._marked_lines(token.value, where, line))
            else:
                yield token
            if literal and not kind == stream.current.type == "string":
                yield Token(line, "pipe", "|")
                yield Token(line, "name", "typed")
                yield Token(line, "lparen", "(")
                yield Token(line, "integer", self._place(where, line))
                yield Token(line, "rparen", ")")
                yield Token(line, "rparen", ")")
            before = kind

    # With a context Jinja does not compute the value while it compiles, and keeps its type.
    @pass_context
    def _typed(self, _context: Any, value: Any, place: int) -> Any:
        return typed(value, place)

    def finalize(self, shown: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Prints as `shown` does, and marks what an expression has typed."""

        def marked(value: Any) -> Any:
            return shown(value) if first_typed(value) is None else paste(value).marked

        return marked

    def _place(self, where: str, line: int) -> int:
        # There are characters for 13,107 places; no article has so many lines with digits.
        here = f"{where}, line {line}"
        if here not in self.places:
            self.places.append(here)
        return self.places.index(here)

    def _marked_lines(self, text: str, where: str, first: int) -> str:
        lines = enumerate(text.split("\n"), first)
        return "\n".join(
            mark(line, self._place(where, number)) if re.search(r"\d", line) else line
            for number, line in lines
        )

    def refuse(self, made: str, section: str = "Results") -> None:
        """Raise FoldwiseError for typed numbers in a section of what a template made.

        A number in words the author vouches for is marked `[three of 4 readers]{.prose}`.
        """
        # One character for one, so that a place in the one text is the same in the other.
        text = re.sub("[0-9]", "\0", made)
        text = unmark(text)
        text = NO_RESULT.sub(lambda part: re.sub(r"[^\n]", " ", part[0]), text)
        numbers = (
            (self._place_of(made[number.start() : number.end()]), number[0].strip())
            for start, end in _sections(text, section)
            for number in NUMBER.finditer(text, start, end)
        )
        faults = [
            f"{place}: '{number}' stands in section {section} and is looked up nowhere. Read it "
            "from the study (`{{ study.summary(...) }}`), or mark what is no result as prose: "
            "[...]{.prose}."
            # A macro that is called twice has the fault once.
            for place, number in dict.fromkeys(numbers)
        ]
        if faults:
            raise FoldwiseError("\n".join(faults))

    def _place_of(self, number: str) -> str:
        return self.places[place_of(MARK.search(number)[0])]


def _format(value: Any, *given: Any, **named: Any) -> str:
    return printf(value, named or given)


def _sections(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Start and end of each section of that name, its subsections included."""
    start, depth = None, 0
    for heading in HEADING.finditer(text):
        # A deeper heading inside is a part of the section, not its end.
        if start is not None and len(heading[1]) > depth:
            continue
        if start is not None:
            yield start, heading.start()
        here = heading[2].split("{")[0].strip().lower() == name.lower()
        start, depth = (heading.end(), len(heading[1])) if here else (None, 0)
    if start is not None:
        yield start, len(text)
