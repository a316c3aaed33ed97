"""An article's template to Markdown: every number through the ledger, or an error with its line."""

import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError

from foldwise.article.literals import Marking
from foldwise.errors import FoldwiseError
from foldwise.report import templates
from foldwise.report.ledger import Number, escaped

SHIPPED = templates.ARTICLE
UNDEFINED = "–"


def render(template: Path, context: Mapping[str, Any], traced: bool) -> str:
    """Markdown of a template file. `traced`: numbers are spans that name where they come from.

    Raises FoldwiseError, with file and line, for a fault of the template, a value that is not
    defined, and a number that is typed by hand.
    """
    _check_readable(template)
    _refuse_typed(template, context)
    made = _made(_environment(template, _traced if traced else _plain), template, context)
    # Conditions that are not met leave empty lines behind.
    return re.sub(r"\n{3,}", "\n\n", made).strip() + "\n"


def _refuse_typed(template: Path, context: Mapping[str, Any]) -> None:
    """A reading by itself: the marks of what is typed must not get into the article."""
    environment = _environment(template, _plain)
    environment.add_extension(Marking)
    marking = environment.extensions[Marking.identifier]
    environment.finalize = marking.finalize(_plain)
    marking.refuse(_made(environment, template, context))


def _environment(template: Path, finalize: Callable[[Any], Any]) -> Environment:
    # The user's own folder first: a shipped part may be replaced by a file of its name.
    loader = ChoiceLoader([FileSystemLoader(template.parent), FileSystemLoader(SHIPPED)])
    return Environment(
        loader=loader,
        # A misspelt value is an error; jinja's default would print nothing in its place.
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _made(environment: Environment, template: Path, context: Mapping[str, Any]) -> str:
    try:
        return environment.get_template(template.name).render(context)
    except FoldwiseError as error:
        raise FoldwiseError(f"{_line_of(error, template)}: {error}") from error
    except (TemplateError, TypeError, ValueError, LookupError) as error:
        # What a template may get wrong in its expressions; a fault of ours is none of these lines.
        raise FoldwiseError(f"{_line_of(error, template)}: {error}.") from error


def _check_readable(template: Path) -> None:
    try:
        template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FoldwiseError(
            f"{template}: cannot be read as UTF-8 text ({error}). Correct article.template."
        ) from error


def _plain(value: Any) -> Any:
    return escaped(_shown(value)) if isinstance(value, Number) else value


def _traced(value: Any) -> Any:
    if not isinstance(value, Number):
        return value
    origin = f"{value.key} in {value.file}, made by {value.job}".replace('"', "'")
    return f'[{escaped(_shown(value))}]{{.number title="{origin}"}}'


def _shown(value: Number) -> str:
    """The text of a number. Raises FoldwiseError for one that its file does not define."""
    if value.shown == UNDEFINED:
        raise FoldwiseError(
            f"{value.key} is not defined in {value.file}. Ask first whether it is: "
            "`{% if ... is not none %}`"
        )
    return value.shown


def _line_of(error: BaseException, template: Path) -> str:
    """File and line of the template in which an error arose."""
    line = getattr(error, "lineno", None)
    if line is not None:
        return f"{getattr(error, 'filename', None) or template}, line {line}"
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if frame.filename.endswith(".j2")]
    return f"{places[-1].filename}, line {places[-1].lineno}" if places else str(template)
