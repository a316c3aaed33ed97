"""Numbers typed by hand in the results of an article's template: each is refused with its line."""

import re

from foldwise.errors import FoldwiseError

HEADING = re.compile(r"^(#+)\s+(.*)$")
# Parts of a line that hold no result: looked-up values, prose that is marked as such, attributes,
# targets of links, citations, code.
NO_RESULT = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\[[^\]]*\]\{\.prose\}|\{[^{}]*\}|\]\([^)]*\)|@[\w:-]+|`[^`]*`"
)
INCLUDED = re.compile(r"""\{%-?\s*include\s+["']([^"']+)["']""")
NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?\s*%?|(?<![\w.])\.\d+")


def check_literals(text: str, where: str, section: str = "Results") -> None:
    """Raise FoldwiseError for numbers in section `section` that are neither looked up nor prose.

    `text` is a template in Markdown, `where` its path. A number in words the author vouches for is
    marked `[three of 4 readers]{.prose}`.
    """
    _refuse(_section(text, section), where, section)


def check_part(text: str, where: str, section: str = "Results") -> None:
    """The same of a template that stands in the section as a whole."""
    _refuse(list(enumerate(_blanked(text).splitlines(), 1)), where, section)


def included(text: str, section: str = "Results") -> list[str]:
    """Names of the templates that a section of `text` includes."""
    lines = [line.rstrip() for line in text.splitlines()]
    numbers = {number for number, _ in _section(text, section)}
    return [found[1] for n in sorted(numbers) for found in INCLUDED.finditer(lines[n - 1])]


def _refuse(lines: list[tuple[int, str]], where: str, section: str) -> None:
    faults = []
    for number, line in lines:
        for found in NUMBER.finditer(NO_RESULT.sub(" ", line)):
            faults.append(
                f"{where}, line {number}: '{found[0].strip()}' stands in section {section} and is "
                "looked up nowhere. Read it from the study (`{{ study.summary(...) }}`), or mark "
                "what is no result as prose: [...]{.prose}."
            )
    if faults:
        raise FoldwiseError("\n".join(faults))


def _section(text: str, name: str) -> list[tuple[int, str]]:
    """Lines of a section with their numbers, its subsections included."""
    inside, depth, lines = False, 0, []
    for number, line in enumerate(_blanked(text).splitlines(), 1):
        heading = HEADING.match(line)
        # A deeper heading inside is a part of the section, not its end.
        if heading and (not inside or len(heading[1]) <= depth):
            inside = heading[2].split("{")[0].strip().lower() == name.lower()
            depth = len(heading[1])
        elif inside:
            lines.append((number, line))
    return lines


def _blanked(text: str) -> str:
    """The text with comments and statements of several lines taken out, line numbers kept."""
    return re.sub(
        r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->",
        # Line ends stay, so that faults are told by the template's own lines.
        lambda found: re.sub(r"[^\n]", " ", found[0]),
        text,
        flags=re.DOTALL,
    )
