"""Sections as two pages: report.md as it is, and a web page that needs no network."""

import base64
import functools
import hashlib
import html
import json
import re
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markdown_it import MarkdownIt

from foldwise.errors import FoldwiseError
from foldwise.report.ledger import Number
from foldwise.report.style import DPI
from foldwise.report.templates import TEMPLATES

PIXELS_PER_INCH = 117
SCRIPTS = TEMPLATES / "explorer"
# What the other scripts use when they start.
FIRST_SCRIPTS = ("common.js", "tables.js", "gallery.js")
PICTURE = re.compile(r'<p><img src="([^"]+)" alt="([^"]*)" ?/?></p>')
HEADING = re.compile(r"<h([23])>(.*?)</h\1>")

# Name of each section (of another page: the template's path) and what its template is given, in the
# page's order.
Shown = Iterable[tuple[str, Mapping[str, Any]]]


def markdown(sections: Shown) -> str:
    """The report as Markdown: numbers as plain text."""
    return _tidy(_rendered(sections, _plain))


def page(sections: Shown, title: str, origins: Mapping[str, str], folder: Path) -> str:
    """The report as one HTML file: pictures of `folder` inside, numbers that say their origin.

    origins: file of a figure, relative to `folder`, -> what made it, in words.
    """
    sections = list(sections)
    text = _tidy(_rendered(sections, _hovering))
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    # Pictures go inside: the page is mailed and kept as one file.
    body = PICTURE.sub(lambda match: _figure(match, folder, origins), body)
    body = body.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )
    embedded = {
        name: value
        for _, values in sections
        for name, value in (values.get("embedded") or {}).items()
    }
    headline = [row for _, values in sections for row in values.get("headline") or ()]
    if headline:
        body = body.replace(_first_table(body), _tiles(headline), 1)
    body, contents = _anchors(body)
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8").strip()
    script = _script() if embedded else ""
    shell = _environment(_plain).get_template("page.html.j2")
    return shell.render(
        title=html.escape(title),
        style=style,
        body=body,
        contents=contents,
        data={name: _in_script(value) for name, value in embedded.items()},
        script=script,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _script() -> str:
    """All scripts of the page as one, whose digest the page's policy names."""
    others = sorted({path.name for path in SCRIPTS.glob("*.js")} - {*FIRST_SCRIPTS})
    names = [*FIRST_SCRIPTS, *others]
    return "".join((SCRIPTS / name).read_text(encoding="utf-8") for name in names)


def _in_script(value: Any) -> str:
    """JSON within a <script>, which no text in it can end."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _rendered(sections: Shown, finalize: Any) -> str:
    environment = _environment(finalize)
    return "\n\n".join(_section(environment, name, values) for name, values in sections)


def _section(environment: Environment, name: str, values: Mapping[str, Any]) -> str:
    """One section's text. FoldwiseError with the template's line for what it cannot show."""
    try:
        return environment.get_template(_template(name)).render(values)
    except TemplateError as error:
        where = _place(error, name)
        raise FoldwiseError(f"{where}: {error.message}. Mend the template.") from error


def _template(name: str) -> str:
    return f"{name}.md.j2" if "/" in name else f"sections/{name}.md.j2"


def _place(error: TemplateError, name: str) -> str:
    """File and line of the template in which an error rose."""
    frames = traceback.extract_tb(error.__traceback__)
    template = _template(name)
    lines = [frame.lineno for frame in frames if frame.filename.endswith(template)]
    # An error of syntax rises before there is a frame of the template.
    line = lines[-1] if lines else getattr(error, "lineno", "unknown")
    return f"workflow/report/{template}, line {line}"


@functools.cache
def _environment(finalize: Any) -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        # A name that a template misspells is an error, and no empty cell.
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Number) else value


def _hovering(value: Any) -> Any:
    return value.__html__() if isinstance(value, Number) else value


def _tidy(text: str) -> str:
    """One empty line around pictures, and never more than one in a row."""
    text = "\n".join(line.rstrip() for line in text.splitlines())
    text = re.sub(r"^(!\[.*)$", r"\n\1\n", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _figure(match: re.Match[str], folder: Path, origins: Mapping[str, str]) -> str:
    source, caption = match[1], html.unescape(match[2])
    content = (folder / source).read_bytes()
    data = base64.b64encode(content).decode()
    title, _, rest = caption.partition(". ")
    # Print inches to CSS pixels, so that text has one size in all figures.
    width = round(int.from_bytes(content[16:20], "big") / DPI * PIXELS_PER_INCH)
    return (
        f'<figure title="{html.escape(origins[source])}">'
        f'<img alt="{html.escape(title)}" style="width:{width}px" '
        f'src="data:image/png;base64,{data}">'
        f"<figcaption><strong>{html.escape(title)}.</strong> {html.escape(rest)}</figcaption>"
        "</figure>"
    )


def _first_table(body: str) -> str:
    start = body.index('<div class="wide">')
    return body[start : body.index("</div>", start) + len("</div>")]


def _tiles(headline: list[dict[str, Any]]) -> str:
    """The main metrics as tiles in place of their table."""
    tiles = []
    for row in headline:
        low_high = " to ".join(bound.__html__() for bound in row["interval"])
        tiles.append(
            f"<div><dt>{html.escape(row['name'])}</dt><dd>{row['mean'].__html__()}</dd>"
            f"<dd>{low_high or 'no interval'}</dd></div>"
        )
    return f'<dl class="tiles">{"".join(tiles)}</dl>'


def _anchors(body: str) -> tuple[str, list[tuple[str, str]]]:
    """Headings with ids, and (id, text) of those of the second level."""
    contents, seen = [], Counter()

    def name(match: re.Match[str]) -> str:
        anchor = re.sub(r"[^a-z0-9]+", "-", match[2].lower()).strip("-")
        # Two sections may use one word: the first has it for its address.
        seen[anchor] += 1
        anchor += f"-{seen[anchor]}" if seen[anchor] > 1 else ""
        if match[1] == "2":
            contents.append((anchor, match[2]))
        return f'<h{match[1]} id="{anchor}">{match[2]}</h{match[1]}>'

    return HEADING.sub(name, body), contents
